package forms

import (
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/prime"
)

// related looks for a prime p for which p - 1 divides n - c for a small c, up to steps of
// either sign: then 2^n = 2^c modulo p, while that is unlikely modulo the other factors.
// So it splits p (k (p-1) + c) for any k, like p (2p-1), and p times the next prime after
// k p. power is 2^(n-1) modulo n, which the test for primality has computed.
func (f Finder) related(n, power *big.Int, steps int) *big.Int {
	if d := prime.Proper(new(big.Int).Sub(power, arith.One), n); d != nil {
		return d
	}
	m := arith.NewMontN(n)
	k := len(m.N)
	room := make([]uint64, 4*k)
	up, of, acc, t := room[:k], room[k:2*k], room[2*k:3*k], room[3*k:]
	m.To(up, power)
	m.Add(up, up, up) // 2^(n+c) from here on
	down := make([]uint64, k)
	copy(down, up) // 2^n
	copy(of, m.One)
	copy(acc, m.One)
	take := func() *big.Int { return prime.Proper(m.From(acc), n) }
	for c := range steps {
		if c%pollSteps == pollSteps-1 || c == steps-1 {
			if d := take(); d != nil || f.Poll() {
				return d
			}
		}
		m.Sub(t, down, of) // 2^n - 2^c
		m.Mul(acc, acc, t)
		m.Sub(t, up, m.One) // 2^(n+c) - 1
		m.Mul(acc, acc, t)
		if arith.IsZero(acc) {
			return nil // all factors at once, so they are neighbours, see ratio
		}
		m.Add(of, of, of)
		m.Add(up, up, up)
	}
	return take()
}
