package fft

import (
	"math/big"
	"math/bits"

	"fairfactor/factor/internal/cpu"
)

// basis is as many primes as the coefficients of a product need, and the way from
// integers to residues and back. It is not safe for concurrent use.
type basis struct {
	groups  []*group
	product *big.Int // of all primes
	width   int      // limbs of 52 bits of a coefficient before the transform
	powers  [][]vec  // 2^52i modulo the primes, by group
	scales  [rootBits + 1][]vec

	out   int   // vectors of limbs of a coefficient after it
	rows  []vec // what the digit of each prime counts, in limbs
	y     []uint64
	lo    []vec
	hi    []vec
	limbs []uint64 // of some coefficients
}

// spreadAtOnce is how many coefficients are taken apart at a time.
const spreadAtOnce = 64

// newBasis returns a basis for coefficients of some limbs whose products have at most that
// many bits.
func newBasis(width, size int) *basis {
	b := &basis{width: width, product: big.NewInt(1)}
	for len(b.groups) == 0 || b.product.BitLen() < size+3 { // see whole
		b.groups = groupsFor(len(b.groups) + 1)
		for _, p := range b.groups[len(b.groups)-1].p {
			b.product.Mul(b.product, new(big.Int).SetUint64(p))
		}
	}
	for _, g := range b.groups {
		powers := make([]vec, width)
		for i, p := range g.p {
			c := uint64(1)
			for j := range powers {
				powers[j][i] = c
				c = mulMod(c, g.fold[i], p)
			}
		}
		b.powers = append(b.powers, powers)
	}
	b.y = make([]uint64, lanes*len(b.groups))
	b.limbs = make([]uint64, width*spreadAtOnce)
	return b
}

// setRows has the digit of each prime p count (product/p) factor modulo n; n = nil is no
// modulus.
func (b *basis) setRows(factor, n *big.Int, limbs int) {
	b.out = (limbs + lanes - 1) / lanes
	b.rows = make([]vec, lanes*len(b.groups)*b.out)
	b.lo, b.hi = make([]vec, b.out), make([]vec, b.out)
	for g, gr := range b.groups {
		for i, p := range gr.p {
			c := new(big.Int).Quo(b.product, new(big.Int).SetUint64(p))
			if c.Mul(c, factor); n != nil {
				c.Mod(c, n)
			}
			row := b.rows[(g*lanes+i)*b.out:][:b.out]
			for j, limb := range limbsOf(c, limbs) {
				row[j/lanes][j%lanes] = limb
			}
		}
	}
}

// limbsOf returns v in that many limbs.
func limbsOf(v *big.Int, count int) []uint64 {
	limbs := make([]uint64, count)
	v = new(big.Int).Set(v)
	m, limb := big.NewInt(mask), new(big.Int)
	for i := range limbs {
		limbs[i] = limb.And(v, m).Uint64()
		v.Rsh(v, limbBits)
	}
	return limbs
}

// scale returns for each group what digits multiplies residues with after transforms of
// length 2^size: it undoes the factors of invert and of multiply, and divides by
// product/p. Quotients alternate with it.
func (b *basis) scale(size int) []vec {
	if s := b.scales[size]; s != nil {
		return s
	}
	s := make([]vec, 2*len(b.groups))
	quo, rem := new(big.Int), new(big.Int)
	for g, gr := range b.groups {
		for i, p := range gr.p {
			quo.Quo(b.product, new(big.Int).SetUint64(p))
			c := rem.Rem(quo, new(big.Int).SetUint64(p)).Uint64()
			c = mulMod(c, 1<<size%p, p)
			c = mulMod(powMod(c, p-2, p), gr.fold[i], p)
			s[2*g][i], s[2*g+1][i] = c, quotient(c, p)
		}
	}
	b.scales[size] = s
	return s
}

// unpack takes a coefficient of words apart into limbs.
//
//go:norace
func unpack(limbs, words []uint64) {
	at := 0
	for i := range limbs {
		w, shift := at/64, uint(at%64)
		v := uint64(0)
		if w < len(words) {
			v = words[w] >> shift
			if shift > 64-limbBits && w+1 < len(words) {
				v |= words[w+1] << (64 - shift)
			}
		}
		limbs[i] = v & mask
		at += limbBits
	}
}

// pack puts limbs together; what has no room in words is zero.
//
//go:norace
func pack(words, limbs []uint64) {
	var acc uint64
	have, w := uint(0), 0
	for _, l := range limbs {
		acc |= l << have
		if have+limbBits < 64 {
			have += limbBits
			continue
		}
		if w == len(words) {
			return
		}
		words[w] = acc
		w++
		acc = l >> (64 - have)
		have = have + limbBits - 64
	}
	for ; w < len(words); w++ {
		words[w] = acc
		acc = 0
	}
}

// spreadAll sets the vectors of a, one list for each group, to coefficients of k words each,
// and to zero behind them.
func (b *basis) spreadAll(a [][]vec, coefs []uint64, k int) {
	count := len(coefs) / k
	for i := 0; i < count; i += spreadAtOnce {
		some := min(spreadAtOnce, count-i)
		for j := range some {
			unpack(b.limbs[j*b.width:][:b.width], coefs[(i+j)*k:][:k])
		}
		for g, gr := range b.groups {
			gr.spread(a[g][i:i+some], b.limbs, b.powers[g])
		}
	}
	for g := range a {
		clear(a[g][count:])
	}
}

// spread sets each of a to the value of its limbs modulo the primes, below 2p.
//
//go:norace
func (g *group) spread(a []vec, limbs []uint64, powers []vec) {
	width := len(powers)
	if cpu.IFMA {
		spread(&a[0], &limbs[0], len(a), width, &powers[0], g)
		return
	}
	for j := range a {
		for i := range lanes {
			var low, high uint64
			for l, v := range limbs[j*width:][:width] {
				hi, lo := bits.Mul64(v, powers[l][i])
				low += lo & mask
				high += hi<<(64-limbBits) | lo>>limbBits
			}
			high += low >> limbBits
			p, twoP := g.p[i], g.twoP[i]
			s := low&mask + shoup(high&mask, g.fold[i], g.foldQ[i], p) + shoup(high>>limbBits, g.high[i], g.highQ[i], p)
			s = min(s, s-2*twoP)
			a[j][i] = min(s, s-twoP)
		}
	}
}

// whole brings coefficient i of a product together: lo and hi get the sums of the halves
// of what its digits count, and the result is how many times the product of all primes
// that is too much. The coefficient is below an eighth of that product, so that rounding errors do no
// harm.
//
//go:norace
func (b *basis) whole(a [][]vec, i int, scale []vec) (times uint64) {
	var share [lanes]float64
	for g, gr := range b.groups {
		y := (*vec)(b.y[g*lanes:])
		if cpu.IFMA {
			digits(y, &a[g][i], &scale[2*g], &scale[2*g+1], &share, gr)
			continue
		}
		for l := range lanes {
			p := gr.p[l]
			v := shoup(a[g][i][l], scale[2*g][l], scale[2*g+1][l], p)
			y[l] = min(v, v-p)
			share[l] += float64(y[l]) * gr.reciprocal[l]
		}
	}
	sum := (share[0] + share[1]) + (share[2] + share[3]) + ((share[4] + share[5]) + (share[6] + share[7]))
	if cpu.IFMA {
		gather(&b.lo[0], &b.hi[0], &b.y[0], len(b.y), &b.rows[0], b.out)
		return uint64(sum + 0.25)
	}
	clear(b.lo)
	clear(b.hi)
	for j, y := range b.y {
		for v, row := range b.rows[j*b.out:][:b.out] {
			for l, c := range row {
				hi, lo := bits.Mul64(y, c)
				b.lo[v][l] += lo & mask
				b.hi[v][l] += hi<<(64-limbBits) | lo>>limbBits
			}
		}
	}
	return uint64(sum + 0.25)
}
