package fairfactor

// Proof is a way to prove that a large number is prime. Primes below 3.3e24 need none of
// them: a test that is known to make no error there proves them.
type Proof uint8

// Values of [Proof]; zero is that of a prime that needs none or is not proven, or whose
// proof is not known any more.
const (
	MinusOne Proof = iota + 1 // factors of the prime less one (Pocklington; Brillhart, Lehmer, Selfridge)
	APRCL                     // Jacobi sums (Adleman, Pomerance, Rumely; Cohen, Lenstra)
	PlusOne                   // that a Mersenne prime plus one is a power of two (Lucas; Lehmer)
)

var proofNames = [...]string{MinusOne: "n-1", APRCL: "apr-cl", PlusOne: "n+1"}

// String returns the name of the method, as package factor and the API have it; empty for
// zero.
func (p Proof) String() string {
	if int(p) >= len(proofNames) {
		return ""
	}
	return proofNames[p]
}

// ParseProof returns the method with that name, zero for any other.
func ParseProof(name string) Proof {
	for p, n := range proofNames {
		if n == name && n != "" {
			return Proof(p)
		}
	}
	return 0
}

// surelyTested is the first number for which the deterministic test is not known to make
// no error (Sorenson, Webster 2015).
const surelyTested = "3317044064679887385961981"

// Method says how it is known that the factor is prime: deterministic, n-1, n+1 or apr-cl;
// probable if it is not proven, and proven if the method is not known any more.
func (f *Factor) Method() string {
	switch {
	case f.Probable:
		return "probable"
	case f.Proof != 0:
		return f.Proof.String()
	case len(f.Prime) < len(surelyTested), len(f.Prime) == len(surelyTested) && f.Prime < surelyTested:
		return "deterministic"
	}
	return "proven"
}
