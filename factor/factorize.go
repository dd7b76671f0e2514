package factor

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Factorize factors n, in canonical decimal digits, with that many compute
// threads in this process, at least 1. When ctx ends it gives up within 100 ms
// and returns the primes found so far with the error of ctx.
func Factorize(ctx context.Context, n string, workers int) ([]Prime, error) {
	m, err := New(n)
	if err != nil {
		return nil, err
	}
	err = NewDriver(m).Run(ctx, workers)
	return m.Primes(), err
}

// Driver runs the turns of one machine on threads of this process, and can be
// watched meanwhile. Its methods may be called by several goroutines at once.
type Driver struct {
	mu   sync.Mutex // guards all below
	wake sync.Cond  // a result was applied, or err was set
	m    *Machine
	err  error
}

// NewDriver returns a driver of m, which may have taken results already and which
// belongs to the driver until [Driver.Run] has returned.
func NewDriver(m *Machine) *Driver {
	d := &Driver{m: m}
	d.wake.L = &d.mu
	return d
}

// Progress returns how far the machine has come.
func (d *Driver) Progress() Progress {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.m.Progress()
}

// Run runs turns on that many compute threads, at least 1, until the machine is
// done. When ctx ends it gives up within 100 ms and returns the cause; the machine
// knows what was found. It is to be called once.
func (d *Driver) Run(ctx context.Context, workers int) error {
	stop := context.AfterFunc(ctx, func() { d.fail(context.Cause(ctx)) })
	defer stop()
	if ctx.Err() != nil {
		d.fail(context.Cause(ctx))
	}
	var wg sync.WaitGroup
	for range max(workers, 1) {
		wg.Go(func() { d.work(ctx) })
	}
	wg.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil && !d.m.Done() {
		return fmt.Errorf("factor: drive: %w", d.err)
	}
	return nil
}

// fail ends the drive with the error that is given first.
func (d *Driver) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil {
		d.err = err
	}
	d.wake.Broadcast()
}

// work runs turns until the number is done or the drive has failed.
func (d *Driver) work(ctx context.Context) {
	r := NewRunner()
	stop := func() bool { return ctx.Err() != nil || d.over() }
	for {
		t, ok := d.take()
		if !ok {
			return
		}
		res, err := r.Run(t, stop)
		if err == nil {
			err = d.apply(res)
		} else if errors.Is(err, ErrStopped) {
			err = context.Cause(ctx) // nil when another thread ended the drive
		}
		if err != nil {
			d.fail(err)
			return
		}
	}
}

// take waits for a turn; ok is false when there is no more to do.
func (d *Driver) take() (t Turn, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.err == nil && !d.m.Done() {
		if turns := d.m.Next(1); len(turns) > 0 {
			return turns[0], true
		}
		d.wake.Wait()
	}
	return Turn{}, false
}

// apply gives a result to the machine.
func (d *Driver) apply(r Result) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.wake.Broadcast()
	return d.m.Apply(r)
}

// over reports whether the run has ended.
func (d *Driver) over() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err != nil || d.m.Done()
}
