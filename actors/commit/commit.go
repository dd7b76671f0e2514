// Package commit is the group commit of a node: whatever all actors have waiting
// at one moment becomes durable by one call of the store, one sync of the disk or
// one transaction. It uses no timer: a group is what gathered while the group
// before it was written.
//
// A [Committer] does not queue changes, it queues those who have some. A [Source]
// keeps its changes until a group takes them, and may still alter them until then:
// so a job that ends before its acceptance is written is written once.
//
// Start reading at [Committer.Ready].
package commit

import (
	"context"
	"slices"
	"sync"

	"fairfactor"
)

// Applier is the part of a store that is needed here.
type Applier interface {
	Apply(ctx context.Context, changes []fairfactor.Change) ([]error, error)
}

// Source has changes to be made durable. The committer calls its methods from its
// own goroutines, for one source never at once: Written follows each Take.
type Source interface {
	// Take appends at most limit changes to a group, in the order in which they are
	// to take effect. They must stay as they are until Written.
	Take(group []fairfactor.Change, limit int) []fairfactor.Change
	// Written says what became of the changes of the last Take, with the results of
	// [fairfactor.Store] Apply for these alone: errs is nil if none was refused. It
	// reports whether there are more to take. It must be quick.
	Written(errs []error, err error) (more bool)
	// Bulk reports whether what it has next is a part of very much that no one waits for
	// one by one: it gives way to the changes of others, and goes in small portions.
	Bulk() bool
}

// Options of a committer; zero values are the defaults.
type Options struct {
	MaxChanges int // changes in one group, default 4096
	MaxBytes   int // estimated bytes at which a group is full, default 4 MiB
	MaxOfOne   int // changes of one source in one group, default 1024
	// MaxBulk is how many changes of sources in bulk are in one group, default 256: a group
	// of others waits no longer for them than for a sync of the disk.
	MaxBulk int
	// Groups is how many groups may be on their way to the store at once, default 1.
	// A source is in one of them at most.
	Groups int
	// Go and Cond are what the goroutines of the committer run on, by default those of
	// the language.
	Go   func(func())
	Cond func(sync.Locker) Cond
}

// Cond is a [sync.Cond].
type Cond interface {
	Wait()
	Signal()
	Broadcast()
}

// Committer writes the changes of many sources, those first that have waited
// longest.
type Committer struct {
	store Applier
	opts  Options

	mu      sync.Mutex // guards the fields below
	some    Cond       // there are sources, or closed has changed
	sources []Source   // those with changes to take, longest waiting first
	ahead   int        // groups since the last one that had changes in bulk
	closed  bool
	writers sync.WaitGroup
}

// New returns a committer and starts its goroutines, which [Committer.Close] ends.
func New(store Applier, opts Options) *Committer {
	setDefault(&opts.MaxChanges, 4096)
	setDefault(&opts.MaxBytes, 4<<20)
	setDefault(&opts.MaxOfOne, 1024)
	setDefault(&opts.MaxBulk, 256)
	setDefault(&opts.Groups, 1)
	c := &Committer{store: store, opts: opts}
	if opts.Go == nil {
		opts.Go = func(f func()) { go f() }
		opts.Cond = func(l sync.Locker) Cond { return sync.NewCond(l) }
	}
	c.some = opts.Cond(&c.mu)
	for range opts.Groups {
		c.writers.Add(1)
		opts.Go(func() {
			defer c.writers.Done()
			c.write()
		})
	}
	return c
}

func setDefault(v *int, d int) {
	if *v <= 0 {
		*v = d
	}
}

// Ready says that s has changes to take. It is called once each time a source goes
// from having none to having some while none of them are being written; after
// Written has reported more the committer comes back by itself. After Close the
// changes are refused before Ready returns.
func (c *Committer) Ready(s Source) {
	c.mu.Lock()
	closed := c.closed
	if !closed {
		c.sources = append(c.sources, s)
	}
	c.mu.Unlock()
	if closed {
		refuse(s)
		return
	}
	c.some.Signal()
}

// errStopping refuses what comes after Close.
var errStopping = fairfactor.Errorf(fairfactor.Unavailable, "this node is stopping: try again on another one")

// refuse takes all that a source has and says that it was not written.
func refuse(s Source) {
	for more := true; more; {
		s.Take(nil, 1<<16)
		more = s.Written(nil, errStopping)
	}
}

// Close refuses what comes from now on, waits until everything that waits is
// written, or ctx ends, and leaves the store open.
func (c *Committer) Close(ctx context.Context) error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.some.Broadcast()
	written := make(chan struct{})
	go func() {
		c.writers.Wait()
		close(written)
	}()
	select {
	case <-written:
		return nil
	case <-ctx.Done():
		return fairfactor.Wrap(fairfactor.Unavailable, ctx.Err(), "changes are still waiting to be written")
	}
}

// share is what one source has in a group.
type share struct {
	source Source
	count  int
}

// write writes groups until the committer is closed and nothing waits.
func (c *Committer) write() {
	var group []fairfactor.Change
	var shares []share
	for {
		group, shares = c.gather(group[:0], shares[:0])
		if len(shares) == 0 {
			return
		}
		var errs []error
		var err error
		if len(group) > 0 {
			errs, err = c.store.Apply(context.Background(), group)
		}
		c.answer(shares, errs, err)
		clear(group)
		clear(shares)
	}
}

// gather waits for sources and takes the next group from them. It is empty when
// there will be none.
func (c *Committer) gather(group []fairfactor.Change, shares []share) ([]fairfactor.Change, []share) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.sources) == 0 && !c.closed {
		c.some.Wait()
	}
	bulk, bytes, next := c.bulk(), 0, 0
	left := c.sources[:0] // those that nothing is taken from
	for ; next < len(c.sources) && len(group) < c.opts.MaxChanges && bytes < c.opts.MaxBytes; next++ {
		s, room, before := c.sources[next], c.opts.MaxChanges-len(group), len(group)
		limit, many := min(room, c.opts.MaxOfOne), s.Bulk()
		if many && bulk == 0 {
			left = append(left, s)
			continue
		}
		if many {
			limit = min(limit, bulk)
		}
		group = s.Take(group, limit)
		count := len(group) - before
		if many {
			bulk -= min(count, bulk)
		}
		bytes += size(group[before:])
		shares = append(shares, share{s, count})
	}
	left = append(left, c.sources[next:]...)
	clear(c.sources[len(left):])
	c.sources = left
	return group, shares
}

// maxAhead is how many groups may go ahead of changes in bulk.
const maxAhead = 3

// bulk returns how many changes in bulk the next group takes: none if there are others,
// but for every fourth group.
func (c *Committer) bulk() int {
	if c.ahead < maxAhead && slices.ContainsFunc(c.sources, func(s Source) bool { return !s.Bulk() }) {
		if slices.ContainsFunc(c.sources, Source.Bulk) {
			c.ahead++
		}
		return 0
	}
	c.ahead = 0
	return c.opts.MaxBulk
}

// answer gives each source of a group its own part of the results.
func (c *Committer) answer(shares []share, errs []error, err error) {
	for i := range shares {
		s := &shares[i]
		var own []error
		if errs != nil {
			own, errs = errs[:s.count], errs[s.count:]
		}
		if !refused(own) {
			own = nil
		}
		if s.source.Written(own, err) {
			c.back(s.source)
		}
	}
}

// back puts a source that has more at the end of the line, also after Close: what
// waited then is written.
func (c *Committer) back(s Source) {
	c.mu.Lock()
	c.sources = append(c.sources, s)
	c.mu.Unlock()
	c.some.Signal()
}

func refused(errs []error) bool {
	for _, err := range errs {
		if err != nil {
			return true
		}
	}
	return false
}

// size estimates the bytes of changes in the store's log; 64 stands for keys,
// times and counters.
func size(changes []fairfactor.Change) int {
	n := 0
	for i := range changes {
		n += 64 + len(changes[i].Checkpoint)
		for _, p := range changes[i].Pieces {
			n += 64 + len(p.Data)
		}
		if j := changes[i].Job; j != nil {
			n += len(j.Number) + len(j.Key) + len(j.Reason)
			for _, f := range j.Factors {
				n += len(f.Prime)
			}
		}
	}
	return n
}
