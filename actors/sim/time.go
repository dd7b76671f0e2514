package sim

import (
	"context"
	"math"
	"time"
	"unsafe"
)

// epoch is when all runs begin.
var epoch = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)

// at is the time on a clock that runs for that long and shows that. As with
// [time.Now], differences follow the former and what is shown the latter: a clock that
// is set moves no deadline.
func at(runs, shows time.Duration) time.Time {
	const (
		monotonic  = 1 << 63
		nanosBits  = 30
		since1885  = 62135596800 - 59453308800 // seconds from 1885 to 1970
		nanosASecs = 1_000_000_000
	)
	wall := epoch.Add(shows)
	t := struct {
		wall uint64
		ext  int64
		loc  *time.Location
	}{
		wall: monotonic | uint64(wall.Unix()+since1885)<<nanosBits | uint64(wall.Nanosecond()%nanosASecs),
		ext:  int64(runs),
	}
	return *(*time.Time)(unsafe.Pointer(&t)) // the layout of time.Time, which TestTime looks at
}

// deadline is a context that ends at a time of the world.
type deadline struct {
	context.Context
	w     *world
	until time.Duration
	ended bool
}

// within returns a context that ends after a time.
func (w *world) within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	c := &deadline{Context: ctx, w: w, until: min(w.limit(ctx), w.now+d)}
	return c, func() { c.ended = true }
}

// forever is longer than any run.
const forever = time.Duration(math.MaxInt64 / 2)

// limit is when a context ends.
func (w *world) limit(ctx context.Context) time.Duration {
	if c, ok := ctx.(*deadline); ok {
		return c.until
	}
	return forever
}

// Deadline implements [context.Context].
func (c *deadline) Deadline() (time.Time, bool) { return at(c.until, c.until), true }

// Done implements [context.Context]. Nothing in a run waits for it.
func (c *deadline) Done() <-chan struct{} { return nil }

// Err implements [context.Context].
func (c *deadline) Err() error {
	switch {
	case c.w.now >= c.until:
		return context.DeadlineExceeded
	case c.ended:
		return context.Canceled
	}
	return c.Context.Err()
}

// AfterFunc is what [context.AfterFunc] calls: nothing ends before its time.
func (c *deadline) AfterFunc(func()) func() bool { return func() bool { return true } }
