package commit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"fairfactor"
	"fairfactor/actors/commit"
)

// gate is a store that writes down the groups it gets and holds each one until
// it is let through.
type gate struct {
	mu     sync.Mutex // guards groups
	groups [][]fairfactor.Change
	arrive chan int // changes in the group that waits now
	let    chan error
}

func newGate() *gate { return &gate{arrive: make(chan int), let: make(chan error)} }

// errOdd refuses changes with an odd number.
var errOdd = errors.New("odd")

func (g *gate) Apply(_ context.Context, changes []fairfactor.Change) ([]error, error) {
	g.mu.Lock()
	g.groups = append(g.groups, slices.Clone(changes))
	g.mu.Unlock()
	g.arrive <- len(changes)
	if err := <-g.let; err != nil {
		return nil, err
	}
	errs := make([]error, len(changes))
	for i := range changes {
		if changes[i].Number%2 == 1 {
			errs[i] = errOdd
		}
	}
	return errs, nil
}

// pass lets the group that waits through and returns its size.
func (g *gate) pass(err error) int {
	n := <-g.arrive
	g.let <- err
	return n
}

// source has numbers to be written, and writes down what became of them.
type source struct {
	c  *commit.Committer
	t  *testing.T
	mu sync.Mutex

	waiting, taken []uint64 // guarded by mu
	busy           bool     // guarded by mu
	results        []string // guarded by mu
	bulk           bool
}

func (s *source) Bulk() bool { return s.bulk }

// add is what an actor does: it says once that there is something to take.
func (s *source) add(numbers ...uint64) {
	s.mu.Lock()
	s.waiting = append(s.waiting, numbers...)
	call := !s.busy && len(s.waiting) > 0
	s.busy = s.busy || call
	s.mu.Unlock()
	if call {
		s.c.Ready(s)
	}
}

func (s *source) Take(group []fairfactor.Change, limit int) []fairfactor.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.taken) > 0 {
		s.t.Error("a source is in two groups")
	}
	n := min(limit, len(s.waiting))
	s.taken, s.waiting = slices.Clone(s.waiting[:n]), s.waiting[n:]
	for _, number := range s.taken {
		group = append(group, fairfactor.Change{Op: fairfactor.Weigh, Number: number})
	}
	return group
}

func (s *source) Written(errs []error, err error) (more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results = append(s.results, fmt.Sprint(s.taken, errs, err))
	s.taken = nil
	s.busy = len(s.waiting) > 0
	return s.busy
}

func (s *source) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.results)
}

func sources(t *testing.T, c *commit.Committer, n int) []*source {
	all := make([]*source, n)
	for i := range all {
		all[i] = &source{c: c, t: t}
	}
	return all
}

func TestWhatWaitsIsOneGroup(t *testing.T) {
	g := newGate()
	c := commit.New(g, commit.Options{})
	all := sources(t, c, 101)
	all[0].add(0)
	<-g.arrive
	for n, s := range all[1:] {
		s.add(uint64(n))
	}
	g.let <- nil
	if n := g.pass(nil); n != 100 {
		t.Errorf("the second group has %d changes, want all 100 that waited", n)
	}
	closeNow(t, c)
	for i, ch := range g.groups[1] {
		if ch.Number != uint64(i) {
			t.Fatalf("change %d of the group is number %d: those that waited longest come first", i, ch.Number)
		}
	}
}

// TestNoTimer: a change that is alone is written at once, in no time at all.
func TestNoTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		c := commit.New(g, commit.Options{})
		s := sources(t, c, 1)[0]
		s.add(2)
		synctest.Wait() // no clock moves here
		if n := g.pass(nil); n != 1 {
			t.Errorf("%d changes", n)
		}
		synctest.Wait()
		if len(s.got()) != 1 {
			t.Error("not answered after the write")
		}
		closeNow(t, c)
	})
}

// TestChangesStayAmendable: what waits is taken at the last moment, with what came
// to it meanwhile, in order, and a source is never in two groups.
func TestChangesStayAmendable(t *testing.T) {
	for _, groups := range []int{1, 2} {
		g := newGate()
		c := commit.New(g, commit.Options{Groups: groups})
		s := sources(t, c, 1)[0]
		s.add(0)
		<-g.arrive
		s.add(2)
		s.add(4, 6)
		s.mu.Lock()
		s.waiting[0] = 8 // no group has it yet
		s.mu.Unlock()
		g.let <- nil
		if n := g.pass(nil); n != 3 {
			t.Errorf("%d changes, want what waited, together", n)
		}
		closeNow(t, c)
		if want := []string{"[0] [] <nil>", "[8 4 6] [] <nil>"}; !slices.Equal(s.got(), want) {
			t.Errorf("got %q, want %q", s.got(), want)
		}
	}
}

func TestEachGetsItsOwnErrors(t *testing.T) {
	g := newGate()
	c := commit.New(g, commit.Options{})
	all := sources(t, c, 5)
	all[0].add(2)
	<-g.arrive
	all[1].add(4, 6)
	all[2].add(3)
	all[3].add(8, 5, 10)
	g.let <- nil
	g.pass(nil)
	all[4].add(7)
	g.pass(errors.New("the store is gone"))
	closeNow(t, c)
	want := []string{"[2] [] <nil>", "[4 6] [] <nil>", "[3] [odd] <nil>", "[8 5 10] [<nil> odd <nil>] <nil>", "[7] [] the store is gone"}
	for i, s := range all {
		if got := s.got(); !slices.Equal(got, want[i:i+1]) {
			t.Errorf("got  %q\nwant %q", got, want[i])
		}
	}
}

func TestGroupsAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		opts commit.Options
		want []int
	}{
		"changes":       {commit.Options{MaxChanges: 4}, []int{4, 4, 4, 4, 2}},
		"bytes":         {commit.Options{MaxBytes: 4 * 64}, []int{4, 9, 5}}, // the last source in a group may exceed them
		"of one source": {commit.Options{MaxOfOne: 2}, []int{7, 2, 2, 2, 1, 2, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate()
			committer := commit.New(g, c.opts)
			all := sources(t, committer, 5)
			all[0].add(0)
			<-g.arrive
			total := 0
			for i, size := range []int{2, 2, 9, 5} {
				all[i+1].add(make([]uint64, size)...)
				total += size
			}
			g.let <- nil
			var got []int
			for total > 0 {
				n := g.pass(nil)
				got, total = append(got, n), total-n
			}
			closeNow(t, committer)
			if name == "of one source" {
				if got[0] != 8 || slices.Max(got[1:]) > 4 {
					t.Errorf("groups of %v", got)
				}
			} else if !slices.Equal(got, c.want) {
				t.Errorf("groups of %v, want %v", got, c.want)
			}
		})
	}
}

// TestTwoGroupsAtOnce: with two, one that waits for the disk holds up those that come
// after it no more.
func TestTwoGroupsAtOnce(t *testing.T) {
	g := newGate()
	c := commit.New(g, commit.Options{Groups: 2})
	all := sources(t, c, 3)
	all[0].add(0)
	<-g.arrive
	all[1].add(2)
	<-g.arrive // both are in flight
	all[2].add(4)
	g.let <- nil
	g.let <- nil
	g.pass(nil)
	closeNow(t, c)
	for _, s := range all {
		if len(s.got()) != 1 {
			t.Errorf("results %q", s.got())
		}
	}
}

// TestBulkGivesWay: changes in bulk go in small portions, behind those of others, but not
// for ever.
func TestBulkGivesWay(t *testing.T) {
	g := newGate()
	c := commit.New(g, commit.Options{MaxBulk: 3, MaxOfOne: 2})
	all := sources(t, c, 4)
	bulk := all[0]
	bulk.bulk, all[3].bulk = true, true
	bulk.add(2, 4, 6, 8, 10)
	if n := g.pass(nil); n != 2 { // no one else has anything
		t.Fatalf("the first group has %d changes", n)
	}
	<-g.arrive // the next portion
	all[1].add(100, 102, 104, 106, 108, 110, 112, 114, 116, 118)
	all[2].add(200, 202, 204, 206, 208, 210, 212, 214, 216, 218)
	all[3].add(300, 302, 304, 306)
	g.let <- nil
	for i, want := range []int{4, 4, 4, 7, 4, 2} {
		if n := g.pass(nil); n != want {
			t.Fatalf("group %d has %d changes, want %d: %v", i, n, want, g.groups)
		}
	}
	closeNow(t, c)
	if len(bulk.got()) != 3 || len(all[3].got()) != 2 || len(all[1].got()) != 5 {
		t.Errorf("not all is written: %v", g.groups)
	}
}

func TestCloseWaits(t *testing.T) {
	g := newGate()
	c := commit.New(g, commit.Options{})
	all := sources(t, c, 4)
	all[0].add(0)
	<-g.arrive
	all[0].add(2) // comes back by itself
	all[1].add(2)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Close(ended); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("close that may not wait: %v", err)
	}
	all[2].add(2)
	if got := all[2].got(); len(got) != 1 || got[0] != "[2] [] this node is stopping: try again on another one" {
		t.Errorf("submitted after close: %q", got)
	}
	go func() {
		g.let <- nil
		for range g.arrive {
			g.let <- nil
		}
	}()
	closeNow(t, c)
	close(g.arrive)
	if len(all[0].got()) != 2 || len(all[1].got()) != 1 {
		t.Errorf("before close returned: %q, %q", all[0].got(), all[1].got())
	}
}

func closeNow(t *testing.T, c *commit.Committer) {
	t.Helper()
	if err := c.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
}
