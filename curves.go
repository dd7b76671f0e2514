package fairfactor

import (
	"cmp"
	"math/big"
	"slices"
)

// Curves says that so many elliptic curves with a first bound B1 were run on what is left
// of a number, and found nothing. Lists of them are ascending by B1, each bound once, and
// not changed once they are part of a job.
type Curves struct{ B1, Count uint64 }

// Bounds of the work done elsewhere that a submission may tell of.
const (
	MaxCurveBounds  = 32                // different first bounds
	MinCurveB1      = 100               // of a first bound
	MaxCurveB1      = 1_000_000_000_000 // of a first bound
	MaxCurveCount   = 1_000_000_000     // curves with one of them
	MaxKnownFactors = 16                // primes
	MaxKnownDigits  = 200               // of each
)

// CheckCurves returns curves in ascending order, or an error, which is [Invalid], if a
// submission can't have them.
func CheckCurves(curves []Curves) ([]Curves, error) {
	if len(curves) > MaxCurveBounds {
		return nil, Errorf(Invalid, "ecm has %d first bounds: at most %d are possible", len(curves), MaxCurveBounds)
	}
	sorted := slices.SortedFunc(slices.Values(curves), func(a, b Curves) int { return cmp.Compare(a.B1, b.B1) })
	for i, c := range sorted {
		switch {
		case c.B1 < MinCurveB1 || c.B1 > MaxCurveB1:
			return nil, Errorf(Invalid, "ecm has the first bound %d: it must be between %d and %d", c.B1, uint64(MinCurveB1), uint64(MaxCurveB1))
		case c.Count < 1 || c.Count > MaxCurveCount:
			return nil, Errorf(Invalid, "ecm has %d curves with B1 = %d: between 1 and %d are possible", c.Count, c.B1, uint64(MaxCurveCount))
		case i > 0 && c.B1 == sorted[i-1].B1:
			return nil, Errorf(Invalid, "ecm has the first bound %d twice", c.B1)
		}
	}
	return sorted, nil
}

// KnownFactors returns primes of a number, in canonical decimal, with their exponents, as a
// submission tells of them; or an error if one is too long, not prime, or does not divide
// the number.
func KnownFactors(number string, primes []string) ([]Factor, error) {
	if len(primes) > MaxKnownFactors {
		return nil, Errorf(Invalid, "%d known factors are given: at most %d are possible", len(primes), MaxKnownFactors)
	}
	n, ok := new(big.Int).SetString(number, 10)
	if !ok {
		return nil, Errorf(Invalid, "%.40q is not a number", number)
	}
	var factors []Factor
	rest, remainder := new(big.Int), new(big.Int)
	for _, text := range primes {
		prime, err := ParseNumber(text, MaxKnownDigits)
		if err != nil {
			return nil, Errorf(Invalid, "the known factor %.40q can't be used: %s", text, MessageOf(err))
		}
		if slices.ContainsFunc(factors, func(f Factor) bool { return f.Prime == prime }) {
			return nil, Errorf(Invalid, "the known factor %s is given twice", prime)
		}
		p, _ := new(big.Int).SetString(prime, 10)
		if remainder.Rem(n, p); remainder.Sign() != 0 {
			return nil, Errorf(Invalid, "the known factor %s does not divide the number", prime)
		}
		if !p.ProbablyPrime(0) {
			return nil, Errorf(Invalid, "the known factor %s is not prime: give its prime factors", prime)
		}
		f := Factor{Prime: prime, Probable: p.BitLen() > provenBits}
		for {
			if rest.QuoRem(n, p, remainder); remainder.Sign() != 0 {
				break
			}
			n, rest = rest, n
			f.Exponent++
		}
		factors = append(factors, f)
	}
	slices.SortFunc(factors, func(f, g Factor) int {
		return cmp.Or(cmp.Compare(len(f.Prime), len(g.Prime)), cmp.Compare(f.Prime, g.Prime))
	})
	return factors, nil
}

// provenBits is the size to which the Baillie-PSW test has been checked to know all primes.
const provenBits = 64
