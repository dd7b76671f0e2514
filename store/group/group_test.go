package group_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"fairfactor"
	"fairfactor/store/group"
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

// changes returns changes that carry numbers.
func changes(numbers ...uint64) (list []fairfactor.Change) {
	for _, n := range numbers {
		list = append(list, fairfactor.Change{Op: fairfactor.Weigh, Number: n})
	}
	return list
}

// ignore is for submissions whose results do not matter.
func ignore([]error, error) {}

func TestWhatWaitsIsOneGroup(t *testing.T) {
	g := newGate()
	c := group.New(g, group.Options{})
	var order []uint64
	submit := func(n uint64) {
		c.Submit(changes(n), func([]error, error) { order = append(order, n) })
	}
	submit(0)
	<-g.arrive
	for n := uint64(1); n <= 100; n++ {
		submit(n)
	}
	g.let <- nil
	if n := g.pass(nil); n != 100 {
		t.Errorf("the second group has %d changes, want all 100 that waited", n)
	}
	closeNow(t, c)
	for i, n := range order {
		if uint64(i) != n {
			t.Fatalf("answered in the order %v", order)
		}
	}
	for i, ch := range g.groups[1] {
		if ch.Number != uint64(i)+1 {
			t.Fatalf("change %d of the group is number %d", i, ch.Number)
		}
	}
}

// TestNoTimer: a change that is alone is written at once, in no time at all.
func TestNoTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		c := group.New(g, group.Options{})
		done := false
		c.Submit(changes(2), func([]error, error) { done = true })
		synctest.Wait() // no clock moves here
		if n := g.pass(nil); n != 1 {
			t.Errorf("%d changes", n)
		}
		synctest.Wait()
		if !done {
			t.Error("not answered after the write")
		}
		closeNow(t, c)
	})
}

func TestEachGetsItsOwnErrors(t *testing.T) {
	g := newGate()
	c := group.New(g, group.Options{})
	var got []string
	submit := func(numbers ...uint64) {
		c.Submit(changes(numbers...), func(errs []error, err error) { got = append(got, fmt.Sprint(numbers, errs, err)) })
	}
	submit(2)
	<-g.arrive
	submit(4, 6)
	submit(3)
	submit(8, 5, 10)
	submit()
	submit(12)
	g.let <- nil
	g.pass(nil)
	submit(7)
	submit(14)
	whole := errors.New("the store is gone")
	for left := 2; left > 0; {
		left -= g.pass(whole)
	}
	closeNow(t, c)
	want := []string{
		"[2] [] <nil>", "[4 6] [] <nil>", "[3] [odd] <nil>", "[8 5 10] [<nil> odd <nil>] <nil>", "[] [] <nil>", "[12] [] <nil>",
		"[7] [] the store is gone", "[14] [] the store is gone",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestGroupsAreBounded(t *testing.T) {
	for name, opts := range map[string]group.Options{
		"changes": {MaxChanges: 4},
		"bytes":   {MaxBytes: 4 * 64},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate()
			c := group.New(g, opts)
			c.Submit(changes(0), ignore)
			<-g.arrive
			for _, size := range []int{2, 2, 1, 9, 3, 1, 1} {
				c.Submit(changes(make([]uint64, size)...), ignore)
			}
			g.let <- nil
			// A submission stays whole, even one that is larger than a group.
			for _, want := range []int{4, 1, 9, 4, 1} {
				if n := g.pass(nil); n != want {
					t.Errorf("a group of %d changes, want %d", n, want)
				}
			}
			closeNow(t, c)
		})
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	g := newGate()
	c := group.New(g, group.Options{MaxWaiting: 10})
	c.Submit(changes(0), ignore)
	<-g.arrive
	refused := func(n int) (err error) {
		c.Submit(changes(make([]uint64, n)...), func(_ []error, e error) { err = e })
		return err // a refusal comes before Submit returns
	}
	if err := refused(10); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	err := refused(1)
	var e *fairfactor.Error
	if !errors.As(err, &e) || e.Code != fairfactor.Unavailable || e.Retry <= 0 {
		t.Errorf("above the limit: %v", err)
	}
	g.let <- nil
	<-g.arrive
	if err := refused(20); err != nil {
		t.Errorf("one that is larger than the limit, alone: %v", err)
	}
	g.let <- nil
	g.pass(nil)
	closeNow(t, c)
}

func TestCloseWaits(t *testing.T) {
	g := newGate()
	c := group.New(g, group.Options{})
	answered := 0
	for range 3 {
		c.Submit(changes(0), func([]error, error) { answered++ })
	}
	<-g.arrive
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Close(ended); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("close that may not wait: %v", err)
	}
	var late error
	c.Submit(changes(0), func(_ []error, err error) { late = err })
	if fairfactor.CodeOf(late) != fairfactor.Unavailable {
		t.Errorf("submitted after close: %v", late)
	}
	go func() {
		g.let <- nil
		for range g.arrive {
			g.let <- nil
		}
	}()
	closeNow(t, c)
	close(g.arrive)
	if answered != 3 {
		t.Errorf("%d answered before close returned, want 3", answered)
	}
}

func closeNow(t *testing.T, c *group.Committer) {
	t.Helper()
	if err := c.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
}
