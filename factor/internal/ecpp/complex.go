package ecpp

import (
	"math/big"
	"math/bits"
)

// complexes computes with complex numbers of prec bits.
type complexes struct {
	prec uint
	pi   *big.Float
}

// number is a complex number.
type number struct{ re, im *big.Float }

// newComplexes prepares numbers of prec bits.
func newComplexes(prec uint) *complexes {
	// pi = 16 arctan(1/5) - 4 arctan(1/239) (Machin), in units of 2^-scale
	scale := prec + 32
	pi := arcCot(5, scale)
	pi.Lsh(pi, 2).Sub(pi, arcCot(239, scale)).Lsh(pi, 2)
	f := new(big.Float).SetPrec(prec).SetInt(pi)
	return &complexes{prec: prec, pi: f.SetMantExp(f, -int(scale))}
}

// arcCot returns arctan(1/k) in units of 2^-scale.
func arcCot(k int64, scale uint) *big.Int {
	power := new(big.Int).Lsh(big.NewInt(1), scale)
	power.Quo(power, big.NewInt(k))
	sum, square, term := new(big.Int), big.NewInt(k*k), new(big.Int)
	for i := int64(1); power.Sign() != 0; i += 2 {
		term.Quo(power, big.NewInt(i))
		if i%4 == 1 {
			sum.Add(sum, term)
		} else {
			sum.Sub(sum, term)
		}
		power.Quo(power, square)
	}
	return sum
}

func (c *complexes) float() *big.Float { return new(big.Float).SetPrec(c.prec) }

func (c *complexes) of(v int64) *big.Float { return c.float().SetInt64(v) }

func (c *complexes) mul(a, b number) number {
	re, im := c.float().Mul(a.re, b.re), c.float().Mul(a.re, b.im)
	t := c.float()
	return number{re.Sub(re, t.Mul(a.im, b.im)), im.Add(im, c.float().Mul(a.im, b.re))}
}

// quo returns a/b.
func (c *complexes) quo(a, b number) number {
	norm := c.norm(b)
	z := c.mul(a, number{b.re, c.float().Neg(b.im)})
	return number{z.re.Quo(z.re, norm), z.im.Quo(z.im, norm)}
}

// norm returns |a|^2.
func (c *complexes) norm(a number) *big.Float {
	z := c.float().Mul(a.re, a.re)
	return z.Add(z, c.float().Mul(a.im, a.im))
}

func (c *complexes) add(a, b number) number {
	return number{c.float().Add(a.re, b.re), c.float().Add(a.im, b.im)}
}

// exp returns e^a: the series for a over a power of two, then squares.
func (c *complexes) exp(a number) number {
	const halvings = 16
	size := max(a.re.MantExp(nil), a.im.MantExp(nil), 0) + halvings
	small := number{c.float().SetMantExp(a.re, -size), c.float().SetMantExp(a.im, -size)}
	sum, term := number{c.of(1), c.of(0)}, number{c.of(1), c.of(0)}
	for i := int64(1); ; i++ {
		term = c.mul(term, small)
		d := c.of(i)
		term.re.Quo(term.re, d)
		term.im.Quo(term.im, d)
		sum = c.add(sum, term)
		if max(exponent(term.re), exponent(term.im)) < -int(c.prec) {
			break
		}
	}
	for range size {
		sum = c.mul(sum, sum)
	}
	return sum
}

// exponent is about the binary logarithm of |v|, very small for 0.
func exponent(v *big.Float) int {
	if v.Sign() == 0 {
		return -1 << 30
	}
	return v.MantExp(nil)
}

// invariant returns j(tau) for tau = (-b + sqrt(d))/2a, the root of a reduced form, by
//
//	f = Delta(2 tau)/Delta(tau) and j = (256 f + 1)^3/f
//
// (Cohen, section 7.6.1), Delta as a power of Euler's product.
func (c *complexes) invariant(a, b int, root *big.Float) number {
	z := number{c.float().Neg(root), c.of(int64(-b))}
	for _, v := range []*big.Float{z.re, z.im} {
		v.Mul(v, c.pi)
		v.Quo(v, c.of(int64(a)))
	}
	q := c.exp(z) // e^(2 pi i tau)
	r := c.quo(c.euler(c.mul(q, q)), c.euler(q))
	r2 := c.mul(r, r)
	r = c.mul(c.mul(r2, r2), c.mul(r2, r2)) // power 8
	f := c.mul(q, c.mul(c.mul(r, r), r))
	g := number{c.float().SetMantExp(f.re, 8), c.float().SetMantExp(f.im, 8)}
	g.re.Add(g.re, c.of(1))
	return c.quo(c.mul(g, c.mul(g, g)), f)
}

// euler returns the product of 1 - q^n, n = 1, 2, ..., for |q| < 0.01 by the pentagonal numbers:
// the sum of (-1)^n q^(n(3n-1)/2) over all integers n.
func (c *complexes) euler(q number) number {
	sum := number{c.of(1), c.of(0)}
	least := -int(c.prec) - 2
	power := number{c.of(1), c.of(0)} // q^(n(3n-1)/2)
	step := q                         // q^(3n-2), from the one before
	qn := q                           // q^n
	q3 := c.mul(q, c.mul(q, q))
	for n := 1; ; n++ {
		power = c.mul(power, step)
		both := c.add(power, c.mul(power, qn))
		if max(exponent(both.re), exponent(both.im)) < least {
			return sum
		}
		if n%2 == 1 {
			both.re.Neg(both.re)
			both.im.Neg(both.im)
		}
		sum = c.add(sum, both)
		step, qn = c.mul(step, q3), c.mul(qn, q)
	}
}

// guardBits is how many bits more than its coefficients a product of many factors is
// computed with.
func guardBits(factors int) uint { return 64 + 2*uint(bits.Len(uint(factors))) }
