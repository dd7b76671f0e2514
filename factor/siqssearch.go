package factor

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"time"

	"fairfactor/factor/internal/cpu"
)

// Sizes of cofactors that the machine sieves; the quick methods answer nearly
// all below, and above curves are all there is.
const (
	searchMinBits = 100
	searchMaxBits = 332
)

// Bounds of what is tried before curves are the only way left.
const (
	maxTries    = 3 // linear algebra with one multiplier
	maxAttempts = 3 // multipliers
)

// curveShare is the part of the time of the sieve that curves may take first:
// they are what finds small factors.
const curveShare = 1.0 / 16

// siqsNanos are the times of whole sieves by the bits of the number, in
// nanoseconds; measured with BenchmarkSieve.
var siqsNanos = [...]struct {
	bits  int
	nanos float64
}{{100, 3e6}, {130, 10e6}, {150, 36e6}, {165, 80e6}, {182, 220e6}, {198, 620e6}, {215, 1.9e9}, {232, 6e9}, {265, 50e9}, {298, 430e9}, {332, 3800e9}}

// slowdown is how many times as long the sieve takes without AVX2, measured from 50
// to 70 digits.
const slowdown = 2

// sieveNanos estimates the CPU that the sieve of a number of that many bits
// takes on this processor.
func sieveNanos(bits int) float64 {
	i := 1
	for i < len(siqsNanos)-1 && siqsNanos[i].bits < bits {
		i++
	}
	lo, hi := siqsNanos[i-1], siqsNanos[i]
	share := float64(bits-lo.bits) / float64(hi.bits-lo.bits)
	nanos := lo.nanos * math.Pow(hi.nanos/lo.nanos, max(share, 0))
	if !cpu.AVX2 {
		nanos *= slowdown
	}
	return nanos
}

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
		o := h.turn(c.solving)
		o.of = c
		return o
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

// algebraShare is the time of the linear algebra as a part of that of the sieve,
// before its matrix is known.
const algebraShare = 1.0 / 32

// share estimates which part of the sieve is done. Relations without large primes
// grow with the time, combined ones with a power of it. While there are few, that
// says little, and the usual time of a number of that size has more weight.
func (h *harvest) share() float64 {
	usual := sieveNanos(h.base.n.BitLen())
	if h.done == 0 {
		return 0
	}
	power := 2.0
	if h.base.double > 0 {
		power = 2.5
	}
	lo, hi := 0.0, 1.0
	for hi-lo > 1e-4 {
		x := (lo + hi) / 2
		if float64(h.fulls)/x+float64(h.cycles)/math.Pow(x, power) > float64(h.enough) {
			lo = x
		} else {
			hi = x
		}
	}
	weight := min(4*hi, 1)
	total := math.Pow(usual, 1-weight) * math.Pow(h.done/hi, weight)
	return min(h.done/total, 1)
}

// left estimates the CPU that is left of the sieve, in nanoseconds.
func (h *harvest) left() float64 {
	x := h.share()
	if x == 0 {
		return sieveNanos(h.base.n.BitLen())
	}
	return h.done * (1 - x) / x
}

// appendState appends the state of the sieve, the parameters and the a's; the
// relations are in the pieces of the checkpoint.
func (h *harvest) appendState(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(h.attempt))
	b = h.base.size.append(b)
	for _, v := range [...]uint64{
		h.draws, uint64(h.from), uint64(h.done + h.owed), uint64(h.tries), uint64(h.enough), uint64(h.count() + h.absent), uint64(len(h.as)),
	} {
		b = binary.AppendUvarint(b, v)
	}
	for _, chosen := range h.as {
		b = appendAscending(b, chosen)
	}
	return b
}

// readHarvest reads what appendState wrote for n, nil if it is not sound.
func readHarvest(r *reader, n *big.Int) *harvest {
	attempt := r.uvarint()
	size := readSize(r)
	var v [7]uint64
	for i := range v {
		v[i] = r.uvarint()
	}
	if r.bad || attempt >= maxAttempts || v[6] > uint64(len(r.b)) || v[5] > 1<<40 || v[3] >= maxTries || v[4] > 4*maxColumns ||
		n.BitLen() < searchMinBits || n.BitLen() > searchMaxBits {
		return nil
	}
	h := newHarvest(n, int(attempt), size)
	if h == nil || h.base.divisor != 0 {
		return nil
	}
	h.draws, h.from, h.owed, h.tries, h.enough, h.absent = v[0], int(v[1]), float64(v[2]), int(v[3]), int(v[4]), int(v[5])
	for range v[6] {
		chosen := r.ascending(maxFactors, len(h.base.primes))
		if len(chosen) != h.factors || !h.base.valid(chosen) {
			return nil
		}
		h.as = append(h.as, chosen)
		h.used[string(appendAscending(nil, chosen))] = true
	}
	if r.bad || h.from > 1<<(h.factors-1) || len(h.as) == 0 && h.from > 0 {
		return nil
	}
	return h
}
