package prime

import (
	"math/big"

	"fairfactor/factor/internal/arith"
)

// cyclotomic is arithmetic in Z[zeta]/n for a root of unity zeta of order p^k,
// over Montgomery residues modulo n. An element is a row of degree coefficients
// of that many words each, that of zeta^0 first.
type cyclotomic struct {
	m      *arith.MontN
	two    *arith.Mont128 // instead of m for n of two words, which is twice as fast
	words  int
	p      int
	order  int // p^k
	step   int // p^(k-1)
	degree int // (p-1) p^(k-1)

	acc []uint64 // product before its reduction, or an image: coefficients
	t   []uint64 // one coefficient

	sums   *arith.Sums // of products of coefficients; nil without
	wide   []uint64    // sums, for each power of zeta
	double []uint64    // twice an element
}

// newCyclotomic returns the ring for roots of order p^k, p prime.
func newCyclotomic(m *arith.MontN, p, k int) *cyclotomic {
	c := &cyclotomic{m: m, words: len(m.N), p: p, step: 1}
	for range k - 1 {
		c.step *= p
	}
	c.order = p * c.step
	c.degree = c.order - c.step
	c.acc = make([]uint64, max(2*c.degree-1, c.order)*c.words)
	c.t = make([]uint64, c.words)
	if c.words == 2 {
		c.two = arith.NewMont128(arith.Uint128{Hi: m.N[1], Lo: m.N[0]})
	}
	if c.degree > 1 {
		c.sums = arith.NewSums(m, c.degree)
	}
	if c.sums != nil {
		c.wide = make([]uint64, 2*c.order*c.words)
		c.double = c.element()
	}
	return c
}

// element returns a new element, zero.
func (c *cyclotomic) element() []uint64 { return make([]uint64, c.degree*c.words) }

// at returns coefficient i of the row x.
func (c *cyclotomic) at(x []uint64, i int) []uint64 { return x[i*c.words : (i+1)*c.words] }

// product sets z to the product of two coefficients.
func (c *cyclotomic) product(z, x, y []uint64) {
	if c.two == nil && &x[0] == &y[0] {
		c.m.Square(z, x)
		return
	}
	if c.two == nil {
		c.m.Mul(z, x, y)
		return
	}
	v := c.two.Mul(arith.Uint128{Hi: x[1], Lo: x[0]}, arith.Uint128{Hi: y[1], Lo: y[0]})
	z[0], z[1] = v.Lo, v.Hi
}

// plus sets z to the sum of two coefficients.
func (c *cyclotomic) plus(z, x, y []uint64) {
	if c.two == nil {
		c.m.Add(z, x, y)
		return
	}
	v := c.two.Add(arith.Uint128{Hi: x[1], Lo: x[0]}, arith.Uint128{Hi: y[1], Lo: y[0]})
	z[0], z[1] = v.Lo, v.Hi
}

// minus sets z to the difference of two coefficients.
func (c *cyclotomic) minus(z, x, y []uint64) {
	if c.two == nil {
		c.m.Sub(z, x, y)
		return
	}
	v := c.two.Sub(arith.Uint128{Hi: x[1], Lo: x[0]}, arith.Uint128{Hi: y[1], Lo: y[0]})
	z[0], z[1] = v.Lo, v.Hi
}

// set sets z to the element with small coefficients.
func (c *cyclotomic) set(z []uint64, coefficients []int64) {
	clear(z)
	for i, v := range coefficients {
		y := c.at(z, i)
		clear(c.t)
		if y[0] = uint64(v); v < 0 {
			y[0] = uint64(-v)
			c.minus(y, c.t, y)
		}
		c.product(y, y, c.m.R2)
	}
}

// one sets z to 1.
func (c *cyclotomic) one(z []uint64) {
	clear(z)
	copy(z, c.m.One)
}

// mul sets z, which may be x or y, to x*y.
func (c *cyclotomic) mul(z, x, y []uint64) {
	d := c.degree
	if c.sums != nil {
		clear(c.wide)
		for i := range d {
			for j := range d {
				c.sums.Add(c.sum(i+j), c.at(x, i), c.at(y, j))
			}
		}
		c.narrow(z)
		return
	}
	for s := range 2*d - 1 {
		sum := c.at(c.acc, s)
		from := max(0, s-d+1)
		c.product(sum, c.at(x, from), c.at(y, s-from))
		for i := from + 1; i <= min(s, d-1); i++ {
			c.product(c.t, c.at(x, i), c.at(y, s-i))
			c.plus(sum, sum, c.t)
		}
	}
	c.reduce(z, 2*d-1)
}

// square sets z, which may be x, to x^2.
func (c *cyclotomic) square(z, x []uint64) {
	d := c.degree
	if c.sums != nil {
		clear(c.wide)
		for i := range d {
			twice := c.at(c.double, i)
			c.plus(twice, c.at(x, i), c.at(x, i))
			c.sums.Add(c.sum(2*i), c.at(x, i), c.at(x, i))
			for j := range i {
				c.sums.Add(c.sum(i+j), twice, c.at(x, j))
			}
		}
		c.narrow(z)
		return
	}
	for s := range 2*d - 1 {
		sum := c.at(c.acc, s)
		i := max(0, s-d+1)
		if i == s-i {
			c.product(sum, c.at(x, i), c.at(x, i))
			continue
		}
		c.product(sum, c.at(x, i), c.at(x, s-i))
		for i++; i < s-i; i++ {
			c.product(c.t, c.at(x, i), c.at(x, s-i))
			c.plus(sum, sum, c.t)
		}
		c.plus(sum, sum, sum)
		if i == s-i {
			c.product(c.t, c.at(x, i), c.at(x, i))
			c.plus(sum, sum, c.t)
		}
	}
	c.reduce(z, 2*d-1)
}

// sum returns the sum for zeta^i, i < 2 order.
func (c *cyclotomic) sum(i int) []uint64 {
	if i >= c.order {
		i -= c.order
	}
	return c.wide[2*i*c.words:][:2*c.words]
}

// narrow sets z to the element whose sums are in wide; see reduce.
func (c *cyclotomic) narrow(z []uint64) {
	for i := range c.degree {
		c.sums.Narrow(c.at(z, i), c.sum(i), c.sum(c.degree+i%c.step))
	}
}

// reduce sets z to the polynomial acc of count coefficients at zeta: zeta^order
// is 1, and the powers zeta^(i + j step), j < p, add up to nothing.
func (c *cyclotomic) reduce(z []uint64, count int) {
	for i := c.order; i < count; i++ {
		low := c.at(c.acc, i-c.order)
		c.plus(low, low, c.at(c.acc, i))
	}
	for i := c.degree; i < min(count, c.order); i++ {
		for j := i - c.degree; j < c.degree; j += c.step {
			low := c.at(c.acc, j)
			c.minus(low, low, c.at(c.acc, i))
		}
	}
	copy(z, c.acc[:c.degree*c.words])
}

// conjugate sets z, which may be x, to x with zeta^a in the place of zeta, a > 0
// prime to p.
func (c *cyclotomic) conjugate(z, x []uint64, a int) {
	clear(c.acc[:c.order*c.words])
	for i := range c.degree {
		copy(c.at(c.acc, i*a%c.order), c.at(x, i))
	}
	c.reduce(z, c.order)
}

// windowBits is how many bits of an exponent are taken at once.
const windowBits = 5

// power sets z to x^e, e >= 0, with sliding windows; z is not x.
func (c *cyclotomic) power(z, x []uint64, e *big.Int) {
	c.one(z)
	var odd [1 << (windowBits - 1)][]uint64 // Odd powers of x
	odd[0] = x
	if e.BitLen() > windowBits {
		x2 := c.element()
		c.square(x2, x)
		for i := 1; i < len(odd); i++ {
			odd[i] = c.element()
			c.mul(odd[i], odd[i-1], x2)
		}
	}
	started := false
	for i := e.BitLen() - 1; i >= 0; {
		low := i
		if e.BitLen() > windowBits {
			low = max(i-windowBits+1, 0)
		}
		if e.Bit(i) == 0 {
			c.square(z, z)
			i--
			continue
		}
		for e.Bit(low) == 0 {
			low++
		}
		v := 0
		for ; i >= low; i-- {
			v = v<<1 | int(e.Bit(i))
			if started {
				c.square(z, z)
			}
		}
		if started {
			c.mul(z, z, odd[v/2])
		} else {
			copy(z, odd[v/2])
			started = true
		}
	}
}

// symbolic sets z to the product of the conjugates of x by 1/a, each to the
// exponent of its a, for all a prime to p below the order; z is not x.
func (c *cyclotomic) symbolic(z, x []uint64, exponent func(a int) int) {
	most := 0
	images := make([][]uint64, c.order)
	for a := 1; a < c.order; a++ {
		if a%c.p == 0 || exponent(a) == 0 {
			continue
		}
		most = max(most, exponent(a))
		images[a] = c.element()
		c.conjugate(images[a], x, c.inverse(a))
	}
	c.one(z)
	started := false
	for bit := 1 << 16; bit > 0; bit >>= 1 {
		if bit > most {
			continue
		}
		if started {
			c.square(z, z)
		}
		for a, y := range images {
			if y != nil && exponent(a)&bit != 0 {
				c.mul(z, z, y)
				started = true
			}
		}
	}
}

// inverse returns 1/a modulo the order.
func (c *cyclotomic) inverse(a int) int {
	for b := 1; ; b++ {
		if a*b%c.order == 1 {
			return b
		}
	}
}

// rootOfUnity returns i, 0 <= i < order, with x = zeta^i, or -1.
func (c *cyclotomic) rootOfUnity(x []uint64) int {
	y := c.element()
	for i := range c.order {
		clear(c.acc[:c.order*c.words])
		copy(c.at(c.acc, i), c.m.One)
		c.reduce(y, c.order)
		same := true
		for j := range y {
			same = same && x[j] == y[j]
		}
		if same {
			return i
		}
	}
	return -1
}
