package factor

import (
	"encoding/binary"
	"math/big"
	"math/bits"
	"slices"
)

// difference returns x - y modulo n, where x^2 = y^2, for the relations that occur
// an odd number of times in a dependency, nil for all of them: the product of their
// y is, modulo n, the root of a square whose root is known from the factorization
// too (Morrison and Brillhart, Math. Comp. 29 (1975), section 2). It is 0, which
// splits nothing, if they are no dependency.
func (g *gathered) difference(r *poller, times []bool) (*big.Int, error) {
	n := g.base.n
	x, y := newRunningProduct(n), newRunningProduct(n)
	sums := make([]int, len(g.base.primes))
	large := make(map[uint32]int)
	leads := make([]*leading, len(g.as))
	err := g.each(r, times, func(f *found, number int, twos uint8) {
		if leads[number] == nil {
			leads[number] = g.base.newLeading(g.as[number])
		}
		lead := leads[number]
		v, _ := lead.l.times(int64(f.pos) - g.base.half()).add(lead.b(f.poly)).abs()
		x.times(v)
		sums[0] += int(twos>>1) + 2*int(g.base.shift)
		for _, k := range f.list {
			sums[k]++
		}
		for _, k := range lead.chosen {
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
		if work += e + 1; work >= pollEvery {
			work = 0
			r.poll()
		}
	}
	for k, e := range sums {
		power(uint64(g.base.primes[k]), e/2)
	}
	for p, e := range large {
		power(uint64(p), e/2)
	}
	if r.stopped() {
		return nil, ErrStopped
	}
	d, sum := x.value(), y.value()
	d, sum = new(big.Int).Sub(d, sum), sum.Add(sum, d)
	if sum.Mul(sum, d).Mod(sum, n).Sign() != 0 {
		d.SetUint64(0)
	}
	return d.Mod(d, n), nil
}

// runRoot takes the root of the relations in a payload, which are a dependency.
func (r *siqsRunner) runRoot(payload []byte) ([]byte, error) {
	g, err := r.readGathered(&reader{b: payload[2:]})
	if err != nil {
		return nil, err
	}
	d, err := g.difference(r.poller, nil)
	if err != nil {
		return nil, err
	}
	return encodeSquares([]*big.Int{d}), nil
}

// encodeSquares returns the data of a result with the differences of roots of the
// same square.
func encodeSquares(roots []*big.Int) []byte {
	data := binary.AppendUvarint([]byte{version, foundSquares}, uint64(len(roots)))
	for _, d := range roots {
		data = appendBlob(data, d.Bytes())
	}
	return seal(data)
}

// maxSquares bounds the dependencies that are used.
const maxSquares = 64

// readSquares reads what encodeSquares wrote.
func readSquares(data []byte) ([]*big.Int, error) {
	b, ok := unseal(data)
	if !ok {
		return nil, ErrTurn
	}
	r := reader{b: b[2:]}
	count := r.uvarint()
	if count > maxSquares {
		return nil, ErrTurn
	}
	var roots []*big.Int
	for range count {
		roots = append(roots, new(big.Int).SetBytes(r.blob(siqsMaxBits/8+1)))
	}
	if r.bad || len(r.b) != 0 {
		return nil, ErrTurn
	}
	return roots, nil
}

// splitBy splits the coprime parts of a number further by common divisors with d.
func splitBy(parts []*big.Int, d *big.Int) (next []*big.Int) {
	for _, p := range parts {
		g := new(big.Int).GCD(nil, nil, d, p)
		if g.Cmp(one) == 0 || g.Cmp(p) == 0 {
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
	m       *montN
	acc, in []uint64
	word    uint64 // small factors that are not in acc yet
}

func newRunningProduct(n *big.Int) *runningProduct {
	m := newMontN(n)
	p := &runningProduct{m: m, acc: make([]uint64, len(m.n)), in: make([]uint64, len(m.n)), word: 1}
	copy(p.acc, m.one)
	return p
}

// times multiplies by v < n.
func (p *runningProduct) times(v triple) {
	clear(p.in)
	copy(p.in, v[:])
	p.m.mul(p.in, p.in, p.m.r2)
	p.m.mul(p.acc, p.acc, p.in)
}

// power multiplies by v^e.
func (p *runningProduct) power(v uint64, e int) {
	for range e {
		hi, lo := bits.Mul64(p.word, v)
		if hi != 0 {
			p.times(triple{p.word})
			lo = v
		}
		p.word = lo
	}
}

// value returns the product.
func (p *runningProduct) value() *big.Int {
	p.times(triple{p.word})
	p.word = 1
	return p.m.from(p.acc)
}
