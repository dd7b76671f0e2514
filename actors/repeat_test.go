package actors_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/actorspb"
)

// far is a submission from one node for a caller that lives on another.
type far struct {
	*site
	here, there *node
	limit       time.Duration
	done        chan fairfactor.Receipt
}

// begin submits a number while the disk of the caller's node is slow.
func begin(s *site, number string) *far { return beginWithin(s, number, longest) }

// beginWithin is begin with a limit for the submission.
func beginWithin(s *site, number string, limit time.Duration) *far {
	f := &far{site: s, here: s.nodes[0], there: s.nodes[1], limit: limit, done: make(chan fairfactor.Receipt, 1)}
	s.ex.pin("caller", "alice", f.there.member, false)
	f.submission(number)
	return f
}

func (f *far) submission(number string) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), f.limit)
		defer cancel()
		receipts, err := f.here.Submit(ctx, "alice", []fairfactor.Submission{{Number: number}}, nil)
		if err != nil {
			f.done <- fairfactor.Receipt{Err: err}
			return
		}
		f.done <- receipts[0]
	}()
}

// once checks that the job of the receipt is the only one of its caller.
func (f *far) once(jobs int) {
	f.Helper()
	r := <-f.done
	if r.Err != nil {
		f.Fatal(r.Err)
	}
	f.completed(f.here, r.Job)
	page, err := f.site.store.List(context.Background(), fairfactor.Query{Caller: "alice", Limit: 100})
	if err != nil || len(page.Jobs) != jobs {
		f.Errorf("%d jobs were accepted, want %d (%v)", len(page.Jobs), jobs, err)
	}
}

// The connection breaks while a submission is on its way to the disk: it is sent
// again, and is the same job.
func TestSubmittedAgainOnItsWay(t *testing.T) {
	s := newSite(t, 2, nil)
	release := s.nodes[1].store.hold()
	defer release()
	f := begin(s, "15")
	s.eventually("the job is on its way to the disk", func() bool { return s.nodes[1].store.held() == 1 })
	var again atomic.Bool
	s.ex.losing(func(_ string, m *actorspb.Envelope) bool {
		if m.GetSubmit().GetAgain() {
			again.Store(true)
		}
		return false
	})
	s.ex.breaks(f.there.member)
	s.eventually("it was sent again", again.Load)
	release()
	f.once(1)
}

// The answer is lost after the job was accepted, and it has even ended since.
func TestSubmittedAgainAfterItWasAccepted(t *testing.T) {
	for _, dead := range []bool{false, true} {
		s := newSite(t, 2, nil)
		s.ex.deafen(true)
		f := begin(s, "15")
		s.eventually("the job has ended", func() bool {
			page, _ := s.store.List(context.Background(), fairfactor.Query{Caller: "alice", States: fairfactor.In(fairfactor.Completed), Limit: 10})
			return len(page.Jobs) == 1
		})
		s.ex.deafen(false)
		if dead { // the next activation has to ask the store
			s.kill(f.there)
		} else {
			s.ex.breaks(f.there.member)
		}
		f.once(1)
	}
}

// What was not accepted is accepted when it is sent again, and so is the same
// number when it is another submission.
func TestSubmittedAgainWithoutTrace(t *testing.T) {
	s := newSite(t, 2, nil)
	release := s.nodes[1].store.hold()
	defer release()
	f := begin(s, "15")
	s.eventually("the job is on its way to the disk", func() bool { return s.nodes[1].store.held() == 1 })
	f.there.store.kill() // not all of site.kill, which waits for the disk
	s.ex.kill(f.there.member)
	s.changed()
	release()
	f.once(1)
	f.submission("15")
	f.once(2)
}

// The first copy of a submission comes after the one that was sent again.
func TestFirstCopyComesLast(t *testing.T) {
	s := newSite(t, 2, nil)
	var late *actorspb.Envelope
	s.ex.losing(func(_ string, m *actorspb.Envelope) bool {
		if sub := m.GetSubmit(); sub != nil && !sub.Again {
			late = proto.CloneOf(m)
			sub.Again = true
		}
		return false
	})
	f := begin(s, "15")
	f.once(1)
	s.ex.losing(nil)
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	answer, err := f.here.member.Ask(ctx, actors.CallerKind, "alice", late)
	if r := answer.(*actorspb.Envelope).GetReceipts().GetReceipts(); err != nil || len(r) != 1 || r[0].Job == nil {
		t.Fatalf("%v %v", answer, err)
	}
	f.submission("21")
	f.once(2)
}

// A submission whose first answer got lost is not called refused because there is no room for
// the one that was sent again: the first copy comes when there is, and is accepted.
func TestRefusedAgainIsUnsure(t *testing.T) {
	s := newSite(t, 2, func(c *actors.Config) { c.MaxQueue = 1 })
	here, there := s.nodes[0], s.nodes[1]
	full := s.submit(here, "alice", hard(seeded(t)))[0]
	late := make(chan *actorspb.Envelope, 1)
	s.ex.losing(func(_ string, m *actorspb.Envelope) bool {
		switch sub := m.GetSubmit(); {
		case sub == nil:
		case sub.Again:
			s.ex.deaf = false
		default:
			late <- proto.CloneOf(m)
		}
		return false
	})
	s.ex.deafen(true)
	f := begin(s, "15")
	first := <-late
	s.eventually("the caller has it", func() bool { return s.ex.seen() == 1 })
	s.ex.breaks(there.member)
	if r := <-f.done; !errors.Is(r.Err, fairfactor.ErrUnanswered) {
		t.Fatalf("got %v", r.Err)
	}
	s.ex.losing(nil)
	s.cancel(here, full)
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	answer, err := here.member.Ask(ctx, actors.CallerKind, "alice", first)
	if r := answer.(*actorspb.Envelope).GetReceipts().GetReceipts(); err != nil || len(r) != 1 || r[0].Job == nil {
		t.Fatalf("%v %v", answer, err)
	}
}

// A caller's actor that stops refuses what is not on its way to the disk yet. The
// next activation takes it, and no one hears of that. The caller moves whenever a submission is
// answered, with others on their way; faster than that, no one would get anything done.
func TestSubmissionsFollowTheirCaller(t *testing.T) {
	s := newSite(t, 2, nil)
	var moves atomic.Int64
	answered := make(chan struct{}, 1)
	var mover sync.WaitGroup
	mover.Go(func() {
		for range answered {
			s.ex.pin("caller", "alice", s.nodes[moves.Add(1)%2].member, false)
		}
	})
	defer mover.Wait()
	defer close(answered)
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	var submitters sync.WaitGroup
	const each = 100
	for w := range 4 {
		submitters.Go(func() {
			for i := range each {
				receipts, err := s.nodes[w%2].Submit(ctx, "alice", []fairfactor.Submission{{Number: "15"}, {Number: "21", Key: strconv.Itoa(w*each + i)}}, nil)
				if err != nil || receipts[0].Err != nil || receipts[1].Err != nil {
					t.Errorf("after %d moves: %v %v", moves.Load(), receipts, err)
					return
				}
				select {
				case answered <- struct{}{}:
				default:
				}
			}
		})
	}
	submitters.Wait()
	c, err := s.store.Caller(ctx, "alice")
	if jobs := c.Queued + c.Completed; err != nil || jobs != 4*each*2 {
		t.Errorf("%d jobs were accepted, want %d (%v)", jobs, 4*each*2, err)
	}
	t.Logf("%d moves", moves.Load())
}

// The next activation can't read what was accepted before: it accepts nothing
// again until it can, and if that takes too long no one says that the submission
// was not accepted.
func TestSubmittedAgainWhileTheStoreCanNotBeRead(t *testing.T) {
	for _, forever := range []bool{false, true} {
		s := newSite(t, 2, nil)
		s.ex.deafen(true)
		limit := longest
		if forever {
			limit = 2 * time.Second
		}
		f := beginWithin(s, "15", limit)
		s.eventually("the job has ended", func() bool {
			page, _ := s.store.List(context.Background(), fairfactor.Query{Caller: "alice", States: fairfactor.In(fairfactor.Completed), Limit: 10})
			return len(page.Jobs) == 1
		})
		s.ex.deafen(false)
		var failures atomic.Int64
		f.here.store.unreadable(func(what string) error {
			if what == "list" && (forever || failures.Load() < 3) {
				failures.Add(1)
				return down
			}
			return nil
		})
		s.kill(f.there)
		if !forever {
			f.once(1)
			continue
		}
		if r := <-f.done; !errors.Is(r.Err, fairfactor.ErrUnanswered) {
			t.Errorf("got %+v", r)
		}
		if failures.Load() > 200 {
			t.Errorf("the store was asked %d times", failures.Load())
		}
	}
}

// A cancellation whose answer got lost is not refused because it is under way, or
// done.
func TestCancelledAgain(t *testing.T) {
	s := newSite(t, 2, nil)
	here, there := s.nodes[0], s.nodes[1]
	s.ex.pin(actors.CallerKind, "alice", there.member, false)
	for _, answered := range []bool{false, true} {
		job := s.submit(here, "alice", strings.Repeat("1", 71))[0] // a prime factor of 30 digits: it takes a while
		release := there.store.hold()
		got := make(chan error, 1)
		go func() {
			cancelled, err := here.Cancel(context.Background(), job.ID)
			if err == nil && cancelled.State != fairfactor.Cancelled {
				err = errors.New(cancelled.State.String())
			}
			got <- err
		}()
		s.eventually("it is on its way to the disk", func() bool { return there.store.held() > 0 })
		if answered {
			s.ex.deafen(true)
			release()
			s.eventually("it is cancelled", func() bool {
				j, err := s.store.Job(context.Background(), job.ID)
				return err == nil && j.State == fairfactor.Cancelled
			})
			s.ex.deafen(false)
			s.ex.breaks(there.member)
		} else {
			s.ex.breaks(there.member)
			time.Sleep(50 * time.Millisecond) // the second one is refused meanwhile
			release()
		}
		if err := <-got; err != nil {
			t.Errorf("answered %v: %v", answered, err)
		}
	}
}

// A retry of a job that has not failed, and the cancellation of one that has ended,
// are refused also when the first answer got lost: nothing says that they were
// carried out.
func TestRefusedAlthoughTheAnswerGotLost(t *testing.T) {
	s := newSite(t, 2, nil)
	here, there := s.nodes[0], s.nodes[1]
	s.ex.pin(actors.CallerKind, "alice", there.member, false)
	jobs := s.submit(here, "alice", "15", strings.Repeat("1", 71))
	s.completed(here, jobs[0])
	if _, err := here.Cancel(t.Context(), jobs[1].ID); err != nil {
		t.Fatal(err)
	}
	s.ex.deafen(true)
	for what, ask := range map[string]func() (fairfactor.Job, error){
		"retry of a completed job":        func() (fairfactor.Job, error) { return here.Retry(t.Context(), jobs[0].ID) },
		"retry of a cancelled job":        func() (fairfactor.Job, error) { return here.Retry(t.Context(), jobs[1].ID) },
		"cancellation of a completed job": func() (fairfactor.Job, error) { return here.Cancel(t.Context(), jobs[0].ID) },
		"cancellation of a cancelled job": func() (fairfactor.Job, error) { return here.Cancel(t.Context(), jobs[1].ID) },
	} {
		got := make(chan error, 1)
		go func() { _, err := ask(); got <- err }()
		s.eventually(what, func() bool {
			s.ex.breaks(there.member) // so that an answer that was lost is missed
			select {
			case err := <-got:
				if fairfactor.CodeOf(err) != fairfactor.Conflict {
					t.Errorf("%s: %v", what, err)
				}
				return true
			default:
				return false
			}
		})
	}
}
