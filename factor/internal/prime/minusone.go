package prime

import (
	"encoding/binary"
	"math/big"
	"math/bits"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/wire"
)

// MinusOne is a proof that n is prime by prime factors of n - 1, which anyone can
// check in the time of a few powers modulo n: the primes, with all their powers in
// n - 1 multiplied to F, and R = (n-1)/F. If for each prime p there is a base a with
//
//	a^(n-1) = 1  and  gcd(a^((n-1)/p) - 1, n) = 1  modulo n,
//
// every divisor of n is 1 modulo F (Pocklington). That F is a little more than the
// cube root of n is then enough: Brillhart, Lehmer and Selfridge, Math. Comp. 29
// (1975), 620-647, theorem 5.
type MinusOne struct {
	n       *big.Int
	Factors []minusFactor
}

// minusFactor is a prime that divides n - 1.
type minusFactor struct {
	p     *big.Int
	Base  uint64
	proof *MinusOne // of p, nil below ProvenBelow
}

// Bounds of proofs, for what comes from elsewhere; proofs that are made have few
// factors, and each one inside another is of a number smaller by some bits.
const (
	maxMinusFactors = 48 // those of proofs inside included
	maxMinusDepth   = 6
	maxMinusBase    = 1 << 10
	maxMinusLambda  = 512 // divisors L F + 1 that are tried
)

// Check decides whether the proof holds: IsPrime, isComposite if it shows that n
// is not prime, or undecided. With choose it looks for the bases first.
func (c *MinusOne) Check(choose bool) verdict {
	minus := new(big.Int).Sub(c.n, arith.One)
	if c.n.Sign() <= 0 || c.n.Bit(0) == 0 || c.n.BitLen() < 3 || c.n.BitLen() > ProvableBits {
		return undecided
	}
	F, rest := big.NewInt(1), new(big.Int).Set(minus)
	for i := range c.Factors {
		p := c.Factors[i].p
		before := new(big.Int).Set(rest)
		if !takeOut(rest, p) {
			return undecided // not a factor, or one that is there twice
		}
		F.Mul(F, before.Quo(before, rest))
	}
	if F.Bit(0) == 1 {
		return undecided
	}
	lambda := lambdaFor(c.n, F, rest)
	if lambda < 0 {
		return undecided
	}
	for l := range int64(lambda) {
		d := big.NewInt(l + 1)
		if d.Mul(d, F).Add(d, arith.One); d.Cmp(c.n) < 0 && new(big.Int).Mod(c.n, d).Sign() == 0 {
			return isComposite
		}
	}
	return c.checkBases(minus, choose)
}

// checkBases checks, or chooses, the bases of all factors.
func (c *MinusOne) checkBases(minus *big.Int, choose bool) verdict {
	e := newPowers(c.n)
	product, v := big.NewInt(1), new(big.Int)
	fermat := make(map[uint64]bool) // bases whose power n - 1 has been seen to be 1
	for i := range c.Factors {
		f := &c.Factors[i]
		if !f.proven() {
			return undecided
		}
		exponent := new(big.Int).Quo(minus, f.p)
		if choose {
			f.Base = 2
		}
		for ; ; f.Base++ {
			if f.Base < 2 || f.Base >= maxMinusBase {
				return undecided
			}
			if choose && f.p.Cmp(arith.Two) == 0 && big.Jacobi(new(big.Int).SetUint64(f.Base), c.n) != -1 {
				continue
			}
			v = e.power(f.Base, exponent)
			if !fermat[f.Base] {
				if new(big.Int).Exp(v, f.p, c.n).Cmp(arith.One) != 0 {
					return isComposite
				}
				fermat[f.Base] = true
			}
			if v.Cmp(arith.One) != 0 || !choose {
				break
			}
		}
		product.Mul(product, v.Sub(v, arith.One)).Mod(product, c.n)
	}
	switch g := new(big.Int).GCD(nil, nil, product, c.n); {
	case g.Cmp(arith.One) == 0:
		return IsPrime
	case g.Cmp(c.n) == 0:
		return undecided
	}
	return isComposite
}

// proven reports whether the factor is prime, by itself or by its own proof.
func (f *minusFactor) proven() bool {
	if f.proof != nil {
		return f.proof.n.Cmp(f.p) == 0 && f.proof.Check(false) == IsPrime
	}
	return KnownPrime(f.p)
}

// KnownPrime reports whether p is a prime that needs no proof of its own.
func KnownPrime(p *big.Int) bool {
	switch {
	case p.BitLen() > 128 || p.Sign() <= 0:
		return false
	case p.BitLen() > 64:
		return p.Bit(0) == 1 && Grade128(arith.Uint128Of(p.Bytes())) == Proven
	}
	v := p.Uint64()
	return v == 2 || v > 2 && v&1 == 1 && IsPrime64(v)
}

// takeOut takes all powers of p > 1 out of n and reports whether there was one.
func takeOut(n, p *big.Int) bool {
	if p.Cmp(arith.One) <= 0 {
		return false
	}
	var q, rem big.Int
	any := false
	for {
		if q.QuoRem(n, p, &rem); rem.Sign() != 0 {
			return any
		}
		n.Set(&q)
		any = true
	}
}

// lambdaFor returns how many of the numbers L F + 1, L = 1, 2, ..., must be known
// not to divide n, so that theorem 5 decides, where n - 1 = F R; -1 if F is too
// small, or if the theorem says that n is composite. It is an m of the theorem
// less one: with R = 2F s + r it asks for n < (mF + 1)(2F^2 + (r-m)F + 1), and
// r^2 - 8s must be no square unless s = 0.
func lambdaFor(n, F, R *big.Int) int {
	if 3*F.BitLen()+2+bits.Len(maxMinusLambda) < n.BitLen() {
		return -1
	}
	F2 := new(big.Int).Lsh(F, 1)
	s, r := new(big.Int).QuoRem(R, F2, new(big.Int))
	if s.Sign() != 0 {
		t := new(big.Int).Mul(r, r)
		if t.Sub(t, new(big.Int).Lsh(s, 3)); t.Sign() >= 0 {
			if _, square := arith.SquareRootBig(t); square {
				return -1
			}
		}
	}
	// The first m that may do is n/(F^2 (2F + r)), and hardly more.
	d := new(big.Int).Add(F2, r)
	d.Mul(d, F).Mul(d, F)
	q := d.Quo(n, d)
	if !q.IsInt64() || q.Int64() >= maxMinusLambda {
		return -1
	}
	for m := max(q.Int64(), 1); m <= maxMinusLambda; m++ {
		M := big.NewInt(m)
		a := new(big.Int).Mul(M, F)
		a.Add(a, arith.One)
		b := new(big.Int).Sub(r, M)
		b.Add(b, F2).Mul(b, F).Add(b, arith.One)
		if n.Cmp(a.Mul(a, b)) < 0 {
			return int(m - 1)
		}
		if m > q.Int64()+2 {
			break
		}
	}
	return -1
}

// powers takes powers of small bases modulo n.
type powers struct {
	n    *big.Int
	m    *arith.Mont128 // from 65 to 128 bits
	long *arith.MontN   // above, for odd n
}

func newPowers(n *big.Int) *powers {
	e := &powers{n: n}
	switch {
	case n.BitLen() <= 64:
	case n.BitLen() <= 128:
		e.m = arith.NewMont128(arith.Uint128Of(n.Bytes()))
	case arith.Assembly(n.BitLen()):
		e.long = arith.NewMontN(n)
	}
	return e
}

// power returns base^e modulo n for e > 0.
func (e *powers) power(base uint64, exponent *big.Int) *big.Int {
	if m := e.long; m != nil {
		b, x := make([]uint64, len(m.N)), make([]uint64, len(m.N))
		m.To(b, new(big.Int).SetUint64(base))
		m.Power(x, b, exponent)
		return m.From(x)
	}
	if e.m == nil {
		return new(big.Int).Exp(new(big.Int).SetUint64(base), exponent, e.n)
	}
	w := arith.Uint128Of(exponent.Bytes())
	b := e.m.To(arith.Uint128{Lo: base})
	x := b
	for i := w.Len() - 2; i >= 0; i-- {
		x = e.m.Mul(x, x)
		if w.Bit(i) == 1 {
			x = e.m.Mul(x, b)
		}
	}
	return e.m.From(x).Big()
}

// Encode appends the proof without its number.
func (c *MinusOne) Encode(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(c.Factors)))
	for i := range c.Factors {
		f := &c.Factors[i]
		b = wire.AppendBlob(b, f.p.Bytes())
		b = binary.AppendUvarint(b, f.Base)
		if f.proof == nil {
			b = append(b, 0)
		} else {
			b = f.proof.Encode(append(b, 1))
		}
	}
	return b
}

// ReadMinusOne reads what encode wrote for n, nil if it is not sound; whether it
// proves anything is another matter.
func ReadMinusOne(r *wire.Reader, n *big.Int) *MinusOne {
	left := uint64(maxMinusFactors)
	return readInner(r, n, 0, &left)
}

// readInner reads a proof that is inside of depth others, with left factors to go.
func readInner(r *wire.Reader, n *big.Int, depth int, left *uint64) *MinusOne {
	count := r.Uvarint()
	if r.Bad || count > *left || depth > maxMinusDepth {
		return nil
	}
	*left -= count
	c := &MinusOne{n: n}
	for range count {
		f := minusFactor{p: new(big.Int).SetBytes(r.Blob(ProvableBits / 8))}
		f.Base = r.Uvarint()
		inner := r.Byte()
		if r.Bad || inner > 1 || f.p.Cmp(n) >= 0 {
			return nil
		}
		if inner == 1 {
			if f.proof = readInner(r, f.p, depth+1, left); f.proof == nil {
				return nil
			}
		}
		c.Factors = append(c.Factors, f)
	}
	return c
}
