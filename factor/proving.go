package factor

import (
	"math/big"
	"slices"
	"time"
)

// A turn of kindProve carries a prime; its result the grade, and the proof if
// that is by N-1.

// pending reports whether a proof of the part is still to come.
func (p *part) pending() bool {
	return p.grade == probable && (p.b == nil || p.b.BitLen() <= minusBits)
}

// provePayload is the payload of a proof of n.
func provePayload(n *big.Int) []byte {
	return append([]byte{version, kindProve}, n.Bytes()...)
}

// runProve runs a turn of kindProve.
func (r *Runner) runProve(digits []byte) ([]byte, error) {
	if len(digits) > minusBits/8 {
		return nil, ErrTurn
	}
	n := new(big.Int).SetBytes(digits)
	if n.BitLen() < 2 {
		return nil, ErrTurn
	}
	data := []byte{version, foundProof, byte(composite)}
	if !n.ProbablyPrime(0) {
		return data, nil
	}
	g, proof := r.prover.prove(n)
	if r.poller.stopped() {
		return nil, ErrStopped
	}
	data[2] = byte(g)
	if proof != nil {
		data = proof.encode(data)
	}
	return data, nil
}

// gradeWide is primeWide with a proof where that has none.
func (r *Runner) gradeWide(n wide) grade {
	g := primeWide(n)
	if g == probable && !r.proving {
		g, _ = r.prover.prove(n.big())
	}
	return g
}

// inProof is the divider of the proofs of a runner.
type inProof struct{ r *Runner }

// trial divides odd v by the primes below trialTo, and by those below roughTo if more
// than 64 bits are left; see divider.
func (d inProof) trial(v *big.Int) (primes []*big.Int, rest *big.Int) {
	r := d.r
	parts := r.parts
	r.parts = nil
	if v.BitLen() > 128 {
		v = r.trialBig(v)
		v = r.roughBig(v)
	}
	if v.BitLen() <= 128 {
		w := r.trialWide(wideOf(v.Bytes()))
		if w.hi != 0 {
			w = r.roughWide(w, 1)
		}
		v = w.big()
	}
	for i := range r.parts {
		primes = append(primes, r.parts[i].value())
	}
	r.parts = parts
	return primes, v
}

// factor factors v, whose large primes stay probable: they need a proof inside the
// proof; see divider.
func (d inProof) factor(v *big.Int) (sure, likely []*big.Int) {
	r := d.r
	parts, by, shallow, proving := r.parts, r.by, r.shallow, r.proving
	r.parts, r.shallow, r.proving = nil, false, true
	r.finishBig(v, 1)
	for i := range r.parts {
		switch p := &r.parts[i]; p.grade {
		case proven:
			sure = append(sure, p.value())
		case probable:
			likely = append(likely, p.value())
		}
	}
	r.parts, r.by, r.shallow, r.proving = parts, by, shallow, proving
	return sure, likely
}

// proveNanos estimates the time of a proof of a number of that many bits; see
// BenchmarkProve.
func proveNanos(size int) time.Duration {
	switch b := time.Duration(size); {
	case size > provableBits:
		return 500 * time.Microsecond
	case size > 128:
		return 35 * time.Millisecond * (b * b * b / 1000) / (provableBits * provableBits * provableBits / 1000)
	}
	return time.Millisecond
}

// nextProof returns a turn that proves a prime, nil if no prime waits for one.
func (m *Machine) nextProof() *openTurn {
	for i := range m.parts {
		p := &m.parts[i]
		if !p.pending() || p.proving {
			continue
		}
		p.proving = true
		v := p.value()
		return &openTurn{turn: Turn{Payload: provePayload(v), Predict: proveNanos(v.BitLen())}, prime: v}
	}
	return nil
}

// takeProof takes the result of a turn that proves a prime. A prime that is none
// becomes a cofactor; the quick methods do not see it, since it passes their test
// for primality.
func (m *Machine) takeProof(o *openTurn, data []byte) error {
	r := reader{b: data[2:]}
	g := grade(r.byte())
	var proof *minusOne
	if g == provenMinus {
		if proof = readMinusOne(&r, o.prime); proof == nil {
			return ErrTurn
		}
	}
	switch {
	case r.bad || len(r.b) != 0 || g >= grades || g == probable:
		return ErrTurn
	case g == proven && !knownPrime(o.prime), proof != nil && proof.check(false) != isPrime:
		return ErrProof
	case g == provenJacobi && o.prime.BitLen() > provableBits:
		return ErrProof
	}
	i := slices.IndexFunc(m.parts, func(p part) bool { return p.value().Cmp(o.prime) == 0 })
	if i < 0 || !m.parts[i].pending() {
		return nil // known since
	}
	if g != composite {
		m.parts[i].grade, m.parts[i].proving = g, false
		return nil
	}
	exp := m.parts[i].exp
	m.parts = slices.Delete(m.parts, i, i+1)
	m.put(partOf(o.prime, 1, composite), exp, false)
	return nil
}

// unprovenPrimes returns how many primes wait for their proof.
func (m *Machine) unprovenPrimes() (count int) {
	for i := range m.parts {
		if m.parts[i].pending() {
			count++
		}
	}
	return count
}
