package siqs

import (
	"encoding/binary"
	"math/big"
	"math/bits"
	"slices"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// difference returns x - y modulo n, where x^2 = y^2, for the relations that occur
// an odd number of times in a dependency, nil for all of them: the product of their
// y is, modulo n, the root of a square whose root is known from the factorization
// too (Morrison and Brillhart, Math. Comp. 29 (1975), section 2). It is 0, which
// splits nothing, if they are no dependency.
func (g *RelationSet) difference(r *stop.Poller, times []bool) (*big.Int, error) {
	n := g.base.N
	x, y := newRunningProduct(n), newRunningProduct(n)
	sums := make([]int, len(g.base.primes))
	large := make(map[uint32]int)
	leads := make([]*coefficient, len(g.coefficients))
	err := g.each(r, times, func(f *Relation, number int, twos uint8) {
		if leads[number] == nil {
			leads[number] = g.base.newCoefficient(g.coefficients[number])
		}
		lead := leads[number]
		v, _ := lead.l.Times(int64(f.position) - g.base.half()).Add(lead.b(f.polynomial)).Abs()
		x.times(v)
		sums[0] += int(twos>>1) + 2*int(g.base.shift)
		for _, k := range f.factors {
			sums[k]++
		}
		for _, k := range lead.indices {
			sums[k]++
		}
		for _, p := range f.large {
			if p > 1 {
				large[p]++
			}
		}
	})
	if err != nil {
		return nil, err
	}
	work := 0
	power := func(p uint64, e int) {
		y.power(p, e)
		if work += e + 1; work >= stop.PollEvery {
			work = 0
			r.Poll()
		}
	}
	for k, e := range sums {
		power(uint64(g.base.primes[k]), e/2)
	}
	for p, e := range large {
		power(uint64(p), e/2)
	}
	if r.Stopped() {
		return nil, stop.ErrStopped
	}
	d, sum := x.value(), y.value()
	d, sum = new(big.Int).Sub(d, sum), sum.Add(sum, d)
	if sum.Mul(sum, d).Mod(sum, n).Sign() != 0 {
		d.SetUint64(0)
	}
	return d.Mod(d, n), nil
}

// runRoot takes the root of the relations in a payload, which are a dependency.
func (r *Runner) runRoot(payload []byte) ([]byte, error) {
	g, err := r.readRelations(&wire.Reader{B: payload[2:]})
	if err != nil {
		return nil, err
	}
	d, err := g.difference(r.Poller, nil)
	if err != nil {
		return nil, err
	}
	return EncodeSquares([]*big.Int{d}), nil
}

// EncodeSquares returns the data of a result with the differences of roots of the
// same square.
func EncodeSquares(roots []*big.Int) []byte {
	data := binary.AppendUvarint([]byte{wire.Version, wire.FoundSquares}, uint64(len(roots)))
	for _, d := range roots {
		data = wire.AppendBlob(data, d.Bytes())
	}
	return wire.Seal(data)
}

// ReadSquares reads what EncodeSquares wrote.
func ReadSquares(data []byte) ([]*big.Int, error) {
	b, ok := wire.Unseal(data)
	if !ok {
		return nil, wire.ErrTurn
	}
	r := wire.Reader{B: b[2:]}
	count := r.Uvarint()
	if count > gf2.MaxDependencies {
		return nil, wire.ErrTurn
	}
	var roots []*big.Int
	for range count {
		roots = append(roots, new(big.Int).SetBytes(r.Blob(maxBits/8+1)))
	}
	if r.Bad || len(r.B) != 0 {
		return nil, wire.ErrTurn
	}
	return roots, nil
}

// splitBy splits the coprime parts of a number further by common divisors with d.
func splitBy(parts []*big.Int, d *big.Int) (next []*big.Int) {
	for _, p := range parts {
		g := new(big.Int).GCD(nil, nil, d, p)
		if g.Cmp(arith.One) == 0 || g.Cmp(p) == 0 {
			next = append(next, p)
		} else {
			next = append(next, g, new(big.Int).Quo(p, g))
		}
	}
	return next
}

// primes reports whether all parts are probably prime.
func primes(parts []*big.Int) bool {
	return !slices.ContainsFunc(parts, func(p *big.Int) bool { return !p.ProbablyPrime(0) })
}

// runningProduct is a product modulo n, which is longer than a word.
type runningProduct struct {
	m       *arith.MontN
	acc, in []uint64
	word    uint64 // small factors that are not in acc yet
}

func newRunningProduct(n *big.Int) *runningProduct {
	m := arith.NewMontN(n)
	p := &runningProduct{m: m, acc: make([]uint64, len(m.N)), in: make([]uint64, len(m.N)), word: 1}
	copy(p.acc, m.One)
	return p
}

// times multiplies by v < n.
func (p *runningProduct) times(v arith.Uint192) {
	clear(p.in)
	copy(p.in, v[:])
	p.m.Mul(p.in, p.in, p.m.R2)
	p.m.Mul(p.acc, p.acc, p.in)
}

// power multiplies by v^e.
func (p *runningProduct) power(v uint64, e int) {
	for range e {
		hi, lo := bits.Mul64(p.word, v)
		if hi != 0 {
			p.times(arith.Uint192{p.word})
			lo = v
		}
		p.word = lo
	}
}

// value returns the product.
func (p *runningProduct) value() *big.Int {
	p.times(arith.Uint192{p.word})
	p.word = 1
	return p.m.From(p.acc)
}
