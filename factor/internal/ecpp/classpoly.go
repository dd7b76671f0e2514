package ecpp

import (
	"math"
	"math/big"
)

// form is a reduced form (a, b, c), b >= 0. A pair is (a, -b, c), too.
type form struct {
	a, b int
	pair bool
}

// reducedForms returns those of a fundamental discriminant d < 0; see classNumbers.
func reducedForms(d int) (list []form) {
	for a := 1; 3*a*a <= -d; a++ {
		for b := -d & 1; b <= a; b += 2 {
			if v := b*b - d; v%(4*a) == 0 && v/(4*a) >= a {
				list = append(list, form{a, b, formsOf(a, b, v/(4*a)) == 2})
			}
		}
	}
	return list
}

// classPolynomial returns the coefficients of the Hilbert class polynomial of d but the
// first, which is 1, from that of x^0 on: the product of x - j over the roots of the reduced
// forms, which has integer coefficients (Cohen, section 7.6). nil says that stop reported true, or
// that the precision was too low, which no discriminant is known for.
func classPolynomial(d int, stop func() bool) []*big.Int {
	forms := reducedForms(d)
	// |j| is close to e^(pi sqrt|d|/a), and hardly more than 2,100 above (Enge, Math. Comp. 78
	// (2009), section 4), so this is the size of the largest coefficient, with some bits for each root.
	size, h := 0.0, 0
	for _, f := range forms {
		w := math.Log2(math.Exp(math.Pi*math.Sqrt(float64(-d))/float64(f.a)) + 2114)
		if math.IsInf(w, 1) {
			w = math.Pi * math.Sqrt(float64(-d)) / float64(f.a) / math.Ln2
		}
		size, h = size+w+1, h+1
		if f.pair {
			size, h = size+w+1, h+1
		}
	}
	c := newComplexes(uint(size) + guardBits(h))
	root := c.of(int64(-d))
	root.Sqrt(root)
	p := []*big.Float{c.of(1)}
	for _, f := range forms {
		if stop() {
			return nil
		}
		j := c.invariant(f.a, f.b, root)
		if !f.pair {
			p = c.times(p, []*big.Float{j.re.Neg(j.re), c.of(1)})
			continue
		}
		norm := c.norm(j)
		p = c.times(p, []*big.Float{norm, j.re.SetMantExp(j.re.Neg(j.re), 1), c.of(1)})
	}
	list := make([]*big.Int, h)
	for i := range list {
		if list[i] = nearest(p[i]); list[i] == nil {
			return nil
		}
	}
	return list
}

// times returns the product of two polynomials.
func (c *complexes) times(a, b []*big.Float) []*big.Float {
	z := make([]*big.Float, len(a)+len(b)-1)
	for i := range z {
		z[i] = c.of(0)
	}
	t := c.float()
	for i, x := range a {
		for j, y := range b {
			z[i+j].Add(z[i+j], t.Mul(x, y))
		}
	}
	return z
}

// nearest returns the integer that v is close to, nil if v is not close to any.
func nearest(v *big.Float) *big.Int {
	half := big.NewFloat(0.5)
	if v.Sign() < 0 {
		half.Neg(half)
	}
	n, _ := new(big.Float).SetPrec(v.Prec()).Add(v, half).Int(nil)
	d := new(big.Float).SetPrec(v.Prec()).SetInt(n)
	if d.Sub(d, v).Abs(d).Cmp(big.NewFloat(1.0/1024)) > 0 {
		return nil
	}
	return n
}
