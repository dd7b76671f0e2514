package ecm

import (
	"math/big"
	"math/bits"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
)

// Sizes of numbers that vector works on: with two limbs a residue, and with
// maxLimbs. Sums of two residues are below 4n, and a product of two of them must
// be below n R.
const (
	maxLimbs       = 7
	VectorBits     = 2*52 - 4
	VectorMostBits = maxLimbs*52 - 4
)

// mod8 is arithmetic modulo an odd n of 41 to VectorMostBits bits, R = 2^52 to the
// number of limbs. Residues are below 2n. The assembly knows the layout.
type mod8 struct {
	n     [maxLimbs]uint64
	minus uint64 // -1/n modulo 2^52
	twice [maxLimbs]uint64
	ones  uint64 // 1
	limbs int    // 2 or more
	mask  uint64 // limb
	path  path
}

// path is how the arithmetic of a number is done.
type path int

const (
	twoLimbs  path = iota // in registers
	manyLimbs             // in memory
	inGo                  // without AVX-512 IFMA
)

// limb is the largest limb.
const limb = 1<<52 - 1

// residue8 is eight residues, by limb and lane, the least significant limb first.
// If there are two limbs, the lower one may have more bits than 52 and both may
// be negative if the whole is not.
type residue8 [maxLimbs][8]uint64

// point8 are points of eight curves.
type point8 struct{ x, z residue8 }

// set goes to the number n, given by its words, least significant first.
func (m *mod8) set(words ...uint64) {
	for len(words) > 1 && words[len(words)-1] == 0 {
		words = words[:len(words)-1]
	}
	m.n, m.twice = [maxLimbs]uint64{}, [maxLimbs]uint64{}
	size := 64*(len(words)-1) + bits.Len64(words[len(words)-1])
	m.limbs = max(2, (size+4+51)/52)
	for i := range m.limbs {
		m.n[i] = limbAt(words, i)
		m.twice[i] = 2 * m.n[i]
	}
	m.minus = -arith.Inverse2(words[0]) & limb
	m.ones, m.mask = 1, limb
	switch {
	case !cpu.IFMA:
		m.path = inGo
	case m.limbs > 2:
		m.path = manyLimbs
	default:
		m.path = twoLimbs
	}
}

// limbAt returns limb i of the number with these words.
func limbAt(words []uint64, i int) uint64 {
	word, bit := i*52/64, i*52%64
	if word >= len(words) {
		return 0
	}
	v := words[word] >> bit
	if bit > 12 && word+1 < len(words) {
		v |= words[word+1] << (64 - bit)
	}
	return v & limb
}

// mul sets r to a*b/R.
func (m *mod8) mul(r, a, b *residue8) {
	switch m.path {
	case twoLimbs:
		mul8(r, a, b, m)
	case manyLimbs:
		mulLimbs(r, a, b, m)
	default:
		mulGo(r, a, b, m)
	}
}

// add sets r to p + q, where d = p - q.
func (e *vector) add(r, p, q, d *point8) {
	switch e.path {
	case twoLimbs:
		add8(r, p, q, d, &e.mod8)
	case manyLimbs:
		e.addLimbs(r, p, q, d)
	default:
		addGo(r, p, q, d, &e.mod8)
	}
}

// dup sets r to 2p.
func (e *vector) dup(r, p *point8) {
	switch e.path {
	case twoLimbs:
		dup8(r, p, &e.num, &e.den, &e.mod8)
	case manyLimbs:
		e.dupLimbs(r, p)
	default:
		dupGo(r, p, &e.num, &e.den, &e.mod8)
	}
}

// addLimbs is add for more than two limbs.
func (e *vector) addLimbs(r, p, q, d *point8) {
	m, t := &e.mod8, &e.scratch
	differenceLimbs(&t[0], &p.x, &p.z, m)
	sumLimbs(&t[1], &q.x, &q.z, m)
	sumLimbs(&t[2], &p.x, &p.z, m)
	differenceLimbs(&t[3], &q.x, &q.z, m)
	mulLimbs(&t[0], &t[0], &t[1], m)
	mulLimbs(&t[2], &t[2], &t[3], m)
	sumLimbs(&t[1], &t[0], &t[2], m)
	differenceLimbs(&t[3], &t[0], &t[2], m)
	mulLimbs(&t[1], &t[1], &t[1], m)
	mulLimbs(&t[3], &t[3], &t[3], m)
	mulLimbs(&t[3], &t[3], &d.x, m)
	mulLimbs(&r.x, &t[1], &d.z, m)
	copy(r.z[:m.limbs], t[3][:m.limbs])
}

// dupLimbs is dup for more than two limbs.
func (e *vector) dupLimbs(r, p *point8) {
	m, t := &e.mod8, &e.scratch
	sumLimbs(&t[0], &p.x, &p.z, m)
	differenceLimbs(&t[1], &p.x, &p.z, m)
	mulLimbs(&t[0], &t[0], &t[0], m)
	mulLimbs(&t[1], &t[1], &t[1], m)
	differenceLimbs(&t[2], &t[0], &t[1], m)
	mulLimbs(&t[1], &t[1], &e.den, m)
	mulLimbs(&t[3], &t[2], &e.num, m)
	sumLimbs(&t[3], &t[3], &t[1], m)
	mulLimbs(&r.x, &t[0], &t[1], m)
	mulLimbs(&r.z, &t[2], &t[3], m)
}

// meet multiplies acc by g.x b.z - b.x g.z for the babies b that hits names,
// where gxz is g.x g.z.
func (e *vector) meet(acc *residue8, g *point8, gxz *residue8, hits []uint16) {
	m, t := &e.mod8, &e.scratch
	switch m.path {
	case twoLimbs:
		meet8(acc, g, &e.babies[0], gxz, &e.xz[0], &hits[0], len(hits), m)
		return
	case inGo:
		meetGo(acc, g, e.babies[:], gxz, e.xz[:], hits, m)
		return
	}
	for _, j := range hits {
		b := &e.babies[j]
		differenceLimbs(&t[0], &g.x, &b.x, m)
		sumLimbs(&t[1], &g.z, &b.z, m)
		mulLimbs(&t[0], &t[0], &t[1], m)
		differenceLimbs(&t[0], &t[0], gxz, m)
		sumLimbs(&t[0], &t[0], &e.xz[j], m)
		mulLimbs(acc, acc, &t[0], m)
	}
}

// copyPoint sets r to p.
func (e *vector) copyPoint(r, p *point8) {
	copy(r.x[:e.limbs], p.x[:e.limbs])
	copy(r.z[:e.limbs], p.z[:e.limbs])
}

// at returns residue i of two limbs, below 2n.
func (r *residue8) at(i int) arith.Uint128 {
	lo, hi := r[0][i], r[1][i]
	hi += uint64(int64(lo) >> 52)
	return arith.Uint128{Hi: hi >> 12, Lo: hi<<52 | lo&limb}
}

// bigAt returns residue i.
func (e *vector) bigAt(r *residue8, i int) *big.Int {
	v := new(big.Int)
	for j := e.limbs - 1; j >= 0; j-- {
		v.Lsh(v, 52)
		v.Add(v, new(big.Int).SetInt64(int64(r[j][i])))
	}
	return v
}
