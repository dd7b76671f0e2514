package factor

import (
	"math/big"
	"slices"
	"time"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/primorial"
	"fairfactor/factor/internal/wire"
)

// A turn of KindProve carries a prime; its result the grade, and the proof if
// that is by N-1.

// pending reports whether a proof of the part is still to come.
func (p *part) pending() bool {
	return p.grade == prime.Probable && (p.b == nil || prime.Provable(p.b))
}

// provePayload is the payload of a proof of n.
func provePayload(n *big.Int) []byte {
	return append([]byte{wire.Version, wire.KindProve}, n.Bytes()...)
}

// runProve runs a turn of KindProve.
func (r *Runner) runProve(digits []byte) ([]byte, error) {
	n := new(big.Int).SetBytes(digits)
	if n.BitLen() < 2 || !prime.Provable(n) {
		return nil, ErrTurn
	}
	data := []byte{wire.Version, wire.FoundProof, byte(prime.Composite)}
	if !prime.IsMersenne(n) && !n.ProbablyPrime(0) {
		return data, nil
	}
	g, proof := r.prover.Prove(n)
	if r.poller.Stopped() {
		return nil, ErrStopped
	}
	data[2] = byte(g)
	if proof != nil {
		data = proof.Encode(data)
	}
	return data, nil
}

// grade128 is Grade128 with a proof where that has none.
func (r *Runner) grade128(n arith.Uint128) prime.Grade {
	g := prime.Grade128(n)
	if g == prime.Probable && !r.proving {
		g, _ = r.prover.Prove(n.Big())
	}
	return g
}

// inProof is the divider of the proofs of a runner.
type inProof struct{ r *Runner }

// Trial divides odd v by the primes below trialTo, by those below roughTo if more
// than 64 bits are left, and by those below 2^16 if more than 128 are; see prime.Divider.
func (d inProof) Trial(v *big.Int) (primes []*big.Int, rest *big.Int) {
	r := d.r
	parts, by := r.parts, r.by
	r.parts = nil
	if v.BitLen() > 128 {
		v = r.trialBig(v)
		if v.BitLen() > 128 {
			v = r.productsOut(primorial.Short(), v, 1)
		}
	}
	if v.BitLen() <= 128 {
		w := r.trial128(arith.Uint128Of(v.Bytes()))
		if w.Hi != 0 {
			w = r.rough128(w, 1)
		}
		v = w.Big()
	}
	for i := range r.parts {
		primes = append(primes, r.parts[i].value())
	}
	r.parts, r.by = parts, by
	return primes, v
}

// Factor factors v, whose large primes stay probable: they need a proof inside the
// proof; see prime.Divider.
func (d inProof) Factor(v *big.Int) (sure, likely []*big.Int) {
	r := d.r
	parts, by, shallow, proving := r.parts, r.by, r.shallow, r.proving
	r.parts, r.shallow, r.proving = nil, false, true
	r.finishBig(v, 1)
	for i := range r.parts {
		switch p := &r.parts[i]; p.grade {
		case prime.Proven:
			sure = append(sure, p.value())
		case prime.Probable:
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
	case size > prime.ProvableBits: // Lucas and Lehmer
		return b * b * b / 10_000
	case size > prime.AtOnceBits:
		return 5 * time.Millisecond
	case size > 128:
		return 35 * time.Millisecond * (b * b * b / 1000) / (prime.AtOnceBits * prime.AtOnceBits * prime.AtOnceBits / 1000)
	}
	return time.Millisecond
}

// nextProof returns a turn that proves a prime, nil if no prime waits for one.
func (m *Machine) nextProof() *openTurn {
	for i := range m.parts {
		p := &m.parts[i]
		if p.pieces != nil {
			if o := p.pieces.next(p.value()); o != nil {
				return o
			}
			continue
		}
		if !p.pending() || p.proving {
			continue
		}
		p.proving = true
		v := p.value()
		return &openTurn{turn: Turn{Payload: provePayload(v), Predict: proveNanos(v.BitLen())}, prime: v}
	}
	return nil
}

// takeProof takes the result of a turn that proves a prime. A number that is
// composite after all becomes a cofactor; the quick methods do not see it, since it passes their test
// for primality.
func (m *Machine) takeProof(o *openTurn, data []byte) error {
	r := wire.Reader{B: data[2:]}
	g := prime.Grade(r.Byte())
	var proof *prime.MinusOne
	if g == prime.ProvenMinus {
		if proof = prime.ReadMinusOne(&r, o.prime); proof == nil {
			return ErrTurn
		}
	}
	switch {
	case r.Bad || len(r.B) != 0 || g >= prime.Grades || g == prime.Probable && o.prime.BitLen() <= prime.AtOnceBits:
		return ErrTurn
	case g == prime.Proven && !prime.KnownPrime(o.prime), proof != nil && proof.Check(false) != prime.IsPrime:
		return ErrProof
	case g == prime.ProvenPlus && !prime.IsMersenne(o.prime):
		return ErrProof
	case g == prime.ProvenJacobi && o.prime.BitLen() > prime.AtOnceBits:
		return ErrProof
	}
	i := slices.IndexFunc(m.parts, func(p part) bool { return p.value().Cmp(o.prime) == 0 })
	if i < 0 || !m.parts[i].pending() {
		return nil // known since
	}
	if g == prime.Probable {
		m.parts[i].pieces = newJacobiProof(o.prime)
		if m.parts[i].pieces == nil {
			m.parts[i].grade = prime.Unproven
		}
		return nil
	}
	m.proven(i, g)
	return nil
}

// proven gives part i the grade that its proof ends with.
func (m *Machine) proven(i int, g prime.Grade) {
	p := &m.parts[i]
	p.pieces = nil
	if g != prime.Composite {
		p.grade, p.proving = g, false
		return
	}
	v, exp := p.value(), p.exp
	m.parts = slices.Delete(m.parts, i, i+1)
	m.put(partOf(v, 1, prime.Composite), exp, false, nil)
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
