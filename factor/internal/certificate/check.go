package certificate

import (
	"fmt"
	"math/big"
	"math/bits"
)

// Check checks the certificate from its numbers alone: nil if it proves that c.N is prime,
// [ErrInvalid] with the reason if not. It calls stop, which may be nil, at every step and
// base and returns [ErrStopped] once that reports true.
func Check(c *Certificate, stop func() bool) error {
	k := checker{stop: stop}
	switch {
	case c.N.BitLen() > MaxBits:
		return fmt.Errorf("%w: more than %d bits", ErrInvalid, MaxBits)
	case len(c.Steps) > 0:
		return k.steps(c)
	case len(c.Factors) > 0:
		return k.factors(c)
	}
	return small(c.N)
}

// ErrStopped says that a check was given up because its caller asked for it.
var ErrStopped = fmt.Errorf("%w: the check was stopped", ErrInvalid)

var one = big.NewInt(1)

// checker asks whether to stop, and remembers that it is to.
type checker struct {
	stop   func() bool
	halted bool
}

func (k *checker) stopped() bool {
	k.halted = k.halted || k.stop != nil && k.stop()
	return k.halted
}

// brief returns the digits of v, or how many they are with the first ones.
func brief(v *big.Int) string {
	if s := v.String(); len(s) > 60 {
		return fmt.Sprintf("%s... (%d digits)", s[:40], len(s))
	}
	return v.String()
}

// small checks a prime below 2^64.
func small(n *big.Int) error {
	if n.Sign() <= 0 || n.BitLen() > smallBits || !isPrime(n.Uint64()) {
		return fmt.Errorf("%w: %s is not a prime below 2^64", ErrInvalid, brief(n))
	}
	return nil
}

// isPrime is the strong test to the first 12 prime bases, which has no counterexample
// below 3.1e23 (Sorenson and Webster, Math. Comp. 86 (2017)).
func isPrime(n uint64) bool {
	bases := [...]uint64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37}
	for _, p := range bases {
		if n%p == 0 {
			return n == p
		}
	}
	if n < 2 {
		return false
	}
	s := bits.TrailingZeros64(n - 1)
	for _, b := range bases {
		x, square := uint64(1), b%n
		for e := (n - 1) >> s; e > 0; e >>= 1 {
			if e&1 == 1 {
				x = mulMod(x, square, n)
			}
			square = mulMod(square, square, n)
		}
		passes := x == 1 || x == n-1
		for i := 1; i < s && !passes; i++ {
			x = mulMod(x, x, n)
			passes = x == n-1
		}
		if !passes {
			return false
		}
	}
	return true
}

// mulMod returns a b modulo n for a, b < n.
func mulMod(a, b, n uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return bits.Rem64(hi, lo, n)
}

// steps checks a certificate by elliptic curves.
func (k *checker) steps(c *Certificate) error {
	n := c.N
	for i := range c.Steps {
		s := &c.Steps[i]
		if k.stopped() {
			return ErrStopped
		}
		if s.N.Cmp(n) != 0 {
			return fmt.Errorf("%w: step %d is not about the prime of the step before", ErrInvalid, i+1)
		}
		q, why := s.check()
		if why != "" {
			return fmt.Errorf("%w: step %d: %s", ErrInvalid, i+1, why)
		}
		n = q
	}
	return small(n)
}

// check checks a step and returns the q that has to be prime, or why it does not hold.
func (s *Step) check() (q *big.Int, why string) {
	n := s.N
	if n.Sign() <= 0 || n.Bit(0) == 0 || n.BitLen() < 4 {
		return nil, "N is even or small"
	}
	if new(big.Int).Mul(s.T, s.T).Cmp(new(big.Int).Lsh(n, 2)) >= 0 {
		return nil, "t^2 is not below 4 N"
	}
	m := new(big.Int).Add(n, one)
	m.Sub(m, s.T)
	if s.S.Sign() <= 0 {
		return nil, "s is not positive"
	}
	q, rest := new(big.Int).QuoRem(m, s.S, new(big.Int))
	if rest.Sign() != 0 {
		return nil, "s does not divide N + 1 - t"
	}
	if !exceeds(q, n) || q.Cmp(n) >= 0 {
		return nil, "q = (N + 1 - t)/s is not between (N^(1/4) + 1)^2 and N"
	}
	for _, v := range []*big.Int{s.A, s.X, s.Y} {
		if v.Sign() < 0 || v.Cmp(n) >= 0 {
			return nil, "a, x and y are not residues modulo N"
		}
	}
	return q, s.checkPoint(q)
}

// exceeds reports whether q > (n^(1/4) + 1)^2, which is (sqrt(q) - 1)^4 > n; a q that
// exceeds it by less than one part in 2^60 does not count.
func exceeds(q, n *big.Int) bool {
	const shift = 64
	r := new(big.Int).Sqrt(new(big.Int).Lsh(q, 2*shift)) // below 2^64 sqrt(q)
	r.Sub(r, new(big.Int).Lsh(one, shift))
	if r.Sign() <= 0 {
		return false
	}
	r.Mul(r, r)
	return r.Mul(r, r).Cmp(new(big.Int).Lsh(n, 4*shift)) > 0
}

// checkPoint checks that the point has an order that q divides s times, modulo every
// prime divisor of N: Q = s (x, y) is not infinite, and (q - 1) Q = -Q.
func (s *Step) checkPoint(q *big.Int) (why string) {
	n := s.N
	// b = y^2 - x^3 - a x; 4 a^3 + 27 b^2 must have no factor in common with N.
	b := new(big.Int).Mul(s.X, s.X)
	b.Add(b, s.A).Mul(b, s.X)
	b.Sub(new(big.Int).Mul(s.Y, s.Y), b).Mod(b, n)
	d := new(big.Int).Mul(s.A, s.A)
	d.Mul(d, s.A).Lsh(d, 2)
	b.Mul(b, b)
	d.Add(d, b.Mul(b, big.NewInt(27)))
	if new(big.Int).GCD(nil, nil, d.Mod(d, n), n).Cmp(one) != 0 {
		return "the curve is singular"
	}
	x, y, ok := s.multiple(s.X, s.Y, s.S)
	if !ok {
		return "s times the point is infinite"
	}
	u, v, ok := s.multiple(x, y, new(big.Int).Sub(q, one))
	if !ok || u.Cmp(x) != 0 || v.Add(v, y).Cmp(n) != 0 {
		return "N + 1 - t times the point is not infinite"
	}
	return ""
}

// multiple returns e times the point (x, y), e > 0, from the left to the right. It works with
// (X/Z^2, Y/Z^3): every denominator that it would divide by is a factor of the last Z,
// so that one greatest common divisor tells whether all of them were units modulo N, and so
// all steps right modulo each of its divisors. It is not ok if one was not.
func (s *Step) multiple(x, y, e *big.Int) (u, v *big.Int, ok bool) {
	n := s.N
	mod := func(z *big.Int) *big.Int { return z.Mod(z, n) }
	mul := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Mul(a, b)) }
	sub := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Sub(a, b)) }
	X, Y, Z := x, y, one
	for i := e.BitLen() - 2; i >= 0; i-- {
		// The tangent has the slope (3 X^2 + a Z^4)/(2 Y Z).
		square := mul(Y, Y)
		c := mod(new(big.Int).Lsh(mul(X, square), 2))
		z2 := mul(Z, Z)
		slope := mod(new(big.Int).Add(new(big.Int).Mul(big.NewInt(3), mul(X, X)), mul(s.A, mul(z2, z2))))
		Z = mod(new(big.Int).Lsh(mul(Y, Z), 1))
		X = sub(mul(slope, slope), new(big.Int).Lsh(c, 1))
		Y = sub(mul(slope, sub(c, X)), new(big.Int).Lsh(mul(square, square), 3))
		if e.Bit(i) == 0 {
			continue
		}
		// The chord to (x, y) has the slope (y Z^3 - Y)/((x Z^2 - X) Z).
		z2 = mul(Z, Z)
		h, r := sub(mul(x, z2), X), sub(mul(y, mul(z2, Z)), Y)
		h2 := mul(h, h)
		h3, c := mul(h2, h), mul(X, h2)
		Z = mul(Z, h)
		X = sub(sub(mul(r, r), h3), new(big.Int).Lsh(c, 1))
		Y = sub(mul(r, sub(c, X)), mul(Y, h3))
	}
	inverse := new(big.Int).ModInverse(Z, n)
	if inverse == nil {
		return nil, nil, false
	}
	i2 := mul(inverse, inverse)
	return mul(X, i2), mul(Y, mul(i2, inverse)), true
}

// factors checks a certificate by factors of N - 1.
func (k *checker) factors(c *Certificate) error {
	n := c.N
	if n.Sign() <= 0 || n.Bit(0) == 0 || n.BitLen() < 4 {
		return fmt.Errorf("%w: N is even or small", ErrInvalid)
	}
	minus := new(big.Int).Sub(n, one)
	rest, F := new(big.Int).Set(minus), big.NewInt(1)
	for i := range c.Factors {
		f := &c.Factors[i]
		if k.stopped() {
			return ErrStopped
		}
		if err := k.factor(f, n); err != nil {
			return err
		}
		q, left := new(big.Int), new(big.Int)
		if left.Rem(rest, f.P).Sign() != 0 {
			return fmt.Errorf("%w: %s does not divide N - 1, or is there twice", ErrInvalid, brief(f.P))
		}
		for q.QuoRem(rest, f.P, left); left.Sign() == 0; q.QuoRem(rest, f.P, left) {
			rest.Set(q)
			F.Mul(F, f.P)
		}
		switch found := k.hasBase(f, n, minus); {
		case k.halted:
			return ErrStopped
		case !found:
			return fmt.Errorf("%w: %s has no base", ErrInvalid, brief(f.P))
		}
	}
	square := new(big.Int).Mul(F, F)
	if square.Cmp(n) > 0 {
		return nil
	}
	if new(big.Int).Mul(square, F).Cmp(n) <= 0 {
		return fmt.Errorf("%w: the factors of N - 1 do not reach its cube root", ErrInvalid)
	}
	d, first := new(big.Int).QuoRem(rest, F, new(big.Int))
	first.Mul(first, first).Sub(first, d.Lsh(d, 2))
	if root := new(big.Int); first.Sign() >= 0 && root.Mul(root.Sqrt(first), root).Cmp(first) == 0 {
		return fmt.Errorf("%w: N may be a product of two numbers that are 1 modulo F", ErrInvalid)
	}
	return nil
}

// factor checks that a factor of n - 1 is prime.
func (k *checker) factor(f *Factor, n *big.Int) error {
	if f.P.Sign() <= 0 || f.P.Cmp(n) >= 0 {
		return fmt.Errorf("%w: %s does not divide N - 1", ErrInvalid, brief(f.P))
	}
	if f.Proof == nil {
		return small(f.P)
	}
	if f.Proof.N.Cmp(f.P) != 0 {
		return fmt.Errorf("%w: the certificate of %s is about another number", ErrInvalid, brief(f.P))
	}
	return k.factors(f.Proof)
}

// hasBase reports whether the base of f is one for its prime; if f comes without a base,
// whether some small number is.
func (k *checker) hasBase(f *Factor, n, minus *big.Int) bool {
	if f.Proof != nil {
		return f.Base.Sign() > 0 && isBase(f.Base, f.P, n, minus) == 1
	}
	for b := int64(2); b < maxBase && !k.stopped(); b++ {
		if found := isBase(big.NewInt(b), f.P, n, minus); found != 0 {
			return found == 1
		}
	}
	return false
}

// isBase returns 1 if b^(n-1) = 1 and gcd(b^((n-1)/p) - 1, n) = 1 modulo n, 0 if another base
// may do, and -1 if n is composite.
func isBase(b, p, n, minus *big.Int) int {
	v := new(big.Int).Exp(b, new(big.Int).Quo(minus, p), n)
	if new(big.Int).Exp(v, p, n).Cmp(one) != 0 {
		return -1
	}
	switch g := new(big.Int).GCD(nil, nil, v.Sub(v, one), n); {
	case g.Cmp(one) == 0:
		return 1
	case g.Cmp(n) == 0:
		return 0
	}
	return -1
}
