package factor

import "math/big"

// splitWide takes n apart by the quick methods.
func (r *Runner) splitWide(n wide) {
	if s := n.trailingZeros(); s > 0 {
		r.parts = append(r.parts, part{w: wide{0, 2}, exp: int(s), grade: proven})
		n = n.shr(s)
	}
	if n.hi == 0 {
		n.lo = r.trial64(n.lo, 0)
	} else {
		n = r.trialWide(n)
	}
	r.trialled()
	r.finishWide(n, 1)
}

// trialled notes that trial division found the parts so far.
func (r *Runner) trialled() {
	if len(r.parts) > 0 {
		r.by |= ByTrial
	}
}

// finishWide takes n^exp apart, where n is odd and 1 or without prime factors
// below trialTo.
func (r *Runner) finishWide(n wide, exp int) {
	if n.hi == 0 {
		r.finish64(n.lo, exp)
		return
	}
	if g := r.gradeWide(n); g != composite {
		r.found(n, exp, g)
		return
	}
	if m := r.roughWide(n, exp); m != n {
		r.by |= ByTrial
		r.finishWide(m, exp)
		return
	}
	if root, k := powerWide(n); k > 1 {
		r.by |= ByPower
		r.finishWide(root, exp*k)
		return
	}
	d, ok := r.findWide(n)
	if !ok {
		r.found(n, exp, composite)
		return
	}
	q, _ := n.div(d)
	r.finishWide(d, exp)
	r.finishWide(q, exp)
}

// finish64 is finishWide below 2^64. It always ends with primes.
func (r *Runner) finish64(n uint64, exp int) {
	if n == 1 {
		return
	}
	if n < trialLimit || isPrime64(n) {
		r.found(wide{0, n}, exp, proven)
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
	if n < roughLimit || n != not && isPrime64(n) {
		r.found(wide{0, n}, exp, proven)
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
func (r *Runner) found(n wide, exp int, g grade) {
	r.parts = insert(r.parts, part{w: n, exp: exp, grade: g})
}

// splitBig takes n > 2^128 apart by the quick methods.
func (r *Runner) splitBig(n *big.Int) {
	if s := n.TrailingZeroBits(); s > 0 {
		r.parts = append(r.parts, part{w: wide{0, 2}, exp: int(s), grade: proven})
		n = new(big.Int).Rsh(n, s)
	}
	n = r.trialBig(n)
	r.trialled()
	r.finishBig(n, 1)
}

// finishBig takes n^exp apart, where n is odd and without prime factors below
// 307.
func (r *Runner) finishBig(n *big.Int, exp int) {
	if n.BitLen() <= 128 {
		r.finishWide(wideOf(n.Bytes()), exp)
		return
	}
	g := r.prover.primeBig(n)
	if r.poller.stopped() {
		return
	}
	if g != composite {
		r.parts = insert(r.parts, part{b: n, exp: exp, grade: g})
		return
	}
	if root, k := powerBig(n, 8); k > 1 {
		r.by |= ByPower
		r.finishBig(root, exp*k)
		return
	}
	d := r.findBig(n)
	if r.poller.stopped() {
		return
	}
	if d == nil {
		r.parts = insert(r.parts, part{b: n, exp: exp, grade: composite})
		return
	}
	r.finishBig(d, exp)
	r.finishBig(new(big.Int).Quo(n, d), exp)
}
