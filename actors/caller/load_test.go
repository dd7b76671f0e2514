package caller

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fairfactor"
)

// TestLoadIsWhatIsUnfinished lets jobs come, be read, end and be tried again in any
// order, and compares what is counted with a list of all of them.
func TestLoadIsWhatIsUnfinished(t *testing.T) {
	for range 200 {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 1))
		var l load
		var jobs []*fairfactor.Job
		last := uint64(0)
		made := func() *fairfactor.Job {
			last++
			return &fairfactor.Job{Number: strings.Repeat("7", 1+rng.IntN(150)), Order: last}
		}
		for range rng.IntN(50) {
			jobs = append(jobs, made())
		}
		l.begin(fairfactor.Claim{Last: last, Caller: fairfactor.Caller{Queued: uint64(len(jobs))}})
		read := 0 // of those, in order
		earlier := len(jobs)
		old := append([]*fairfactor.Job{}, jobs...)
		for range 300 {
			switch n := rng.IntN(10); {
			case n < 4:
				j := made()
				l.add(j)
				jobs = append(jobs, j)
			case n < 6 && read < earlier: // a page has those that are unfinished, perhaps some twice
				var page []fairfactor.Waiting
				from, to := read-rng.IntN(min(read, 3)+1), min(read+1+rng.IntN(5), earlier)
				for _, j := range old[from:to] {
					for _, k := range jobs {
						if k == j {
							page = append(page, fairfactor.Waiting{Job: *j})
						}
					}
				}
				l.page(page)
				read = to
			case len(jobs) > 0:
				i := rng.IntN(len(jobs))
				if j := jobs[i]; j.Order > l.before || j.Order <= l.read || rng.IntN(2) == 0 {
					l.remove(j)
					jobs = append(jobs[:i], jobs[i+1:]...)
				}
			}
		}
		var want [Classes]uint32
		unread := uint64(0)
		for _, j := range jobs {
			if j.Order <= l.before && j.Order > l.read {
				unread++
				continue
			}
			want[classOf(j.Number)]++
		}
		if l.jobs != want || l.unread != unread {
			t.Fatalf("seed %d: %v and %d unread, want %v and %d", seed, l.jobs, l.unread, want, unread)
		}
	}
}

// TestWorkFollowsWhatJobsTook: a hard number counts as hard, until jobs of its size
// have shown that they are not.
func TestWorkFollowsWhatJobsTook(t *testing.T) {
	var c costs
	var l load
	hard := fairfactor.Job{Number: strings.Repeat("7", 88), State: fairfactor.Completed, CPU: time.Second}
	l.add(&hard)
	l.unread = 3
	before := l.work(&c)
	if one := before / 4; one < 2*time.Minute || one > 15*time.Minute {
		t.Errorf("a number of 88 digits takes %v", one)
	}
	for range 3 {
		c.learn(&hard)
	}
	known := hard
	known.Known, known.CPU = true, time.Nanosecond
	c.learn(&known)
	if after := l.work(&c); after != 4*time.Second {
		t.Errorf("four that take a second each take %v", after)
	}
	for class := 1; class < Classes; class++ {
		if a, b := new(costs).of(class-1), new(costs).of(class); a <= 0 || b < a {
			t.Errorf("class %d takes %v, the one below it %v", class, b, a)
		}
	}
}

func TestTimesCountEachJobOnce(t *testing.T) {
	var times Times
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, j := range []fairfactor.Job{
		{Number: "77", State: fairfactor.Completed, Started: at.Add(time.Millisecond), Finished: at.Add(3 * time.Millisecond)},
		{Number: "77", State: fairfactor.Failed, Started: at, Finished: at.Add(1000 * time.Hour)},
		{Number: "77", State: fairfactor.Cancelled, Started: at, Finished: at},
		{Number: "77", State: fairfactor.Completed},
		{Number: strings.Repeat("7", 200), State: fairfactor.Completed, Started: at.Add(-time.Hour), Finished: at},
	} {
		j.Submitted = at
		times.observe(&j)
	}
	small, large := &times[0], &times[TimeClasses-1]
	for i, want := range map[int]uint64{0: 2} {
		if got := small.Wait.Buckets[i].Load(); got != want {
			t.Errorf("%d small jobs waited up to %v, want %d", got, time.Millisecond<<i, want)
		}
	}
	if small.Run.Buckets[1].Load() != 1 || small.Run.Buckets[TimeBuckets-1].Load() != 1 || small.Total.Buckets[2].Load() != 1 {
		t.Error("a small job is in the wrong bucket")
	}
	if sum := time.Duration(small.Wait.Sum.Load()); sum != time.Millisecond {
		t.Errorf("small jobs waited %v", sum)
	}
	if large.Wait.Buckets[0].Load() != 1 || large.Wait.Sum.Load() != 0 {
		t.Error("a large job that began before it was accepted, by another clock, waited")
	}
}

// BenchmarkObserve is what the counts cost a job.
func BenchmarkObserve(b *testing.B) {
	var c Counters
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	j := &fairfactor.Job{Number: "1000000016000000063", State: fairfactor.Completed, Submitted: at, Started: at.Add(3e6), Finished: at.Add(5e6), CPU: 10_000}
	var l load
	b.ReportAllocs()
	for b.Loop() {
		l.add(j)
		l.remove(j)
		c.Times.observe(j)
		c.costs.learn(j)
	}
}
