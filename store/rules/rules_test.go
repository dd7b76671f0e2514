package rules_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/rules"
)

// stored is the only stored job there is.
type stored struct {
	job rules.Job
	err error
}

func (s *stored) Stored(*fairfactor.Change) (rules.Job, error) { return s.job, s.err }

// account is a caller with some history.
func account() rules.Account {
	return rules.Account{
		Name: "a", Group: "team", Number: 7, Epoch: 3, Last: 9, Weight: 2, Known: true,
		Queued: 4, Completed: 5, Failed: 2, Cancelled: 1, CPU: time.Minute, Turns: 30,
	}
}

// job is job 5 of the caller, or a new one with number 10, in a state.
func job(seq uint64, state fairfactor.State) *fairfactor.Job {
	return &fairfactor.Job{
		ID: fairfactor.ID{Nonce: 0xabc, Caller: 7, Seq: seq}, Caller: "a", Number: "91", Order: seq, State: state,
		Factors: []fairfactor.Factor{{Prime: "7", Exponent: 1}, {Prime: "13", Exponent: 1}},
		Turn:    77, CPU: 40 * time.Millisecond, Turns: 6,
	}
}

// waiting is job 5 as it is stored, in a state.
func waiting(state fairfactor.State) rules.Job {
	return rules.Job{State: state, Saved: true, Nonce: 0xabc, Seq: 5, Order: 5, CPU: 30 * time.Millisecond, Turns: 4}
}

// change is a change of the caller's current activation.
func change(op fairfactor.Op, j *fairfactor.Job) fairfactor.Change {
	return fairfactor.Change{Op: op, Caller: "a", Number: 7, Epoch: 3, Job: j}
}

// with returns the job after an edit.
func with(j *fairfactor.Job, edit func(*fairfactor.Job)) *fairfactor.Job {
	edit(j)
	return j
}

func TestEffects(t *testing.T) {
	reordered := func(j *fairfactor.Job) { j.Order = 12 }
	now := func(state fairfactor.State, seq, order uint64, saved bool) rules.Job {
		return rules.Job{State: state, Saved: saved, Nonce: 0xabc, Seq: seq, Order: order, CPU: 40 * time.Millisecond, Turns: 6}
	}
	for _, c := range []struct {
		name   string
		change fairfactor.Change
		stored rules.Job
		want   rules.Effect
		take   func(*rules.Account)
	}{
		{
			"accept", change(fairfactor.Accept, job(10, fairfactor.Running)),
			rules.Job{},
			rules.Effect{Last: 10, Now: now(fairfactor.Pending, 10, 10, false), Queued: 1, CPU: 40 * time.Millisecond, Turns: 6, Dispatched: 77},
			func(a *rules.Account) { a.Last, a.Queued, a.CPU, a.Turns = 10, 5, a.CPU+40*time.Millisecond, 36 },
		},
		{
			"accept ended", change(fairfactor.AcceptEnded, job(11, fairfactor.Failed)),
			rules.Job{},
			rules.Effect{Last: 11, Now: now(fairfactor.Failed, 11, 11, false), Failed: 1, CPU: 40 * time.Millisecond, Turns: 6, Dispatched: 77},
			func(a *rules.Account) { a.Last, a.Failed, a.CPU, a.Turns = 11, 3, a.CPU+40*time.Millisecond, 36 },
		},
		{
			"finish", change(fairfactor.Finish, job(5, fairfactor.Cancelled)), waiting(fairfactor.Pending),
			rules.Effect{
				Last: 9, Was: waiting(fairfactor.Pending), Now: now(fairfactor.Cancelled, 5, 5, false), Queued: -1, Cancelled: 1,
				CPU: 10 * time.Millisecond, Turns: 2, Dispatched: 77,
			},
			func(a *rules.Account) {
				a.Queued, a.Cancelled, a.CPU, a.Turns = 3, 2, a.CPU+10*time.Millisecond, 32
			},
		},
		{
			"checkpoint", change(fairfactor.Checkpoint, job(5, fairfactor.Running)), waiting(fairfactor.Pending),
			rules.Effect{
				Last: 9, Was: waiting(fairfactor.Pending), Now: now(fairfactor.Pending, 5, 5, true),
				CPU: 10 * time.Millisecond, Turns: 2, Dispatched: 77,
			},
			func(a *rules.Account) { a.CPU, a.Turns = a.CPU+10*time.Millisecond, 32 },
		},
		{
			"requeue", change(fairfactor.Requeue, with(job(5, fairfactor.Pending), reordered)), waiting(fairfactor.Failed),
			rules.Effect{
				Last: 12, Was: waiting(fairfactor.Failed), Now: now(fairfactor.Pending, 5, 12, false), Queued: 1, Failed: -1, Dispatched: 77,
			},
			func(a *rules.Account) { a.Last, a.Queued, a.Failed = 12, 5, 1 },
		},
		{
			"weigh",
			fairfactor.Change{Op: fairfactor.Weigh, Caller: "a", Number: 7, Epoch: 3, Weight: fairfactor.MaxWeight},
			rules.Job{},
			rules.Effect{Last: 9, Weight: fairfactor.MaxWeight},
			func(a *rules.Account) { a.Weight = fairfactor.MaxWeight },
		},
		{
			"regroup",
			fairfactor.Change{Op: fairfactor.Regroup, Caller: "a", Number: 7, Epoch: 3, Group: "others"},
			rules.Job{},
			rules.Effect{Last: 9, Group: "others", Placed: true},
			func(a *rules.Account) { a.Group, a.Placed = "others", true },
		},
		{
			"enrol",
			fairfactor.Change{Op: fairfactor.Regroup, Caller: "a", Number: 7, Epoch: 3, Group: "others", Enrol: true},
			rules.Job{},
			rules.Effect{Last: 9, Group: "others"},
			func(a *rules.Account) { a.Group = "others" },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := account()
			got, err := rules.Decide(&c.change, &a, &stored{job: c.stored})
			c.want.Op = c.change.Op
			if err != nil || got != c.want {
				t.Fatalf("effect:\n got %+v, %v\nwant %+v", got, err, c.want)
			}
			if a != account() {
				t.Errorf("deciding changed the account: %+v", a)
			}
			want := account()
			c.take(&want)
			a.Known = false
			if a.Take(&got); a != want {
				t.Errorf("account:\n got %+v\nwant %+v", a, want)
			}
		})
	}
}

// TestPlain: an account that has anything an operator set is kept.
func TestPlain(t *testing.T) {
	plain := rules.Account{Name: "a", Group: "g", Number: 7, Epoch: 3, Last: 9, Weight: 1, Known: true, Completed: 5}
	if !plain.Plain() {
		t.Error("an account with nothing but a history is not plain")
	}
	for name, set := range map[string]func(*rules.Account){
		"weight": func(a *rules.Account) { a.Weight = 2 }, "pause": func(a *rules.Account) { a.Paused = true },
		"group": func(a *rules.Account) { a.Placed = true }, "bound": func(a *rules.Account) { a.Bounds = &fairfactor.Bounds{MaxRate: 1} },
	} {
		a := plain
		if set(&a); a.Plain() {
			t.Errorf("an account with a %s is plain", name)
		}
	}
}

// TestLessThanBefore: what a job says it used is never taken back from an account.
func TestLessThanBefore(t *testing.T) {
	a, ch := account(), change(fairfactor.Finish, with(job(5, fairfactor.Failed), func(j *fairfactor.Job) { j.CPU, j.Turns = 1, 1 }))
	e, err := rules.Decide(&ch, &a, &stored{job: waiting(fairfactor.Pending)})
	if err != nil || e.CPU != 0 || e.Turns != 0 {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestRefusals has every reason to refuse a change.
func TestRefusals(t *testing.T) {
	broken := fairfactor.Errorf(fairfactor.Internal, "the row can't be read")
	word := func(j *fairfactor.Job) { j.Number = "9l" }
	wordPrime := func(j *fairfactor.Job) { j.Factors[1].Prime = "+13" }
	pending, failed := &stored{job: waiting(fairfactor.Pending)}, &stored{job: waiting(fairfactor.Failed)}
	other := &stored{job: rules.Job{State: fairfactor.Pending, Nonce: 1, Seq: 5, Order: 5}}
	for _, c := range []struct {
		op     fairfactor.Op
		job    *fairfactor.Job
		stored *stored
		code   fairfactor.Code
		says   string
	}{
		{99, job(10, 1), nil, fairfactor.Invalid, "there is no operation 99"},
		{0, job(10, 1), nil, fairfactor.Invalid, "there is no operation 0"},
		{fairfactor.Accept, nil, nil, fairfactor.Invalid, `the change has no job of caller "a"`},
		{fairfactor.Accept, job(0, 1), nil, fairfactor.Invalid, "no job of caller"},
		{fairfactor.Accept, job(rules.MaxNumber+1, 1), nil, fairfactor.Invalid, "no job of caller"},
		{fairfactor.Finish, with(job(5, 3), func(j *fairfactor.Job) { j.Order = rules.MaxNumber + 1 }), nil, fairfactor.Invalid, "no job of caller"},
		{fairfactor.Accept, with(job(10, 1), func(j *fairfactor.Job) { j.ID.Nonce = rules.MaxNonce + 1 }), nil, fairfactor.Invalid, "no job of caller"},
		{fairfactor.Accept, with(job(10, 1), func(j *fairfactor.Job) { j.ID.Caller = 8 }), nil, fairfactor.Invalid, "no job of caller"},

		{fairfactor.Accept, job(10, fairfactor.Completed), nil, fairfactor.Invalid, "a job can't be accepted as completed"},
		{fairfactor.Accept, job(9, fairfactor.Pending), nil, fairfactor.Conflict, "sequence number 9 of job "},
		{fairfactor.Accept, with(job(10, 1), func(j *fairfactor.Job) { j.Order = 11 }), nil, fairfactor.Conflict, "is in use"},
		{fairfactor.Accept, with(job(10, 1), word), nil, fairfactor.Invalid, `number "9l" of job `},
		{fairfactor.Accept, with(job(10, 1), wordPrime), nil, fairfactor.Invalid, `prime "+13" of job `},

		{fairfactor.AcceptEnded, job(10, fairfactor.Running), nil, fairfactor.Invalid, "a job can't end as running"},
		{fairfactor.AcceptEnded, job(3, fairfactor.Failed), nil, fairfactor.Conflict, "is in use"},
		{fairfactor.AcceptEnded, with(job(10, 3), wordPrime), nil, fairfactor.Invalid, "decimal digits"},

		{fairfactor.Finish, job(5, fairfactor.Pending), pending, fairfactor.Invalid, "a job can't end as pending"},
		{fairfactor.Finish, job(5, 3), &stored{}, fairfactor.NotFound, "there is no job "},
		{fairfactor.Finish, job(5, 3), other, fairfactor.NotFound, "there is no job "},
		{fairfactor.Finish, job(5, 3), failed, fairfactor.Conflict, "has ended already"},
		{fairfactor.Finish, with(job(5, 3), func(j *fairfactor.Job) { j.Order = 6 }), pending, fairfactor.Conflict, "has ended already"},
		{fairfactor.Finish, with(job(5, 3), word), pending, fairfactor.Invalid, "decimal digits"},
		{fairfactor.Finish, job(5, 3), &stored{err: broken}, fairfactor.Internal, "can't be read"},
		{fairfactor.Checkpoint, job(5, 1), &stored{}, fairfactor.NotFound, "there is no job "},
		{fairfactor.Checkpoint, job(5, 1), failed, fairfactor.Conflict, "has ended already"},
		{fairfactor.Checkpoint, with(job(5, 1), wordPrime), pending, fairfactor.Invalid, "decimal digits"},

		{fairfactor.Requeue, job(10, 1), &stored{}, fairfactor.NotFound, "there is no job "},
		{fairfactor.Requeue, job(10, 1), pending, fairfactor.Conflict, "has not failed"},
		{fairfactor.Requeue, job(5, 1), failed, fairfactor.Conflict, "order 5 of job "},
		{fairfactor.Requeue, with(job(5, 1), func(j *fairfactor.Job) { j.Order, j.Number = 10, "1e3" }), failed, fairfactor.Invalid, "decimal digits"},

		{fairfactor.Weigh, nil, nil, fairfactor.Invalid, "weight is 0"},
	} {
		a, ch := account(), change(c.op, c.job)
		got, err := rules.Decide(&ch, &a, c.stored)
		if fairfactor.CodeOf(err) != c.code || !strings.Contains(fairfactor.MessageOf(err), c.says) {
			t.Errorf("operation %d: got %+v, %v, want %s: %s", c.op, got, err, c.code, c.says)
		}
	}
	a, ch := account(), change(fairfactor.Regroup, nil)
	ch.Group = "no group"
	if _, err := rules.Decide(&ch, &a, nil); fairfactor.CodeOf(err) != fairfactor.Invalid {
		t.Errorf("regroup: %v", err)
	}
}

// TestFence: a change needs its caller's row with its number and epoch, before
// anything else is looked at.
func TestFence(t *testing.T) {
	ch := change(99, nil)
	for name, edit := range map[string]func(*rules.Account){
		"older epoch": func(a *rules.Account) { a.Epoch++ }, "later epoch": func(a *rules.Account) { a.Epoch-- },
		"other number": func(a *rules.Account) { a.Number++ }, "other name": func(a *rules.Account) { a.Name = "b" },
	} {
		a := account()
		edit(&a)
		if _, err := rules.Decide(&ch, &a, nil); !errors.Is(err, fairfactor.ErrFenced) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := rules.Decide(&ch, nil, nil); !errors.Is(err, fairfactor.ErrFenced) {
		t.Errorf("no account: %v", err)
	}
}

// TestDecideAllocatesNothing: deciding is on the path of every job.
func TestDecideAllocatesNothing(t *testing.T) {
	a, s := account(), &stored{job: waiting(fairfactor.Pending)}
	for _, ch := range []fairfactor.Change{
		change(fairfactor.Accept, job(10, fairfactor.Pending)),
		change(fairfactor.AcceptEnded, job(10, fairfactor.Completed)),
		change(fairfactor.Finish, job(5, fairfactor.Completed)),
		change(fairfactor.Checkpoint, job(5, fairfactor.Pending)),
	} {
		var failed error
		n := testing.AllocsPerRun(100, func() {
			copied := a
			e, err := rules.Decide(&ch, &copied, s)
			if failed = err; err == nil {
				copied.Take(&e)
			}
		})
		if n != 0 || failed != nil {
			t.Errorf("operation %d: %v objects, %v", ch.Op, n, failed)
		}
	}
}

func TestRow(t *testing.T) {
	at := time.Date(2031, 5, 6, 7, 8, 9, 123456789, time.FixedZone("elsewhere", 3600))
	j := job(5, fairfactor.Running)
	j.Submitted, j.Finished, j.Progress = at, at, &fairfactor.Progress{Phase: "curves"}
	want := *j
	want.State, want.Progress, want.Finished = fairfactor.Pending, nil, time.Time{}
	want.Submitted = time.Date(2031, 5, 6, 6, 8, 9, 123456000, time.UTC)
	row := rules.Row(j, fairfactor.Pending)
	if !reflect.DeepEqual(row, want) {
		t.Errorf("row:\n got %+v\nwant %+v", row, want)
	}
	j.Factors[0].Prime = "changed"
	if row.Factors[0].Prime != "7" {
		t.Error("the row shares its factors with the job")
	}
	if row := rules.Row(j, fairfactor.Failed); !row.Finished.Equal(want.Submitted) {
		t.Errorf("finished %v", row.Finished)
	}
	if none := rules.Row(job(5, 1), fairfactor.Pending); none.Submitted != (time.Time{}) {
		t.Errorf("submitted %v", none.Submitted)
	}
}

func BenchmarkDecide(b *testing.B) {
	a, s := account(), &stored{job: waiting(fairfactor.Pending)}
	for name, ch := range map[string]fairfactor.Change{
		"accept": change(fairfactor.Accept, job(10, fairfactor.Pending)), "finish": change(fairfactor.Finish, job(5, fairfactor.Completed)),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				copied := a
				e, err := rules.Decide(&ch, &copied, s)
				if err != nil {
					b.Fatal(err)
				}
				copied.Take(&e)
			}
		})
	}
}
