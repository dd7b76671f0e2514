package factor

import "fairfactor/factor/internal/wire"

// Methods is a set of methods: those that found factors of a number. A number
// that is prime needs none.
type Methods byte

// The methods; the sets are on the wire.
const (
	ByTrial  Methods = 1 << iota // trial division
	ByPower                      // a root of a perfect power, and the factors of sums and differences of powers
	ByHart                       // Hart's one-line method; those of Fermat and Lehman for factors in a simple ratio
	ByCurves                     // elliptic curves
	ByRho                        // Pollard's rho method
	ByQS                         // the small quadratic sieve, in one turn
	BySIQS                       // the self-initialising quadratic sieve, in many
	BySmooth                     // the p-1 and p+1 methods, and powers that tests for primality take
)

var methodNames = [...]string{"trial", "power", "hart", "ecm", "rho", "qs", "siqs", "p-1"}

// Names returns the names of the methods in s, in this order: trial, power, hart,
// ecm, rho, qs, siqs, p-1.
func (s Methods) Names() []string {
	names := []string{}
	for i, name := range methodNames {
		if s>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return names
}

// Methods returns the methods that found factors in this turn; none if the
// result is damaged.
func (r Result) Methods() Methods {
	if len(r.Data) < 3 || r.Data[0] != wire.Version || r.Data[1] != wire.FoundParts {
		return 0
	}
	return Methods(r.Data[2])
}

// Methods returns the methods that found factors so far.
func (m *Machine) Methods() Methods { return m.methods }
