package arith

// Sums are sums of products of residues, which are reduced once. A sum is of 2k words.
type Sums struct {
	m      *MontN
	more   []uint64 // a multiple of n that makes differences positive
	rounds int      // how often n is subtracted at most
}

// MostTerms is how many products a sum may have at most.
const MostTerms = 48

// NewSums returns sums of up to that many products modulo m's modulus; nil without assembly
// for them.
func NewSums(m *MontN, terms int) *Sums {
	if m.fast == nil || terms > MostTerms {
		return nil
	}
	// 16n < R: a sum is below terms n R/16, and so much with the multiple of n R that makes up
	// for another one is below R^2. Over R, and reduced, that is below (rounds + 1) n.
	times := (terms + 15) / 16
	s := &Sums{m: m, more: make([]uint64, len(m.N)), rounds: times + times}
	for range times {
		m.fast.add(&s.more[0], &s.more[0], &m.N[0])
	}
	return s
}

// Add adds the product x y to the sum z.
func (s *Sums) Add(z, x, y []uint64) { s.m.fast.wide(&z[0], &x[0], &y[0]) }

// Narrow sets z to the residue of the difference of two sums over R, as [MontN.Mul] does.
func (s *Sums) Narrow(z, a, b []uint64) {
	s.m.fast.narrow(&z[0], &a[0], &b[0], &s.more[0], s.m.words)
	for range s.rounds {
		s.m.fast.reduce(&z[0], s.m.words)
	}
}
