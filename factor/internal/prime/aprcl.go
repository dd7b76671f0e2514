package prime

import (
	"cmp"
	"math"
	"math/big"
	"slices"

	"fairfactor/factor/internal/arith"
)

// APR-CL, the primality test of Adleman, Pomerance and Rumely (Annals of Math. 117
// (1983), 173-206) as Cohen and H. W. Lenstra (Math. Comp. 42 (1984), 297-330) made
// it fast; here as in Cohen, A Course in Computational Algebraic Number Theory,
// algorithm 9.1.28.
//
// Notation: n is the number; t an order and s a product of odd prime powers
// q^(v_q(t)+1) with q - 1 dividing t, so that a^t = 1 modulo s for all a prime to
// s. For every q in s and every p^k that divides q - 1 exactly, a Jacobi sum must
// behave modulo n as it does modulo a prime. With condition L_p for every p that
// divides t this means that every divisor of n is a power of n modulo s. If s^2 >
// n it remains to see that none of n^i mod s, i < t, divides n.

// jacobiOrders are the orders tried, those of many characters for their size. The s of 5040
// is 2^167.3, enough for AtOnceBits, that of 60,480 is 2^377, enough for ProvableBits.
var jacobiOrders = [...]uint64{
	12, 24, 36, 60, 72, 120, 180, 240, 360, 420, 720, 840, 1260, 1680, 2520, 5040,
	7560, 10_080, 12_600, 15_120, 25_200, 30_240, 32_760, 45_360, 55_440, 60_480,
}

// jacobiPlan is what a number of a size is tested with.
type jacobiPlan struct {
	t    uint64
	of   []characters // of the primes of s, ascending
	s    *big.Int
	cost float64 // multiplications modulo the number, roughly
}

// planJacobi returns the plan that takes the fewest multiplications; nil if no
// order is large enough, and for n so small that s might reach it.
func planJacobi(n *big.Int) *jacobiPlan {
	const smallest = 48
	if n.BitLen() < smallest {
		return nil
	}
	var best *jacobiPlan
	for _, t := range jacobiOrders {
		p := planFor(t, n.BitLen())
		if p != nil && (best == nil || p.cost < best.cost) {
			best = p
		}
	}
	if best == nil {
		return nil
	}
	best.s = big.NewInt(1)
	for i := range best.of {
		best.s.Mul(best.s, new(big.Int).SetUint64(modulusOf(best.t, best.of[i].q)))
	}
	return best
}

// modulusOf returns q^(v_q(t)+1).
func modulusOf(t, q uint64) uint64 {
	m := q
	for ; t%q == 0; t /= q {
		m *= q
	}
	return m
}

// planFor returns the plan of order t for numbers of that many bits, without s:
// the characters that cost the most for the size of their q are left out as long
// as s^2 > n holds. It returns nil if all are not enough.
func planFor(t uint64, size int) *jacobiPlan {
	need := float64(size)/2 + 0.01
	have := 0.0
	p := &jacobiPlan{t: t, cost: 2 * float64(t)}
	var all []characters
	for _, c := range jacobiTable()[t] {
		all = append(all, c)
		have += math.Log2(float64(modulusOf(t, c.q)))
	}
	if have < need {
		return nil
	}
	slices.SortFunc(all, func(a, b characters) int {
		return cmp.Compare(b.muls/math.Log2(float64(b.q)), a.muls/math.Log2(float64(a.q)))
	})
	for _, c := range all {
		bits := math.Log2(float64(modulusOf(t, c.q)))
		if have-bits >= need {
			have -= bits
			continue
		}
		p.of = append(p.of, c)
		p.cost += c.muls * float64(size)
	}
	slices.SortFunc(p.of, func(a, b characters) int { return cmp.Compare(a.q, b.q) })
	return p
}

// jacobiTest is the test of one number.
type jacobiTest struct {
	n     *big.Int
	m     *arith.MontN
	rings map[primePower]*cyclotomic
	holds map[int]bool // condition L_p for the primes p of t
}

// The verdicts.
type verdict byte

const (
	undecided verdict = iota
	isComposite
	IsPrime // it is proven
)

// proveJacobi tests odd n without factors below 2^12; undecided if it was stopped,
// if n is out of range, or if chance denies L_p for long, which has not been seen.
func (r *Prover) proveJacobi(n *big.Int) verdict {
	plan := planJacobi(n)
	if plan == nil {
		return undecided
	}
	j := newJacobiTest(n, plan.t)
	if v := r.characters(j, plan, 0, len(plan.of)); v != IsPrime {
		return v
	}
	return r.conclude(j, plan)
}

// characters tests the characters of the primes of s from from to to: IsPrime if all pass.
func (r *Prover) characters(j *jacobiTest, plan *jacobiPlan, from, to int) verdict {
	for i := range plan.of[from:to] {
		c := &plan.of[from+i]
		sums := c.sums()
		for k := range sums {
			if r.Poll() {
				return undecided
			}
			if !j.passes(c.q, &sums[k]) {
				return isComposite
			}
		}
	}
	return IsPrime
}

// conclude is what follows when all characters have passed.
func (r *Prover) conclude(j *jacobiTest, plan *jacobiPlan) verdict {
	for _, pp := range primePowers(plan.t) {
		if v := r.condition(j, pp.p, plan); v != IsPrime {
			return v
		}
	}
	return r.noDivisor(j.n, plan)
}

func newJacobiTest(n *big.Int, t uint64) *jacobiTest {
	j := &jacobiTest{n: n, m: arith.NewMontN(n), rings: make(map[primePower]*cyclotomic), holds: make(map[int]bool)}
	for _, pp := range primePowers(t) {
		p := big.NewInt(int64(pp.p))
		square := new(big.Int).Mul(p, p)
		x := new(big.Int).Exp(n, big.NewInt(int64(pp.p-1)), square)
		j.holds[pp.p] = pp.p > 2 && x.Cmp(arith.One) != 0
	}
	return j
}

// ring returns the ring for roots of unity of order p^k.
func (j *jacobiTest) ring(p, k int) *cyclotomic {
	pp := primePower{p, k}
	if j.rings[pp] == nil {
		j.rings[pp] = newCyclotomic(j.m, p, k)
	}
	return j.rings[pp]
}

// passes is step 4 of the algorithm for one character: whether a power of its sum
// is a root of unity modulo n, as it is if n is prime. It notes when that shows
// L_p.
func (j *jacobiTest) passes(q uint64, s *jacobiSum) bool {
	c := j.ring(s.p, s.k)
	root := c.rootOfUnity(j.symbol(c, q, s))
	if root < 0 {
		return false
	}
	if root%s.p == 0 || j.holds[s.p] {
		return true
	}
	if s.p > 2 || s.k == 1 && j.n.Bit(1) == 0 || s.k > 1 && j.euler(q) {
		j.holds[s.p] = true
	}
	return true
}

// symbol returns S(p, q).
func (j *jacobiTest) symbol(c *cyclotomic, q uint64, s *jacobiSum) []uint64 {
	r := int(new(big.Int).Mod(j.n, big.NewInt(int64(c.order))).Int64())
	e := new(big.Int).Quo(j.n, big.NewInt(int64(c.order)))
	x, base, z := c.element(), c.element(), c.element()
	switch {
	case c.order == 2: // (-q)^((n-1)/2)
		c.set(x, []int64{-int64(q)})
		c.power(z, x, e)
	case c.order == 4: // (J^2 q)^(n/4), times J^2 for n = 3 modulo 4
		c.set(x, s.j)
		c.square(x, x)
		c.set(base, []int64{int64(q)})
		c.mul(base, base, x)
		c.power(z, base, e)
		if r == 3 {
			c.mul(z, z, x)
		}
	default:
		j.powers(c, s, r, e, z)
	}
	return z
}

// powers sets z to J^(theta (n/p^k) + alpha), where theta is the sum of a/sigma_a
// and alpha that of (r a / p^k)/sigma_a, both rounded down, over the a prime to p
// below p^k; for p = 2 with the triple sum and over a = 1 and 3 modulo 8, times
// the square of the eighth one for n = 5 and 7 modulo 8.
func (j *jacobiTest) powers(c *cyclotomic, s *jacobiSum, r int, e *big.Int, z []uint64) {
	x, base, y := c.element(), c.element(), c.element()
	used := func(a int) bool { return true }
	c.set(x, s.j)
	if c.p == 2 {
		used = func(a int) bool { return a&7 == 1 || a&7 == 3 }
		c.set(x, s.triple)
	}
	times := func(factor func(a int) int) func(a int) int {
		return func(a int) int {
			if !used(a) {
				return 0
			}
			return factor(a)
		}
	}
	c.symbolic(base, x, times(func(a int) int { return a }))
	c.power(z, base, e)
	c.symbolic(y, x, times(func(a int) int { return r * a / c.order }))
	c.mul(z, z, y)
	if c.p == 2 && !used(r) {
		c.set(y, s.eighth)
		c.mul(z, z, y)
	}
}

// euler reports whether q^((n-1)/2) = -1 modulo n.
func (j *jacobiTest) euler(q uint64) bool {
	c := j.ring(2, 1)
	x, z := c.element(), c.element()
	c.set(x, []int64{int64(q)})
	c.power(z, x, new(big.Int).Rsh(j.n, 1))
	return c.rootOfUnity(z) == 1
}

// maxConditions bounds the characters tried for a condition L_p. Each one shows it
// for a prime n with a chance of 1/2 or more, or 1/4 for p = 2.
const maxConditions = 200

// condition looks for a character that shows L_p: IsPrime if there is one.
func (r *Prover) condition(j *jacobiTest, p int, plan *jacobiPlan) verdict {
	tries := 0
	for q := uint64(2*p + 1); !j.holds[p]; q += uint64(p) {
		known := slices.ContainsFunc(plan.of, func(c characters) bool { return c.q == q })
		if q&1 == 0 || !IsPrime64(q) || known || q%64 == 1 {
			continue
		}
		if tries++; tries > maxConditions || r.Poll() {
			return undecided
		}
		if new(big.Int).Mod(j.n, new(big.Int).SetUint64(q)).Sign() == 0 {
			return isComposite
		}
		for _, s := range sumsOf(q) {
			if s.p == p && !j.passes(q, &s) {
				return isComposite
			}
		}
	}
	return IsPrime
}

// noDivisor is step 6: whether none of the residues n^i modulo s is a divisor of
// n. All are multiplied up modulo n, since a residue below n with a factor in
// common with n shows that n is composite, whether it divides n or not.
func (r *Prover) noDivisor(n *big.Int, plan *jacobiPlan) verdict {
	if plan.s.Cmp(n) >= 0 || new(big.Int).GCD(nil, nil, n, plan.s).Cmp(arith.One) != 0 {
		return isComposite
	}
	ms, mn := arith.NewMontN(plan.s), arith.NewMontN(n)
	step, x := make([]uint64, len(ms.N)), make([]uint64, len(ms.N))
	ms.To(step, new(big.Int).Mod(n, plan.s))
	x[0] = 1
	acc, y := make([]uint64, len(mn.N)), make([]uint64, len(mn.N))
	copy(acc, mn.One)
	for i := uint64(1); i < plan.t; i++ {
		ms.Mul(x, x, step)
		copy(y, x)
		mn.Mul(acc, acc, y)
		if i%1024 == 0 && r.Poll() {
			return undecided
		}
	}
	if new(big.Int).GCD(nil, nil, arith.BigOf(acc), n).Cmp(arith.One) != 0 {
		return isComposite
	}
	return IsPrime
}
