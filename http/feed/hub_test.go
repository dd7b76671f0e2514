package feed_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/http/feed"
)

// busy is a source in which many jobs of others end together, and then one job. Nothing
// more happens after that.
type busy struct {
	others  int
	changed chan struct{}
}

var mine = fairfactor.Job{ID: fairfactor.ID{Nonce: 1, Caller: 2, Seq: 3}, Caller: "mine", Number: "35", State: fairfactor.Completed}

func (b *busy) at(index int) fairfactor.Position {
	return fairfactor.Position{Line: 1, Group: 1, Index: uint64(index)}
}

func (b *busy) Events(_ context.Context, after fairfactor.Position, limit int, wanted func(caller, seq uint64) bool) (page fairfactor.EventPage, err error) {
	page.Head = b.at(b.others + 1)
	if after == (fairfactor.Position{}) {
		page.Next = b.at(0)
		return page, nil
	}
	i := int(after.Index)
	for ; i <= b.others && limit > 0; i++ {
		limit--
		if i == b.others && wanted(mine.ID.Caller, mine.ID.Seq) {
			page.Events = append(page.Events, fairfactor.Event{State: mine.State, Job: mine, After: b.at(i + 1)})
		} else if i < b.others && wanted(1, uint64(i)) {
			panic("an event of another job is wanted")
		}
	}
	page.Next = b.at(i)
	return page, nil
}

func (b *busy) Changed() <-chan struct{} { return b.changed }

func (b *busy) Stored(context.Context, []fairfactor.ID) ([]fairfactor.Job, error) { return nil, nil }

func (b *busy) Running(context.Context) []fairfactor.Job { return nil }

// TestEventBehindOthers: pages of events that no subscriber wants follow one another at
// once, not one with each commit.
func TestEventBehindOthers(t *testing.T) {
	h := feed.New(feed.Options{
		Source: &busy{others: 10_000, changed: make(chan struct{})}, Logger: slog.New(slog.DiscardHandler),
		Render:    func(feed.Kind, *fairfactor.Job, fairfactor.Position) []byte { return nil },
		Heartbeat: time.Hour, Look: time.Hour, Poll: time.Hour, Pace: time.Millisecond,
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { h.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	s, err := h.Subscribe(ctx, feed.Filter{Job: mine.ID}, fairfactor.Position{})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Ready():
	case <-time.After(time.Minute):
		t.Fatal("the event does not come")
	}
	if messages, end := s.Take(nil); len(messages) != 1 || messages[0].Kind != feed.Ended || end != 0 {
		t.Errorf("%d messages, end %d", len(messages), end)
	}
}

// behind is a source that is not as far as it was before, for a while.
type behind struct {
	busy
	until time.Time // zero before the subscription
	asked int
}

func (b *behind) Events(_ context.Context, after fairfactor.Position, _ int, _ func(caller, seq uint64) bool) (page fairfactor.EventPage, err error) {
	page.Head = b.at(9)
	if page.Next = b.at(9); after == b.at(1) {
		b.asked++
		if time.Now().Before(b.until) {
			page.Next = after
		}
	}
	return page, nil
}

// TestCatchUpWithWhatIsBehind: who has to wait for the source asks it now and then, not
// all the time.
func TestCatchUpWithWhatIsBehind(t *testing.T) {
	b := &behind{busy: busy{changed: make(chan struct{})}}
	h := feed.New(feed.Options{
		Source: b, Logger: slog.New(slog.DiscardHandler),
		Render:    func(feed.Kind, *fairfactor.Job, fairfactor.Position) []byte { return nil },
		Heartbeat: time.Hour, Look: time.Hour, Poll: time.Hour, Pace: time.Millisecond,
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { h.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	s, err := h.Subscribe(ctx, feed.Filter{Job: mine.ID}, b.at(1))
	if err != nil {
		t.Fatal(err)
	}
	b.until = time.Now().Add(500 * time.Millisecond)
	if err := s.CatchUp(ctx, b.at(1), func([]*feed.Message) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if b.asked > 20 {
		t.Errorf("asked %d times", b.asked)
	}
}

// story is a source whose events come one by one, some of them after a gap.
type story struct {
	mu      sync.Mutex
	events  []fairfactor.Event
	gap     bool // before the next ones
	changed chan struct{}
}

func (s *story) Events(_ context.Context, after fairfactor.Position, _ int, _ func(caller, seq uint64) bool) (page fairfactor.EventPage, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page.Next, page.Head = after, fairfactor.Position{Line: 1, Group: 100}
	if after == (fairfactor.Position{}) {
		page.Next = fairfactor.Position{Line: 1, Group: 5}
	}
	if s.gap {
		s.gap, page.Gap, page.Next = false, true, fairfactor.Position{Line: 1, Group: 2}
	}
	page.Events, s.events = s.events, nil
	if n := len(page.Events); n > 0 {
		page.Next = page.Events[n-1].After
	}
	return page, nil
}

func (s *story) Changed() <-chan struct{} { return s.changed }

func (s *story) Stored(context.Context, []fairfactor.ID) ([]fairfactor.Job, error) { return nil, nil }

func (s *story) Running(context.Context) []fairfactor.Job { return nil }

// happen has a job end at each of the positions.
func (s *story) happen(gap bool, groups ...uint64) {
	s.mu.Lock()
	s.gap = gap
	for _, g := range groups {
		s.events = append(s.events, fairfactor.Event{State: mine.State, Job: mine, After: fairfactor.Position{Line: 1, Group: g, Index: 1}})
	}
	s.mu.Unlock()
	s.changed <- struct{}{}
}

// TestSubscriberThatIsAhead: who has read further than the hub, here or on another node, is
// told nothing twice, nor that it is further back than it is; but it is after a gap, when
// another database has taken over.
func TestSubscriberThatIsAhead(t *testing.T) {
	source := &story{changed: make(chan struct{})}
	h := feed.New(feed.Options{
		Source: source, Logger: slog.New(slog.DiscardHandler),
		Render:    func(feed.Kind, *fairfactor.Job, fairfactor.Position) []byte { return nil },
		Heartbeat: 20 * time.Millisecond, Look: time.Hour, Poll: time.Hour, Pace: time.Microsecond,
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { h.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	s, err := h.Subscribe(ctx, feed.Filter{}, fairfactor.Position{Line: 1, Group: 8})
	if err != nil {
		t.Fatal(err)
	}
	if s.Start.Group != 5 {
		t.Fatalf("the hub begins at %v", s.Start)
	}
	var got []string
	read := func(last uint64) {
		t.Helper()
		got = nil
		for {
			select {
			case <-s.Ready():
			case <-time.After(time.Minute):
				t.Fatalf("%v, and no event at %d", got, last)
			}
			messages, _ := s.Take(nil)
			for _, m := range messages {
				switch {
				case m.Kind != feed.Heartbeat:
					got = append(got, fmt.Sprintf("%d %d-%d", m.Kind, m.At.Group, m.At.Index))
				case m.At.Group < 8:
					t.Errorf("a heartbeat at %d", m.At.Group)
				}
				if m.Kind == feed.Ended && m.At.Group == last {
					return
				}
			}
		}
	}
	select { // for a heartbeat, while the hub is behind
	case <-s.Ready():
	case <-time.After(time.Minute):
		t.Fatal("no heartbeat comes")
	}
	if messages, _ := s.Take(nil); len(messages) != 1 || messages[0].Kind != feed.Heartbeat || messages[0].At.Group != 8 {
		t.Errorf("%+v, want a heartbeat at 8", messages)
	}
	source.happen(false, 6, 7, 9)
	if read(9); !slices.Equal(got, []string{"4 9-1"}) {
		t.Errorf("%v after 8, want the end at 9", got)
	}
	ahead, err := h.Subscribe(ctx, feed.Filter{}, fairfactor.Position{Line: 1, Group: 50})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = ahead
	source.happen(true, 3)
	if read(3); !slices.Equal(got, []string{"6 3-0", "4 3-1"}) {
		t.Errorf("%v, want a gap before 3 and the end at 3", got)
	}
}
