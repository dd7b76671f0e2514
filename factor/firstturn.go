package factor

import (
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/forms"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/primorial"
)

// split128 takes n apart by the quick methods.
func (r *Runner) split128(n arith.Uint128) {
	if s := n.TrailingZeros(); s > 0 {
		r.parts = append(r.parts, part{w: arith.Uint128{Lo: 2}, exp: int(s), grade: prime.Proven})
		n = n.Shr(s)
	}
	if n.Hi == 0 {
		n.Lo = r.trial64(n.Lo, 0)
	} else {
		n = r.trial128(n)
	}
	r.trialled()
	r.finish128(n, 1)
}

// trialled notes that trial division found the parts so far.
func (r *Runner) trialled() {
	if len(r.parts) > 0 {
		r.by |= ByTrial
	}
}

// finish128 takes n^exp apart, where n is odd and 1 or without prime factors
// below trialTo.
func (r *Runner) finish128(n arith.Uint128, exp int) {
	if n.Hi == 0 {
		r.finish64(n.Lo, exp)
		return
	}
	if g := r.grade128(n); g != prime.Composite {
		r.found(n, exp, g)
		return
	}
	if m := r.rough128(n, exp); m != n {
		r.by |= ByTrial
		r.finish128(m, exp)
		return
	}
	if root, k := power128(n); k > 1 {
		r.by |= ByPower
		r.finish128(root, exp*k)
		return
	}
	d, ok := r.find128(n)
	if !ok {
		r.found(n, exp, prime.Composite)
		return
	}
	q, _ := n.Div(d)
	r.finish128(d, exp)
	r.finish128(q, exp)
}

// finish64 is finishWide below 2^64. It always ends with primes.
func (r *Runner) finish64(n uint64, exp int) {
	if n == 1 {
		return
	}
	if n < trialLimit || prime.IsPrime64(n) {
		r.found(arith.Uint128{Lo: n}, exp, prime.Proven)
		return
	}
	m := r.rough64(n, exp)
	if m != n {
		r.by |= ByTrial
	}
	r.finishRough(m, exp, n)
}

// finishRough takes n^exp apart, where n is odd and 1 or without prime factors
// below roughTo; n is known to be composite if it equals not.
func (r *Runner) finishRough(n uint64, exp int, not uint64) {
	if n == 1 {
		return
	}
	if n < roughLimit || n != not && prime.LikelyPrime64(n) {
		r.found(arith.Uint128{Lo: n}, exp, prime.Proven)
		return
	}
	if root, k := power64(n); k > 1 {
		r.by |= ByPower
		r.finishRough(root, exp*k, 0)
		return
	}
	d := r.find64(n)
	r.finishRough(d, exp, 0)
	r.finishRough(n/d, exp, 0)
}

// found records the part n^exp.
func (r *Runner) found(n arith.Uint128, exp int, g prime.Grade) {
	r.parts = insert(r.parts, part{w: n, exp: exp, grade: g})
}

// splitBig takes n > 2^128 apart by the quick methods.
func (r *Runner) splitBig(n *big.Int) {
	factors := forms.Algebraic(n, r.poller.Poll)
	if factors == nil {
		r.stripBig(n)
		return
	}
	// Large ones get turns of their own, so that this one ends soon.
	r.by |= ByPower
	r.shallow = true
	for _, v := range factors {
		parts := r.parts
		r.parts = nil
		if v.BitLen() <= 128 {
			r.shallow = false
			r.split128(arith.Uint128Of(v.Bytes()))
			r.shallow = true
		} else {
			r.stripBig(v)
		}
		for _, p := range r.parts {
			parts = insert(parts, p)
		}
		r.parts = parts
	}
	r.shallow = false
}

// stripBig takes the small primes out of n > 2^128, and what is left apart by the quick
// methods.
func (r *Runner) stripBig(n *big.Int) {
	if s := n.TrailingZeroBits(); s > 0 {
		r.parts = append(r.parts, part{w: arith.Uint128{Lo: 2}, exp: int(s), grade: prime.Proven})
		n = new(big.Int).Rsh(n, s)
	}
	n = r.trialBig(n)
	r.trialled()
	if n.BitLen() > 128 {
		n = r.productsOut(primorial.Short(), n, 1)
	}
	r.finishBig(n, 1)
}

// longBits is the size from which on all primes below 2^20 are tried at once: that takes
// 0.5 ms and more, which is little where the sieve is at its end.
const longBits = prime.AtOnceBits + 1

// finishBig takes n^exp apart, where n is odd and without prime factors below
// 2^16.
func (r *Runner) finishBig(n *big.Int, exp int) {
	if n.BitLen() <= 128 {
		r.finish128(arith.Uint128Of(n.Bytes()), exp)
		return
	}
	g, seen := r.prover.GradeBig(n)
	if r.poller.Stopped() {
		return
	}
	if g != prime.Composite {
		r.parts = insert(r.parts, part{b: n, exp: exp, grade: g})
		return
	}
	if n.BitLen() >= longBits && !r.shallow {
		if m := r.productsOut(primorial.Long(), n, exp); m != n {
			r.finishBig(m, exp)
			return
		}
	}
	if root, k := powerBig(n, 16); k > 1 {
		r.by |= ByPower
		r.finishBig(root, exp*k)
		return
	}
	d := r.findBig(n, seen)
	if r.poller.Stopped() {
		return
	}
	if d == nil {
		r.parts = insert(r.parts, part{b: n, exp: exp, grade: prime.Composite})
		return
	}
	r.finishBig(d, exp)
	r.finishBig(new(big.Int).Quo(n, d), exp)
}
