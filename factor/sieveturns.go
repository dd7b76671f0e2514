package factor

import (
	"math/big"
	"slices"
	"time"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/siqs"
)

// algebraShare is the time of the linear algebra as a part of that of the sieve,
// before its matrix is known.
const algebraShare = 1.0 / 32

// sieves reports whether the sieve is the method for c.
func (c *cofactor) sieves() bool {
	return !c.sieveless && c.n.BitLen() >= siqs.LeastBits && rungFor(c.n.BitLen()).split != ByCurves
}

// curveBudget is the CPU that is left for curves before the sieve, in
// nanoseconds.
func (c *cofactor) curveBudget() float64 {
	return curveShare*siqs.SieveNanos(c.n.BitLen()) - c.handed
}

// sieving reports whether it is the sieve's turn: no whole curve fits in the
// budget any more.
func (c *cofactor) sieving() bool {
	return c.sieves() && len(c.under) == 0 && c.curveBudget() < ecm.Levels[c.level].WholeNanos(c.words)
}

// waits reports whether there is nothing to do for c until a turn ends, or a piece of its
// checkpoint is loaded.
func (c *cofactor) waits() bool {
	return c.postprocessing != nil && c.postprocessing.Waits() || c.collection != nil && c.collection.Waits()
}

// nextSieve returns the next turn of the sieve or of what follows it, or nil if it
// has run out of polynomials, which is the end of it.
func (c *cofactor) nextSieve() *openTurn {
	h := c.collection
	if c.postprocessing == nil && h.Ready() {
		c.postprocessing = h.StartPostprocessing()
	}
	if c.postprocessing != nil {
		t := h.NextTask(c.postprocessing)
		return &openTurn{
			turn: Turn{Payload: t.Payload, Predict: t.Predict},
			of:   c, collection: h, postprocessing: c.postprocessing, piece: t.Piece,
		}
	}
	w, nums, nanos := h.NextWork()
	if w == nil {
		return nil
	}
	t := Turn{Payload: w.Encode(), Predict: time.Duration(nanos)}
	return &openTurn{turn: t, of: c, collection: h, spans: w.Spans, nums: nums}
}

// takeRelations takes the result of a turn of the sieve.
func (c *cofactor) takeRelations(o *openTurn, data []byte) error {
	if c.gone || c.collection != o.collection {
		return nil
	}
	if err := o.collection.AddRelations(data, o.spans, o.nums, float64(o.turn.Predict)); err != nil {
		return err
	}
	c.noteShare()
	return nil
}

// nextAttempt goes on with another multiplier, or gives the sieve up.
func (c *cofactor) nextAttempt() {
	c.collection = c.collection.Next()
	c.sieveless = c.collection == nil
}

// prepare builds some more of the factor base: each turn of curves a piece, so that
// starting the sieve takes no longer than other turns.
func (c *cofactor) prepare() {
	switch {
	case !c.sieves() || c.collection != nil:
	case c.ahead == nil:
		c.ahead = siqs.BeginBase(c.n, siqs.Multiplier(c.n, 0), siqs.ParametersFor(c.n.BitLen()))
	default:
		c.ahead.Extend()
	}
}

// startSieve sets the sieve of c up. Setting it up may find a small prime that
// divides c: then c is replaced by its factors, and started is false.
func (m *Machine) startSieve(c *cofactor) (started bool) {
	c.prepare()
	for !c.ahead.Extend() {
	}
	c.collection, c.ahead = siqs.CollectionOf(c.ahead.Base, 0), nil
	p := c.collection.Base.Divisor
	if p == 0 {
		return true
	}
	d := new(big.Int).SetUint64(uint64(p))
	m.methods |= ByTrial
	m.replace(c, []*big.Int{d, new(big.Int).Quo(c.n, d)})
	return false
}

// replace puts factors, whose product is c, in the place of c.
func (m *Machine) replace(c *cofactor, factors []*big.Int) {
	m.remove(c)
	slices.SortFunc(factors, func(a, b *big.Int) int { return a.Cmp(b) })
	for _, d := range factors {
		grade := prime.Composite
		if d.BitLen() <= 128 {
			grade = prime.Grade128(arith.Uint128Of(d.Bytes()))
		} else if d.ProbablyPrime(20) {
			grade = prime.Probable
		}
		m.put(partOf(d, 1, grade), c.exp, true, c)
	}
}

// takePostprocessing takes the result of a turn of c.postprocessing.
func (m *Machine) takePostprocessing(o *openTurn, data []byte) error {
	c, s := o.of, o.postprocessing
	if c.gone || c.postprocessing != s {
		return nil
	}
	next, err := c.collection.Take(s, o.piece, data)
	switch next {
	case siqs.Split:
		m.methods |= BySIQS
		m.replace(c, s.Parts)
	case siqs.Failed:
		c.postprocessing = nil
		if !c.collection.Retry() {
			c.nextAttempt()
		}
	case siqs.TooFew:
		c.postprocessing = nil
	}
	return err
}
