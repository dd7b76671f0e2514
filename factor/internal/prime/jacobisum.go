package prime

import "sync"

// jacobiSum are the sums of a character chi of order p^k modulo the prime q, where
// p^k divides q - 1 exactly: chi(g^x) = zeta^x for a primitive root g (Cohen, A
// Course in Computational Algebraic Number Theory, section 9.1.4). They are
// polynomials in zeta of degree below (p-1) p^(k-1).
type jacobiSum struct {
	p, k   int
	j      []int64 // J(chi, chi); nothing for p^k = 2
	triple []int64 // J(chi, chi) J(chi, chi^2), for p = 2 and k > 2
	eighth []int64 // square of J(chi^(3e), chi^e), e = 2^(k-3), for p = 2 and k > 2
}

// characters are those of a prime q.
type characters struct {
	q    uint64
	sums func() []jacobiSum // computed once in a process, in time that grows with q: 1 ms for 60,000
	muls float64            // multiplications modulo a number for each of its bits
}

// jacobiTable has, for each of jacobiOrders, the characters of every odd prime q,
// ascending, with q - 1 dividing it.
var jacobiTable = sync.OnceValue(func() map[uint64][]characters {
	table := make(map[uint64][]characters)
	known := make(map[uint64]characters) // by q
	for _, t := range jacobiOrders {
		for _, q := range charactersOf(t) {
			c, ok := known[q]
			if !ok {
				c = characters{q: q, sums: sync.OnceValue(func() []jacobiSum { return sumsOf(q) })}
				for _, pp := range primePowers(q - 1) {
					degree := float64(pp.degree())
					c.muls += 0.7 * degree * (degree + 1)
				}
				known[q] = c
			}
			table[t] = append(table[t], c)
		}
	}
	return table
})

// charactersOf returns the odd primes q, ascending, with q - 1 dividing t.
func charactersOf(t uint64) (qs []uint64) {
	for q := uint64(3); q <= t+1; q += 2 {
		if t%(q-1) == 0 && IsPrime64(q) {
			qs = append(qs, q)
		}
	}
	return qs
}

// sumsOf returns the sums modulo the odd prime q, one for each prime that divides
// q - 1.
func sumsOf(q uint64) (sums []jacobiSum) {
	f := complements(q)
	for _, pp := range primePowers(q - 1) {
		s := jacobiSum{p: pp.p, k: pp.k}
		order := 1
		for range pp.k {
			order *= pp.p
		}
		switch {
		case order == 2:
		case pp.p > 2 || pp.k == 2:
			s.j = sumOf(f, pp.p, order, 1, 1)
		default:
			s.j = sumOf(f, pp.p, order, 1, 1)
			s.triple = timesModulo(s.j, sumOf(f, pp.p, order, 2, 1), pp.p, order)
			e := sumOf(f, pp.p, order, 3*order/8, order/8)
			s.eighth = timesModulo(e, e, pp.p, order)
		}
		sums = append(sums, s)
	}
	return sums
}

// primePower is p^k.
type primePower struct{ p, k int }

// degree is that of the roots of unity of order p^k: (p-1) p^(k-1).
func (pp primePower) degree() int {
	d := pp.p - 1
	for range pp.k - 1 {
		d *= pp.p
	}
	return d
}

// primePowers returns the prime powers that divide n exactly.
func primePowers(n uint64) (list []primePower) {
	for p := uint64(2); n > 1; p++ {
		if p*p > n {
			p = n
		}
		k := 0
		for ; n%p == 0; n /= p {
			k++
		}
		if k > 0 {
			list = append(list, primePower{int(p), k})
		}
	}
	return list
}

// complements returns f(x) for 1 <= x <= q-2, where 1 - g^x = g^f(x) for the least
// primitive root g of the prime q; f[0] is not used.
func complements(q uint64) []int {
	logs, powers := make([]int, q), make([]uint64, q-1)
	for g := uint64(2); ; g++ {
		v, x := uint64(1), uint64(0)
		for ; x == 0 || v != 1; x++ {
			powers[x], logs[v] = v, int(x)
			v = v * g % q
		}
		if x == q-1 {
			break
		}
	}
	f := make([]int, q-1)
	for x := range f[1:] {
		f[x+1] = logs[q+1-powers[x+1]]
	}
	return f
}

// sumOf returns the sum of zeta^(a x + b f(x)), zeta of the order.
func sumOf(f []int, p, order, a, b int) []int64 {
	count := make([]int64, order)
	for x := 1; x < len(f); x++ {
		count[(a*x+b*f[x])%order]++
	}
	return modulo(count, p, order)
}

// timesModulo returns the product of two polynomials in zeta.
func timesModulo(x, y []int64, p, order int) []int64 {
	z := make([]int64, order)
	for i, v := range x {
		for j, w := range y {
			z[(i+j)%order] += v * w
		}
	}
	return modulo(z, p, order)
}

// modulo reduces a polynomial of order coefficients to the degree of zeta, see
// cyclotomic.reduce.
func modulo(z []int64, p, order int) []int64 {
	step := order / p
	degree := order - step
	for i := degree; i < order; i++ {
		for j := i - degree; j < degree; j += step {
			z[j] -= z[i]
		}
	}
	return z[:degree]
}
