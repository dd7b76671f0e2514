package fair_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fairfactor/actors/fair"
)

// TestAgainstSlowTwin compares the ring with one that looks at every caller,
// after each of many random operations.
func TestAgainstSlowTwin(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	r := fair.New(quantum, slack)
	twin := &slowRing{}
	for i := range 40 {
		twin.all = append(twin.all, &slowCaller{Caller: &fair.Caller{Name: fmt.Sprint(i), Weight: 1 + i%3}})
	}
	for step := range 100_000 {
		if step%256 == 0 {
			least, most := r.Spread()
			if l, m := twin.spread(); l <= m && (l != least || m != most) {
				t.Fatalf("step %d: virtual times from %v to %v, want %v to %v", step, least, most, l, m)
			}
			for _, c := range twin.all {
				if got, want := r.Idle(c.Caller), twin.idle(c); got != want {
					t.Fatalf("step %d: caller %s is idle: %v, want %v", step, c.Name, got, want)
				}
			}
		}
		c := twin.all[rng.IntN(len(twin.all))]
		kind := rng.IntN(9)
		if step/1000%10 == 9 { // now and then nearly all leave
			kind = max(1, kind%4)
		}
		switch kind {
		case 0:
			r.Join(c.Caller)
			twin.join(c)
		case 1:
			owed := rng.IntN(4) == 0
			r.Leave(c.Caller, owed)
			twin.leave(c, owed)
		case 2:
			if n := len(c.bills); n > 0 {
				b := c.bills[n-1]
				r.Refund(c.Caller, b.Bill)
				twin.move(c, -b.Cost, b.Weight)
				if b.place.before(c.place) {
					c.place = b.place
				}
				c.bills = c.bills[:n-1]
			}
		case 3:
			c.Weight = 1 + rng.IntN(7)
		case 4:
			if n := len(c.bills); n > 0 {
				b, used := c.bills[n-1], time.Duration(rng.IntN(20_000))*time.Microsecond
				r.Settle(c.Caller, b.Bill, used)
				twin.move(c, max(used, quantum)-b.Cost, b.Weight)
				c.bills = c.bills[:n-1]
			}
		case 5:
			cost := time.Duration(rng.IntN(30_000_000)) * time.Nanosecond
			c.bills = append(c.bills, slowBill{r.Book(c.Caller, cost), twin.book(c, cost)})
		default:
			want := twin.next()
			got := r.Next()
			if (got == nil) != (want == nil) || got != nil && got != want.Caller {
				t.Fatalf("step %d: next is %v, want %v", step, got, want)
			}
			if got == nil {
				continue
			}
			cost := time.Duration(rng.IntN(30_000_000)) * time.Nanosecond
			twin.start = max(twin.start, twin.least())
			twin.round = max(twin.round, want.place.round)
			want.bills = append(want.bills, slowBill{r.Charge(got, cost), twin.book(want, cost)})
		}
	}
}

// slowCaller and slowRing are the ring's rules in the plainest form: no tree,
// and fractions where the ring carries remainders.
type slowCaller struct {
	*fair.Caller
	bills    []slowBill
	vtime    int64
	part     big.Rat
	place    slowPlace
	in, owed bool
}

// slowBill is a bill, and the place in the round that the caller had before it.
type slowBill struct {
	fair.Bill
	place slowPlace
}

// slowPlace is a caller's turns by weight, then when it was served last.
type slowPlace struct{ round, order int64 }

func (p slowPlace) before(q slowPlace) bool {
	return p.round < q.round || p.round == q.round && p.order < q.order
}

type slowRing struct {
	all          []*slowCaller
	clock        int64
	start, most  int64
	round, ahead int64
}

const slowSlack = int64(slack)

func (s *slowRing) next() (best *slowCaller) {
	limit := s.least() + slowSlack
	for _, c := range s.all {
		if c.in && c.vtime <= limit && (best == nil || c.place.before(best.place)) {
			best = c
		}
	}
	return best
}

// least is the smallest virtual time of those waiting; with nobody waiting, the
// clock.
func (s *slowRing) least() int64 {
	least, most := s.spread()
	if least > most {
		return s.start
	}
	return int64(least)
}

// spread returns a least above most if nobody waits.
func (s *slowRing) spread() (least, most time.Duration) {
	least, most = math.MaxInt64, math.MinInt64
	for _, c := range s.all {
		if c.in {
			least, most = min(least, time.Duration(c.vtime)), max(most, time.Duration(c.vtime))
		}
	}
	return least, most
}

func (s *slowRing) join(c *slowCaller) {
	switch {
	case c.in:
		return
	case c.owed:
		s.start = max(s.start, s.least())
		c.vtime = max(c.vtime, min(s.start-2*slowSlack, s.least()))
	default:
		s.come(c)
	}
	c.in, c.owed = true, false
}

func (s *slowRing) come(c *slowCaller) {
	if s.rest() {
		s.start, s.round = s.most, s.ahead
	}
	s.start = max(s.start, s.least())
	c.vtime = max(c.vtime, s.least())
	s.clock++
	c.place = slowPlace{max(c.place.round, s.round), s.clock}
}

func (s *slowRing) leave(c *slowCaller, owed bool) {
	if !c.in && !c.owed && owed {
		s.come(c)
	}
	c.in, c.owed = false, owed
}

// rest reports whether nobody waits or is owed.
func (s *slowRing) rest() bool {
	return !slices.ContainsFunc(s.all, func(c *slowCaller) bool { return c.in || c.owed })
}

func (s *slowRing) idle(c *slowCaller) bool {
	return !c.in && !c.owed && (s.rest() || c.vtime <= s.least())
}

// book charges a turn and returns where a loss of it would bring its caller back
// to: an idle one stays at the end.
func (s *slowRing) book(c *slowCaller, cost time.Duration) slowPlace {
	s.clock++
	back, next := c.place, slowPlace{max(c.place.round, s.round) + (1<<20)/int64(c.Weight), s.clock}
	if !c.in && !c.owed {
		back = next
	}
	s.ahead = max(s.ahead, next.round)
	c.place = next
	s.move(c, max(cost, quantum), c.Weight)
	return back
}

// move changes what a caller was charged, divided by the weight; the part below
// one nanosecond is kept, in units of CPU, for the next time.
func (s *slowRing) move(c *slowCaller, by time.Duration, weight int) {
	x := new(big.Rat).Add(new(big.Rat).SetInt64(int64(by)), &c.part)
	x.Quo(x, new(big.Rat).SetInt64(int64(weight)))
	v := new(big.Int).Div(x.Num(), x.Denom()) // Euclidean: rounds down
	x.Sub(x, new(big.Rat).SetInt(v))
	c.part.Mul(x, new(big.Rat).SetInt64(int64(weight)))
	c.vtime += v.Int64()
	s.most = max(s.most, c.vtime)
}
