package factor

import (
	"math/big"
	"slices"
	"time"
)

// curveShare is the part of the time of the sieve that curves may take first:
// they are what finds small factors.
const curveShare = 1.0 / 16

// algebraShare is the time of the linear algebra as a part of that of the sieve,
// before its matrix is known.
const algebraShare = 1.0 / 32

// sieves reports whether the sieve is the method for c.
func (c *cofactor) sieves() bool {
	return !c.sieveless && c.n.BitLen() >= searchMinBits && c.n.BitLen() <= searchMaxBits
}

// curveBudget is the CPU that is left for curves before the sieve, in
// nanoseconds.
func (c *cofactor) curveBudget() float64 {
	return curveShare*sieveNanos(c.n.BitLen()) - c.handed
}

// sieving reports whether it is the sieve's turn: no whole curve fits in the
// budget any more.
func (c *cofactor) sieving() bool {
	return c.sieves() && len(c.under) == 0 && c.curveBudget() < levels[c.level].wholeNanos(c.words)
}

// waits reports whether there is nothing to do for c until a turn ends.
func (c *cofactor) waits() bool { return c.solving != nil && c.solving.waits() }

// nextSieve returns the next turn of the sieve or of what follows it, or nil if it
// has run out of polynomials, which is the end of it.
func (c *cofactor) nextSieve() *openTurn {
	h := c.harvest
	if c.solving == nil && h.independent() >= h.enough {
		c.solving = h.solve()
	}
	if c.solving != nil {
		t := h.turn(c.solving)
		return &openTurn{
			turn: Turn{Payload: t.payload, Predict: t.predict},
			of:   c, harvest: h, solving: c.solving, piece: t.piece,
		}
	}
	w, nums, nanos := h.next()
	if w == nil {
		return nil
	}
	t := Turn{Payload: w.encode(), Predict: time.Duration(nanos)}
	return &openTurn{turn: t, of: c, harvest: h, spans: w.spans, nums: nums}
}

// takeRelations takes the result of a turn of the sieve.
func (c *cofactor) takeRelations(o *openTurn, data []byte) error {
	if c.gone || c.harvest != o.harvest {
		return nil
	}
	if err := o.harvest.takeAll(data, o.spans, o.nums); err != nil {
		return err
	}
	o.harvest.done += float64(o.turn.Predict)
	c.noteShare()
	return nil
}

// nextAttempt goes on with another multiplier, or gives the sieve up.
func (c *cofactor) nextAttempt() {
	attempt := c.harvest.attempt + 1
	c.harvest = nil
	if attempt < maxAttempts {
		c.harvest = newHarvest(c.n, attempt, siqsSizeFor(c.n.BitLen()))
	}
	c.sieveless = c.harvest == nil
}

// prepare builds some more of the factor base: each turn of curves a piece, so that
// starting the sieve takes no longer than other turns.
func (c *cofactor) prepare() {
	switch {
	case !c.sieves() || c.harvest != nil:
	case c.ahead == nil:
		c.ahead = beginBase(c.n, siqsMultiplier(c.n, 0), siqsSizeFor(c.n.BitLen()))
	default:
		c.ahead.extend()
	}
}

// startSieve sets the sieve of c up. Setting it up may find a small prime that
// divides c: then c is replaced by its factors, and started is false.
func (m *Machine) startSieve(c *cofactor) (started bool) {
	c.prepare()
	for !c.ahead.extend() {
	}
	c.harvest, c.ahead = harvestOf(c.ahead.base, 0), nil
	p := c.harvest.base.divisor
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
		grade := composite
		if d.BitLen() <= 128 {
			grade = primeWide(wideOf(d.Bytes()))
		} else if d.ProbablyPrime(20) {
			grade = probable
		}
		m.put(partOf(d, 1, grade), c.exp, true)
	}
}

// takeSolving takes the result of a turn of c.solving.
func (m *Machine) takeSolving(o *openTurn, data []byte) error {
	c, s := o.of, o.solving
	if c.gone || c.solving != s {
		return nil
	}
	next, err := c.harvest.takeStage(s, o.piece, data)
	switch next {
	case split:
		m.methods |= BySIQS
		m.replace(c, s.parts)
	case failed:
		c.solving = nil
		if !c.harvest.retry() {
			c.nextAttempt()
		}
	case tooFew:
		c.solving = nil
	}
	return err
}
