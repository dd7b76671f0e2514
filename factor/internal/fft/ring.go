package fft

import (
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/stop"
)

// Ring is polynomials modulo n. Their coefficients are residues in the Montgomery form of
// its modulus, below n, one behind the other, lowest degree first. It is not safe for
// concurrent use.
type Ring struct {
	transformer
	m      *arith.MontN
	poller *stop.Poller
	k      int      // words of a coefficient
	term   []uint64 // one coefficient, scratch
}

// transformer has transforms of polynomials modulo n, in as many places as there are.
type transformer interface {
	// transform puts the transform of coefs, of that length, in place number i.
	transform(i int, coefs []uint64, length int)
	// multiply multiplies what is in place z by what is in place x.
	multiply(z, x int)
	// back takes the coefficients from on of the product whose transform is in place i, as
	// many as dst has room for. It uses up the transform.
	back(dst []uint64, i, from int)
}

// places is how many transforms there are at a time.
const places = 2

// NewRing returns polynomials modulo the modulus of m for products of at most length
// coefficients. It asks the poller, which may not be nil, now and then.
func NewRing(m *arith.MontN, length int, poller *stop.Poller) *Ring {
	var t transformer
	if size := m.Mod.BitLen(); inQuads(size) {
		t = newQuads(m, length)
	} else {
		t = newEights(m, length)
	}
	return newRing(m, t, poller)
}

func newRing(m *arith.MontN, t transformer, poller *stop.Poller) *Ring {
	return &Ring{transformer: t, m: m, k: len(m.N), poller: poller, term: make([]uint64, len(m.N))}
}

// Fast reports whether there is assembly for polynomials modulo numbers of that many bits.
func Fast(size int) bool { return cpu.IFMA || inQuads(size) }

// inQuads reports whether polynomials modulo numbers of that many bits are transformed four
// primes at a time: Go on a processor with neither is as fast with eight.
func inQuads(size int) bool { return cpu.AVX2 && !cpu.IFMA && size <= mostQuadBits }

// mostTerms bounds the coefficients of products of at most length coefficients: as many
// products of two residues modulo n are added up at most.
func mostTerms(n *big.Int, length int) *big.Int {
	v := new(big.Int).Mul(n, n)
	return v.Mul(v, big.NewInt(int64(max(1, (length+1)/2))))
}

// Product sets dst to the product of a and b, which has len(a) + len(b) - 1 coefficients.
func (r *Ring) Product(dst, a, b []uint64) {
	length := 1
	for length < len(dst)/r.k {
		length *= 2
	}
	r.transform(0, a, length)
	r.transform(1, b, length)
	r.multiply(0, 1)
	r.back(dst, 0, 0)
}
