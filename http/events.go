package http

import (
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
	"fairfactor/http/feed"
)

// Times of the feed. Nothing of it runs without subscribers.
const (
	feedLook = 500 * time.Millisecond // between two looks at what runs
	feedPoll = 100 * time.Millisecond // between two looks for what other nodes have written
	feedPace = 10 * time.Millisecond  // least time between two looks
)

// mediaEvents is the media type of server-sent events.
const mediaEvents = "text/event-stream"

// streamShare is the part of all connections that may be streams of events: the others
// are left for requests.
const streamShare = 0.8

func (s *Server) openFeed(source feed.Source) {
	if source == nil {
		return
	}
	s.feed = feed.New(feed.Options{
		Source: source, Logger: s.log, Render: renderEvent, Heartbeat: s.limits.heartbeat,
		Look: feedLook, Poll: feedPoll, Pace: feedPace, Messages: s.limits.queued,
	})
}

// getEvents tells what happens to all jobs, or to those of a caller.
func (s *Server) getEvents(r *request) error {
	caller, _, err := queryValue(r, "caller_id")
	if err != nil {
		return err
	}
	if caller != "" {
		if caller, err = checkCaller(caller); err != nil {
			return err
		}
	}
	return s.stream(r, feed.Filter{Caller: caller})
}

// getJobEvents tells what happens to a job until it has ended.
func (s *Server) getJobEvents(r *request) error {
	id, err := jobID(r.arg)
	if err != nil {
		return err
	}
	job, err := s.jobs.Job(s.deadlines.next(r.ctx.Time()), id)
	if err != nil {
		return aboutJob(err, r.arg)
	}
	if job.State.Final() {
		if told, err := s.endTold(r, &job); err != nil {
			return err
		} else if told {
			// A browser that has seen the end would come back for more.
			r.ctx.SetStatusCode(fasthttp.StatusNoContent)
			return nil
		}
	}
	return s.stream(r, feed.Filter{Job: id})
}

// endTold tells whether a client that resumes has seen the end of a job.
func (s *Server) endTold(r *request, job *fairfactor.Job) (bool, error) {
	from, err := positionOf(r)
	if err != nil || from.Group == 0 || s.feed == nil {
		return false, err
	}
	more := false
	_, err = s.feed.Replay(s.bounded(), feed.Filter{Job: job.ID}, from, func([]*feed.Message) error {
		more = true
		return nil
	})
	return !more, err
}

// positionOf returns where a client wants to resume: the header that browsers send when
// they come back, or the parameter; the zero position without either.
func positionOf(r *request) (fairfactor.Position, error) {
	text, _, err := queryValue(r, "last_event_id")
	if len(r.lastEvent) > 0 {
		text = string(r.lastEvent)
	}
	if err != nil || text == "" {
		return fairfactor.Position{}, err
	}
	at, err := fairfactor.ParsePosition(text)
	if err != nil {
		return at, problemAs(badRequest, err, shown("last_event_id", text))
	}
	return at, nil
}

// renderEvent makes the text of an event. The id is where a client resumes behind it; a
// heartbeat has one too, so that a subscriber to which nothing happens moves on.
func renderEvent(kind feed.Kind, job *fairfactor.Job, at fairfactor.Position) []byte {
	switch kind {
	case feed.Heartbeat:
		return append(at.Append([]byte(": heartbeat\nid: ")), "\n\n"...)
	case feed.Gap:
		return appendEvent(nil, "gap", at, func(b []byte) []byte {
			return append(b, `{"detail":"events before this one are missing: they are not kept any more, or the position was another database's"}`...)
		})
	}
	return appendEvent(make([]byte, 0, 512), eventName(kind, job.State), at, func(b []byte) []byte { return AppendJob(b, job) })
}

// eventName is what the event is called.
func eventName(kind feed.Kind, state fairfactor.State) string {
	switch kind {
	case feed.Accepted:
		return "accepted"
	case feed.Progress:
		return "progress"
	}
	return state.String()
}

// appendEvent appends an event whose data is one line.
func appendEvent(b []byte, name string, at fairfactor.Position, data func([]byte) []byte) []byte {
	b = append(b, "event: "...)
	b = append(b, name...)
	b = at.Append(append(b, "\nid: "...))
	b = data(append(b, "\ndata: "...))
	return append(b, "\n\n"...)
}
