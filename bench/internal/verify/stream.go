package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/handouts"
)

// Stream checks jobs while more of them are being accepted, so that little is left
// to do after the last one has ended. It keeps about 200 bytes of a job and may be
// used by many goroutines.
type Stream struct {
	client *client.Client
	lists  []string // callers whose lists are read; one empty name stands for all

	mu          sync.Mutex
	jobs        []streamed       // guarded by mu
	index       map[string]int32 // guarded by mu; of jobs, by id
	checked     int              // guarded by mu; jobs whose end was seen and checked
	tally       Tally            // guarded by mu
	singles     int              // guarded by mu; how many to ask for one by one next time
	first, last time.Time        // guarded by mu; the first submission and the last end, by the node's clock
}

// streamed is an accepted job and what is known of it.
type streamed struct {
	Accepted
	started time.Time
	turn    uint64
	checked bool
}

// Sizes of a [Stream].
const (
	maxLag       = 8_000                 // jobs that may be unchecked while others are accepted: a fraction of a second
	followEvery  = 20 * time.Millisecond // between two looks at how many there are
	fewCallers   = 32                    // whose lists are read one by one
	pageReaders  = 4                     // lists that are read at once
	fewSingles   = 16                    // jobs that are asked for one by one while that finds nothing
	mostSingles  = 1000                  // and while it does
	singleAskers = 8                     // of them at once
)

// NewStream returns a stream of jobs that these callers submit. It reads the list of
// each caller if they are few, else that of all callers.
func NewStream(c *client.Client, callers []string) *Stream {
	if len(callers) > fewCallers {
		callers = []string{""}
	}
	return &Stream{client: c, lists: callers, index: map[string]int32{}, singles: fewSingles}
}

// Add adds a job that was accepted just now.
func (s *Stream) Add(a Accepted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.index[a.ID]; twice {
		s.tally.Twice++
		s.tally.Fault("id %s was given to two jobs", a.ID)
		return
	}
	s.index[a.ID] = int32(len(s.jobs))
	s.jobs = append(s.jobs, streamed{Accepted: a})
}

// Left is how many jobs have not been checked.
func (s *Stream) Left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.jobs) - s.checked
}

// Tally is what is known so far.
func (s *Stream) Tally() Tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tally
	t.Examples = slices.Clone(t.Examples)
	return t
}

// Follow checks jobs as they end whenever more than a bounded number is left,
// until done is closed. Short runs are not disturbed by it.
func (s *Stream) Follow(ctx context.Context, done <-chan struct{}) error {
	for {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}
		if s.Left() <= maxLag {
			continue
		}
		// To its end, even if done is closed meanwhile: a catch-up that stops half
		// way leaves old jobs behind those that the next one knows.
		if err := s.CatchUp(ctx); err != nil {
			return err
		}
	}
}

// CatchUp checks the jobs that have ended since the last time. Completed ones come
// in pages, newest first, so it stops at a page without news; when there are none
// at all it asks for some of those that are left one by one, which finds what has
// failed or is lost.
func (s *Stream) CatchUp(ctx context.Context) error {
	left := s.Left()
	if err := s.readPages(ctx); err != nil || s.Left() < left {
		return err
	}
	asked, err := s.askSingly(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := left - (len(s.jobs) - s.checked); 2*found >= asked {
		s.singles = min(4*s.singles, mostSingles)
	} else {
		s.singles = fewSingles
	}
	return err
}

// readPages reads pages in some goroutines and checks them in others.
func (s *Stream) readPages(ctx context.Context) error {
	pages, lists := make(chan client.Page, runtime.NumCPU()), make(chan string)
	var readers, checkers sync.WaitGroup
	for range cap(pages) {
		checkers.Go(func() {
			for p := range pages {
				for _, j := range p.Jobs {
					s.check(j)
				}
			}
		})
	}
	errs := make([]error, min(pageReaders, len(s.lists)))
	for r := range errs {
		readers.Go(func() {
			for caller := range lists {
				if errs[r] == nil {
					errs[r] = s.readList(ctx, caller, pages)
				}
			}
		})
	}
	for _, caller := range s.lists {
		lists <- caller
	}
	close(lists)
	readers.Wait()
	close(pages)
	checkers.Wait()
	return errors.Join(errs...)
}

// readList reads the pages of one list until one has no news.
func (s *Stream) readList(ctx context.Context, caller string, pages chan<- client.Page) error {
	for cursor := ""; ctx.Err() == nil; {
		p, err := s.client.Completed(caller, cursor)
		if err != nil {
			return err
		}
		if s.news(p) == 0 {
			return nil
		}
		pages <- p
		if cursor = p.Next; cursor == "" {
			return nil
		}
	}
	return nil
}

// news is how many jobs of a page are ours and unchecked.
func (s *Stream) news(p client.Page) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range p.Jobs {
		if i, ours := s.index[j.ID]; ours && !s.jobs[i].checked {
			n++
		}
	}
	return n
}

// check checks a job that has ended; others are left for later.
func (s *Stream) check(j client.Job) {
	s.mu.Lock()
	i, ours := s.index[j.ID]
	if !ours || s.jobs[i].checked || !j.Ended() {
		s.mu.Unlock()
		return
	}
	a := s.jobs[i].Accepted
	s.mu.Unlock()
	var one Tally
	one.count(a, j, true)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.jobs[i].checked {
		return // by another goroutine meanwhile
	}
	s.jobs[i].checked, s.jobs[i].turn, s.jobs[i].started = true, j.Turn, j.Started
	s.checked++
	s.tally.Add(one)
	if s.first.IsZero() || j.Submitted.Before(s.first) {
		s.first = j.Submitted
	}
	if j.Finished.After(s.last) {
		s.last = j.Finished
	}
}

// askSingly asks for some of the jobs that are left, the oldest first, and returns
// how many.
func (s *Stream) askSingly(ctx context.Context) (int, error) {
	var ids []string
	s.mu.Lock()
	for i := range s.jobs {
		if !s.jobs[i].checked && len(ids) < s.singles {
			ids = append(ids, s.jobs[i].ID)
		}
	}
	s.mu.Unlock()
	var askers sync.WaitGroup
	errs := make([]error, singleAskers)
	for a := range singleAskers {
		askers.Go(func() {
			for i := a; i < len(ids) && ctx.Err() == nil && errs[a] == nil; i += singleAskers {
				j, err := s.client.Job(ids[i])
				switch {
				case client.IsNotFound(err):
					s.lost(ids[i])
				case err != nil:
					errs[a] = err
				default:
					s.check(j)
				}
			}
		})
	}
	askers.Wait()
	return len(ids), errors.Join(errs...)
}

// lost counts a job that the node does not know.
func (s *Stream) lost(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index[id]
	if s.jobs[i].checked {
		return
	}
	s.jobs[i].checked = true
	s.checked++
	s.tally.count(s.jobs[i].Accepted, client.Job{}, false)
}

// Close counts what is left as unfinished, looks for places in the dispatch order
// that were given twice, and returns the tally and the jobs that were handed out, in
// that order. Nothing may be added or checked afterwards.
func (s *Stream) Close() (Tally, []handouts.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	order := s.dispatched()
	for i := 1; i < len(order); i++ {
		if order[i].Place == order[i-1].Place {
			s.tally.Twice++
			s.tally.Fault("a job of %s and one of %s have the same place %d in the order", order[i-1].Caller, order[i].Caller, order[i].Place)
		}
	}
	for i := range s.jobs {
		if !s.jobs[i].checked {
			s.tally.Unfinished++
			s.tally.Fault("job %s of %s has not ended", s.jobs[i].ID, s.jobs[i].Caller)
		}
	}
	return s.tally, order
}

// dispatched returns the jobs that were handed out, in the order in which they
// were. s.mu is held.
func (s *Stream) dispatched() []handouts.Job {
	type place struct {
		turn uint64
		job  int32
	}
	places := make([]place, 0, len(s.jobs)) // short, to be sorted
	for i := range s.jobs {
		if turn := s.jobs[i].turn; turn != 0 {
			places = append(places, place{turn, int32(i)})
		}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.turn, b.turn) })
	order := make([]handouts.Job, len(places))
	for i, p := range places {
		j := &s.jobs[p.job]
		order[i] = handouts.Job{Caller: j.Caller, Place: j.turn, Started: j.started, Answered: j.At}
	}
	return order
}

// Span is from the first submission to the last end, by the node's clock; zero if
// nothing has ended.
func (s *Stream) Span() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.last.Sub(s.first), 0)
}

// SinceLastEnd is how long ago the last job ended, if both clocks agree.
func (s *Stream) SinceLastEnd() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.IsZero() {
		return 0
	}
	return time.Since(s.last)
}

// String says how far the stream is.
func (s *Stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("accepted %d, checked %d", len(s.jobs), s.checked)
}
