package factor

import "time"

// Progress is how far a factorization has come.
type Progress struct {
	// Phase is what is being done, for people.
	Phase string
	// Percent of the expected work that is done, 0 to 100; 100 only when done. For
	// one cofactor it never falls.
	Percent float64
	// Left is the expected CPU that is left, 0 if unknown.
	Left time.Duration
	// Found are the primes found so far, ascending.
	Found []Prime
	// Remaining are the composite cofactors left, in decimal digits.
	Remaining []string
	// Methods are those that found factors so far.
	Methods Methods
	// Turns is how many results have been applied.
	Turns uint64
}

// Progress returns how far the machine has come. Percent and Left are guesses:
// the luck of curves varies widely.
func (m *Machine) Progress() Progress {
	p := Progress{Found: m.Primes(), Remaining: m.Remaining(), Methods: m.methods, Turns: m.applied}
	switch {
	case m.Done():
		p.Phase, p.Percent = "done", 100
		return p
	case !m.begun:
		p.Phase = "quick methods"
		return p
	}
	share := 1.0
	for i := range m.parts {
		if m.parts[i].pending() {
			p.Left += proveNanos(m.parts[i].value().BitLen())
		}
	}
	if len(m.rest) == 0 {
		p.Phase, p.Percent = "proofs of primality", 99
		return p
	}
	for _, c := range m.rest {
		s, left := c.left()
		share = min(share, s)
		p.Left += left
	}
	p.Percent = 100 * share
	p.Phase = m.rest[0].phase()
	return p
}
