package feed_test

import (
	"context"
	"log/slog"
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
	s, err := h.Subscribe(ctx, feed.Filter{Job: mine.ID})
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
	s, err := h.Subscribe(ctx, feed.Filter{Job: mine.ID})
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
