package pm1

import (
	"iter"
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/stop"
)

// Runner runs the work of turns on one thread.
type Runner struct{ *stop.Poller }

// lucasStarts are P of the Lucas sequences as fractions. With 2/7 P^2 - 4 is -192/49, -3
// times a square, so p+1 is found for p = 2 modulo 3 and p-1 for the others. With 6/5 it is
// -64/25, which is that for p = 3 modulo 4.
var lucasStarts = [Methods]struct{ over, under int64 }{Plus: {2, 7}, Plus4: {6, 5}}

// Run runs w on n, whose bytes are in it, and returns a proper factor, or the residue that
// stage 1 reached, or neither. Nothing holds if it was stopped.
func (r Runner) Run(n *big.Int, w *Work) (d, x *big.Int) {
	s := &search{Poller: r.Poller, n: n, m: arith.NewMontN(n), method: w.Method, plus: w.Method != Minus}
	if len(w.X) > 0 {
		x = new(big.Int).SetBytes(w.X)
		x.Mod(x, n)
	} else if x = s.start(); x == nil {
		return nil, nil
	}
	if d = s.factor(x); d.Cmp(arith.One) != 0 && d.Cmp(n) != 0 {
		return d, nil
	}
	d = nil
	if w.Hi != 0 {
		d, x = s.stage1(x, w.B1, w.Lo, w.Hi)
	}
	if d == nil && w.To != 0 && !r.Stopped() && x != nil {
		d = s.stage2(x, w.From, w.To)
	}
	if r.Stopped() {
		return nil, nil
	}
	return d, x
}

// search is the arithmetic modulo n.
type search struct {
	*stop.Poller
	n      *big.Int
	m      *arith.MontN
	method Method
	plus   bool

	unasked float64 // nanoseconds of multiplications since worked asked
}

// startBits is the size up to which the power n - 1 takes a part of a turn only.
const startBits = 2048

// start returns the residue that stage 1 begins with, nil if n is a multiple of 5 or 7. That is
// 3^(n-1), so that a prime p is found, too, if what p - 1 and n - 1 do not have in common is
// smooth; and the term n^2 - 1 of the Lucas sequence for p+1. Above startBits it is 3, or
// the term 1.
func (s *search) start() *big.Int {
	minus := new(big.Int).Sub(s.n, arith.One)
	x := big.NewInt(3)
	if s.plus {
		start := lucasStarts[s.method]
		if x.ModInverse(big.NewInt(start.under), s.n) == nil {
			return nil
		}
		x.Mul(x, big.NewInt(start.over)).Mod(x, s.n)
	}
	if s.n.BitLen() > startBits {
		return x
	}
	y := s.raise(x, minus)
	if s.plus {
		y = s.raise(y, minus.Add(s.n, arith.One))
	}
	if s.factor(y).Cmp(s.n) == 0 {
		return x // a pseudoprime
	}
	return y
}

// factor returns the factor of n that x shows, x as stage 1 leaves it: x = 1, or x = 2 if
// it is a term of a Lucas sequence. It returns 1 if it shows nothing and n if it shows all.
func (s *search) factor(x *big.Int) *big.Int {
	unit := arith.One
	if s.plus {
		unit = arith.Two
	}
	d := new(big.Int).Sub(x, unit)
	return d.GCD(nil, nil, d.Abs(d), s.n)
}

// pieceBits is the size of the exponents that stage 1 gathers before it uses them: about
// a millisecond, so that a stop is heard.
func (s *search) pieceBits() int {
	return int(min(max(1e6/mulNanos(len(s.m.N)), 16), 4096))
}

// worked notes that many multiplications, asks after some milliseconds of them, and
// reports whether to give up.
func (s *search) worked(multiplications int) bool {
	const askEvery = 2e6 // nanoseconds
	if s.unasked += float64(multiplications) * mulNanos(len(s.m.N)); s.unasked < askEvery {
		return s.Stopped()
	}
	s.unasked = 0
	return s.Poll()
}

// primeSpan is the range in which primes are listed at once: a millisecond or two, and half
// a megabyte, whatever the range of a turn.
const primeSpan = 1 << 18

// primes are those from lo to below hi, until the turn is to stop.
func (s *search) primes(lo, hi uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		var list []uint64
		for ; lo < hi && !s.Poll(); lo += primeSpan {
			list = arith.PrimesBetween(list[:0], lo, min(lo+primeSpan, hi))
			for _, p := range list {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// stage1 raises x to all prime powers up to b1 of the primes lo <= p < hi, and returns
// the residue and what it shows: a proper factor, or nil. If all factors come at once
// they are told apart by going back, and if they come with the same prime x is nil.
func (s *search) stage1(x *big.Int, b1, lo, hi uint64) (d, reached *big.Int) {
	before, since := x, []uint64(nil) // the last look, and the primes since then
	look := func() (d *big.Int, over bool) {
		switch d := s.factor(x); {
		case d.Cmp(s.n) == 0:
			return s.retrace(before, b1, since), true
		case d.Cmp(arith.One) != 0:
			return d, true
		}
		before, since = x, since[:0]
		return nil, false
	}
	exponent, size := big.NewInt(1), s.pieceBits()
	pieces := 0
	for p := range s.primes(lo, hi) {
		q, most := p, powerBound(p, b1)
		for q <= most/p {
			q *= p
		}
		exponent.Mul(exponent, new(big.Int).SetUint64(q))
		since = append(since, p)
		if exponent.BitLen() < size {
			continue
		}
		if s.Poll() {
			return nil, nil
		}
		x = s.raise(x, exponent)
		exponent.SetUint64(1)
		if pieces++; pieces%checkEvery != 0 {
			continue
		}
		if d, over := look(); over {
			return d, nil
		}
	}
	if s.Stopped() {
		return nil, nil
	}
	x = s.raise(x, exponent)
	if d, over := look(); over {
		return d, nil
	}
	return nil, x
}

// powerBound bounds the powers of the prime p in stage 1: b1, but more for small primes,
// which costs little and does not let p - 1 be missed for a power of 3.
func powerBound(p, b1 uint64) uint64 {
	const (
		manyFrom, small = 1 << 15, 1 << 11
		smallTo         = 1 << 44
	)
	switch {
	case b1 >= manyFrom && p < small:
		return max(b1, smallTo)
	case b1 < manyFrom && p*p <= b1:
		return b1 * b1
	}
	return b1
}

// checkEvery is after how many pieces stage 1 looks whether there is a factor.
const checkEvery = 16

// retrace takes the primes one by one and returns the first proper factor, nil if all
// come with the same one.
func (s *search) retrace(x *big.Int, b1 uint64, primes []uint64) *big.Int {
	for _, p := range primes {
		for q := p; ; q *= p {
			if s.Poll() {
				return nil
			}
			x = s.raise(x, new(big.Int).SetUint64(p))
			if d := s.factor(x); d.Cmp(arith.One) != 0 {
				if d.Cmp(s.n) == 0 {
					return nil
				}
				return d
			}
			if q > powerBound(p, b1)/p {
				break
			}
		}
	}
	return nil
}

// raise returns x^e, or the term e of the Lucas sequence with the term x at 1.
func (s *search) raise(x, e *big.Int) *big.Int {
	if s.plus {
		return s.lucas(x, e)
	}
	if len(s.m.N) > mostWords {
		return new(big.Int).Exp(x, e, s.n)
	}
	m := s.m
	k := len(m.N)
	const window = 5
	odd := make([]uint64, k<<(window-1)) // odd powers of x
	square, z := make([]uint64, k), make([]uint64, k)
	m.To(odd[:k], x)
	m.Mul(square, odd[:k], odd[:k])
	for i := k; i < len(odd); i += k {
		m.Mul(odd[i:i+k], odd[i-k:i], square)
	}
	copy(z, m.One)
	for i := e.BitLen() - 1; i >= 0; {
		if e.Bit(i) == 0 {
			m.Mul(z, z, z)
			i--
			continue
		}
		low := max(i-window+1, 0)
		for e.Bit(low) == 0 {
			low++
		}
		v := 0
		for ; i >= low; i-- {
			v = v<<1 | int(e.Bit(i))
			m.Mul(z, z, z)
		}
		v /= 2
		m.Mul(z, z, odd[v*k:(v+1)*k])
	}
	return m.From(z)
}

// lucas returns V(e) for the sequence with V(0) = 2 and V(1) = x, e > 0, or anything if the
// turn is to stop.
func (s *search) lucas(x, e *big.Int) *big.Int {
	m := s.m
	k := len(m.N)
	room := make([]uint64, 4*k)
	P, two, v, w := room[:k], room[k:2*k], room[2*k:3*k], room[3*k:]
	m.Add(two, m.One, m.One)
	m.To(P, x)
	copy(v, P) // V(i)
	m.Mul(w, P, P)
	m.Sub(w, w, two) // V(i+1)
	for i := e.BitLen() - 2; i >= 0 && !s.worked(2); i-- {
		a, b := v, w // the one whose index is doubled, and the other
		if e.Bit(i) == 1 {
			a, b = w, v
		}
		m.Mul(b, b, a)
		m.Sub(b, b, P)
		m.Mul(a, a, a)
		m.Sub(a, a, two)
	}
	return m.From(v)
}
