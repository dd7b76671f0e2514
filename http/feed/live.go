package feed

import (
	"context"
	"time"

	"fairfactor"
)

// live is what the hub knows of jobs that run. That one runs is told when it was looked
// at, is unfinished in the store after that, and everything that had happened by then was
// told: so it comes after its acceptance and before its end.
type live struct {
	found  chan []fairfactor.Job
	asking bool

	pending map[fairfactor.ID]*fairfactor.Job // seen running, not told yet
	mark    fairfactor.Position               // to be reached first; zero until it is known
	told    map[fairfactor.ID]*shown
}

// shown is what was told of a job that runs.
type shown struct {
	phase   string
	percent float64
	found   int
	seen    time.Time // running
}

func (l *live) begin() {
	l.found = make(chan []fairfactor.Job, 1)
	l.told = map[fairfactor.ID]*shown{}
}

// forget drops what is known when there are no subscribers left.
func (l *live) forget() {
	l.pending = nil
	clear(l.told)
}

// lookAround asks which jobs run.
func (h *Hub) lookAround(ctx context.Context) {
	if h.live.asking {
		return
	}
	h.live.asking = true
	go func() {
		bounded, cancel := context.WithTimeout(ctx, askLimit)
		defer cancel()
		h.live.found <- h.opts.Source.Running(bounded)
	}()
}

// forgetAfter is how long something is remembered of a job that does not seem to run any
// more, and whose end had no subscriber.
const forgetAfter = time.Minute

// verify keeps the jobs with subscribers that are unfinished in the store too.
func (h *Hub) verify(ctx context.Context, found []fairfactor.Job) {
	l := &h.live
	l.asking, l.pending, l.mark = false, nil, fairfactor.Position{}
	now := time.Now()
	var ids []fairfactor.ID
	running := map[fairfactor.ID]*fairfactor.Job{}
	for i := range found {
		if j := &found[i]; j.State == fairfactor.Running && h.heard(j) {
			ids, running[j.ID] = append(ids, j.ID), j
			if t := l.told[j.ID]; t != nil {
				t.seen = now
			}
		}
	}
	for id, t := range l.told {
		if now.Sub(t.seen) > forgetAfter {
			delete(l.told, id)
		}
	}
	if len(ids) == 0 {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	stored, err := h.opts.Source.Stored(bounded, ids)
	if err != nil {
		return // the next look will tell
	}
	l.pending = map[fairfactor.ID]*fairfactor.Job{}
	for i := range stored {
		if stored[i].State != 0 && !stored[i].State.Final() {
			l.pending[ids[i]] = running[ids[i]]
		}
	}
}

// ended forgets what an event overtakes.
func (l *live) ended(e *fairfactor.Event) {
	if e.State.Final() {
		delete(l.pending, e.Job.ID)
		delete(l.told, e.Job.ID)
	}
}

// tellRunning tells what was seen running, once everything was told that had happened
// before that.
func (h *Hub) tellRunning(head fairfactor.Position) {
	l := &h.live
	if len(l.pending) == 0 {
		return
	}
	if l.mark.Group == 0 {
		l.mark = head
	}
	if h.at.Compare(l.mark) < 0 {
		return
	}
	for id, job := range l.pending {
		now := &shown{seen: time.Now()}
		if p := job.Progress; p != nil {
			now.phase, now.percent, now.found = p.Phase, p.Percent, len(p.Found)
		}
		kind, before := Running, l.told[id]
		if before != nil {
			kind = Progress
			if before.phase == now.phase && before.percent == now.percent && before.found == now.found {
				continue
			}
		}
		l.told[id] = now
		h.tell(h.message(kind, job, fairfactor.Running, h.at), job)
	}
	l.pending = nil
}
