package factor

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/siqs"
	"fairfactor/factor/internal/wire"
)

// cofactor is a composite that is left, with the state of the search for its
// factors.
type cofactor struct {
	n         *big.Int
	bytes     []byte // of n, most significant first
	words     int    // size of n in words of 64 bits
	exp       int    // how often it divides the number
	fresh     bool   // the quick methods have not seen it
	splitting bool   // their turn is open
	gone      bool   // split since
	turns     uint64 // handed out

	level  int      // index of levels
	record record   // the curves that were run
	number uint64   // number of the next curve
	done   float64  // CPU spent on curves by prediction, nanoseconds
	handed float64  // the same with turns that are open
	under  []*curve // curves cut up, whose next piece may be handed out

	smooth   *smoothSearch // p-1 or p+1 under way, nil if neither is
	searches int           // of them that have ended or were left out, see smoothBounds

	collection     *siqs.Collection     // of the sieve, nil before it
	ahead          *siqs.BaseBuilder    // of the sieve, while curves run
	postprocessing *siqs.Postprocessing // what follows the sieve, once it has relations enough
	sieveless      bool                 // the sieve has failed: curves only
	shown          float64              // largest share of the way that was seen, see left
}

// curve is a curve that is cut up.
type curve struct {
	number uint64
	level  int
	at     uint64   // stage 1 is done below it; b1+1: all
	from   uint64   // stage 2 is done below it
	x      []byte   // coordinate reached; nil at the start
	work   ecm.Work // the piece handed out last
}

func newCofactor(n *big.Int, exp int, fresh bool) *cofactor {
	words := (n.BitLen() + 63) / 64
	return &cofactor{n: n, bytes: n.Bytes(), words: words, exp: exp, fresh: fresh, record: record{words: words}}
}

// seed is the family of curves of the cofactor (FNV-1a of its bytes).
func (c *cofactor) seed() uint64 {
	h := uint64(14695981039346656037)
	for _, b := range c.bytes {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// curves reports whether o runs curves or a piece of one, or p-1 or p+1.
func (o *openTurn) curves() bool { return o.curve != nil || o.count > 0 || o.smooth != nil }

// splitTurn reports whether o runs the quick methods.
func (c *cofactor) splitTurn(o *openTurn) bool { return !o.curves() && o.collection == nil }

// nextTurn returns the next turn of the cofactor: the quick methods if they
// have not seen it, then p-1 and p+1, a piece of a curve that is under way, new curves,
// or the sieve if there is one.
func (c *cofactor) nextTurn() *openTurn {
	c.turns++
	if c.fresh && !c.splitting {
		c.splitting = true
		digits := len(c.bytes) * 5 / 2
		return &openTurn{turn: Turn{Payload: splitPayload(c.n), Predict: Predict(digits)}, of: c}
	}
	if c.collection != nil {
		if o := c.nextSieve(); o != nil {
			return o
		}
		c.collection, c.sieveless = nil, true
	}
	if o := c.nextSmooth(); o != nil {
		return o
	}
	if len(c.under) > 0 {
		v := c.under[0]
		c.under = c.under[1:]
		return c.piece(v)
	}
	c.level = c.record.level(c.level)
	l := &ecm.Levels[c.level]
	c.prepare()
	k := l.Batch(c.words)
	if k == 0 {
		v := &curve{number: c.number, level: c.level, from: l.B1 + 1}
		c.number++
		c.record.out[c.level]++
		return c.piece(v)
	}
	k = min(k, max(1, c.record.missing(c.level)))
	if c.sieves() {
		k = min(k, uint64(max(1, c.curveBudget()/l.WholeNanos(c.words))))
	}
	work := c.work(c.number, l)
	work.Count = k
	l.Whole(&work, c.words)
	c.number += k
	c.record.out[c.level] += k
	return c.turn(work, nil)
}

// work returns the common part of a turn of curves.
func (c *cofactor) work(number uint64, l *ecm.Level) ecm.Work {
	return ecm.Work{N: c.bytes, Seed: c.seed(), First: number, Count: 1, B1: l.B1}
}

// piece returns the next piece of the curve v.
func (c *cofactor) piece(v *curve) *openTurn {
	l := &ecm.Levels[v.level]
	w := c.work(v.number, l)
	w.X = v.x
	if v.at <= l.B1 {
		w.Lo = v.at
		w.Hi = min(v.at+ecm.Stage1Span(c.words), l.B1+1)
	} else {
		l.Stage2(&w, v.from, c.words)
	}
	v.work = w
	return c.turn(w, v)
}

// turn packs work.
func (c *cofactor) turn(work ecm.Work, v *curve) *openTurn {
	t := Turn{Payload: work.Encode(), Predict: work.Nanos(c.words)}
	c.handed += float64(t.Predict)
	return &openTurn{turn: t, of: c, curve: v, count: work.Count, level: c.level}
}

// takeNothing takes the result of curves, or of a piece of stage 2, that found
// nothing.
func (c *cofactor) takeNothing(o *openTurn) {
	c.done += float64(o.turn.Predict)
	v := o.curve
	if v == nil {
		c.ran(o.level, o.count)
		return
	}
	if v.work.To != 0 {
		v.from = v.work.To
		if v.from < ecm.Levels[v.level].Second(c.words) {
			c.under = append(c.under, v)
			return
		}
	}
	c.ran(v.level, 1)
}

// ran notes that curves of a level are done.
func (c *cofactor) ran(level int, count uint64) {
	c.record.out[level] -= min(count, c.record.out[level])
	c.record.add(Curves{B1: ecm.Levels[level].B1, Count: count})
}

// takePoint takes the result of a piece of stage 1.
func (c *cofactor) takePoint(v *curve, data []byte) error {
	r := wire.Reader{B: data[2:]}
	x := r.Blob(len(c.bytes))
	if r.Bad || len(r.B) != 0 || v.work.Hi == 0 ||
		len(x) == 0 || new(big.Int).SetBytes(x).Cmp(c.n) >= 0 {
		return ErrTurn
	}
	c.done += float64(v.work.Nanos(c.words))
	v.x = slices.Clone(x)
	v.at = v.work.Hi
	c.under = append(c.under, v)
	return nil
}

// left estimates the CPU until the cofactor is split, and which share of the way
// is done, which never falls. Where curves are all there is, that is until factors
// of half the size of the cofactor have probably been found.
func (c *cofactor) left() (share float64, left time.Duration) {
	spent, rest := c.done, 0.0
	switch {
	case c.postprocessing != nil:
		spent += c.collection.DoneNanos()
		rest = c.postprocessing.Left(c.collection)
	case c.collection != nil:
		spent += c.collection.DoneNanos()
		rest = c.collection.Left() + c.collection.SolvingNanos()
	case c.sieves():
		rest = (1+algebraShare)*siqs.SieveNanos(c.n.BitLen()) + max(0, curveShare*siqs.SieveNanos(c.n.BitLen())-c.done)
	default:
		rest = c.searchNanos()
	}
	share = max(spent/(spent+rest+1), c.shown)
	return min(share, 0.99), time.Duration(min(rest, 1<<62))
}

// noteShare keeps what left says of the share, so that it never falls.
func (c *cofactor) noteShare() { c.shown, _ = c.left() }

// searchNanos is the time of the curves that a search for factors of half the size of the
// cofactor still takes.
func (c *cofactor) searchNanos() float64 {
	total := 0.0
	digits := float64(c.n.BitLen()) * 0.30103 / 2
	for i := range ecm.Levels {
		l := &ecm.Levels[i]
		if float64(l.Digits) > digits && i > 0 {
			break
		}
		if i >= c.level {
			left := float64(min(l.Goal(c.words), 1<<16)) - c.record.worth[i]
			total += l.WholeNanos(c.words) * max(0, left)
		}
	}
	return total
}

// phase says what is being done, for people.
func (c *cofactor) phase() string {
	switch {
	case c.postprocessing != nil:
		return c.postprocessing.Phase()
	case c.collection != nil:
		return fmt.Sprintf("quadratic sieve, %d of %d relations", min(c.collection.Independent(), c.collection.Enough), c.collection.Enough)
	}
	if c.smooth != nil {
		return c.smooth.phase()
	}
	return fmt.Sprintf("elliptic curves, B1 = %d", ecm.Levels[c.level].B1)
}
