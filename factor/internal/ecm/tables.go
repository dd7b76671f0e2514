package ecm

import "fairfactor/factor/internal/arith"

// tables are what elliptic curves need and what depends on bounds only, so that
// one computation serves many curves: chains for stage 1 and pairs for stage 2.
type tables struct {
	chains map[[3]uint64][]byte
	pairs  map[[3]uint64]*pairing
	size   int // bytes held, roughly
}

// maxTables bounds the memory of the tables in bytes; beyond it they start
// again empty.
const maxTables = 24 << 20

// mostTried is the first bound up to which chains are kept for all curves of a level, so that
// the shortest of many pay.
const mostTried = 3_000_000

// chain returns the code that multiplies a point by all prime powers up to b1
// of the primes p, lo <= p < hi.
func (t *tables) chain(b1, lo, hi uint64) []byte {
	key := [3]uint64{b1, lo, hi}
	if c, ok := t.chains[key]; ok {
		return c
	}
	tries := len(pracRatios) // 9.0 multiplications a bit
	if b1 > mostTried {
		tries = 2 // 9.2
	}
	var code []byte
	for _, p := range arith.PrimesBetween(nil, lo, hi) {
		from := len(code)
		code = appendChain(code, p, tries)
		one := code[from:]
		for q := p; q <= b1/p; q *= p {
			code = append(code, one...)
		}
	}
	t.room(len(code))
	if t.chains == nil {
		t.chains = make(map[[3]uint64][]byte)
	}
	t.chains[key] = code
	return code
}

// room makes place for size bytes more.
func (t *tables) room(size int) {
	if t.size+size > maxTables {
		*t = tables{}
	}
	t.size += size + 64
}

// pairing lists, for stage 2 over the primes from <= p < to, which pairs of
// points meet: a prime p = m*D +- j is found by the giant m*D and the baby j.
type pairing struct {
	D      uint64
	babies []uint32 // j coprime to D, 1 <= j < D/2, ascending
	first  uint64   // m of the first giant
	ends   []uint32 // hits[ends[i-1]:ends[i]] belong to giant first+i
	hits   []uint16 // indices of babies
}

// giantSteps are the steps D of stage 2: each has few residues coprime to it,
// and all are multiples of 6.
var giantSteps = [...]uint64{60, 210, 2310, 30030}

// babiesOf returns how many babies a giant step has.
var babiesOf = map[uint64]int{60: 8, 210: 24, 2310: 240, 30030: 2880}

// pair returns the pairing for the primes from <= p < to, less those that divide
// the giant step D.
func (t *tables) pair(D, from, to uint64) *pairing {
	key := [3]uint64{D, from, to}
	if p, ok := t.pairs[key]; ok {
		return p
	}
	p := newPairing(D, from, to)
	t.room(2*len(p.hits) + 4*len(p.ends) + 4*len(p.babies))
	if t.pairs == nil {
		t.pairs = make(map[[3]uint64]*pairing)
	}
	t.pairs[key] = p
	return p
}

func newPairing(D, from, to uint64) *pairing {
	p := &pairing{D: D}
	index := make([]int32, D/2+1)
	for j := uint64(1); j < D/2; j++ {
		index[j] = -1
		if arith.GCD64(j, D) == 1 {
			index[j] = int32(len(p.babies))
			p.babies = append(p.babies, uint32(j))
		}
	}
	p.first = max((from+D/2)/D, 1)
	last := max((to+D/2)/D, p.first)
	p.ends = make([]uint32, last-p.first+1)
	seen := make([]uint64, len(p.babies)) // m+1 of the last hit of the baby
	m := p.first
	for _, q := range arith.PrimesBetween(nil, from, to) {
		g := max((q+D/2)/D, 1)
		for ; m < g; m++ {
			p.ends[m-p.first] = uint32(len(p.hits))
		}
		j := max(q, g*D) - min(q, g*D)
		if j >= D/2 || index[j] < 0 || seen[index[j]] == g+1 {
			continue
		}
		seen[index[j]] = g + 1
		p.hits = append(p.hits, uint16(index[j]))
	}
	for ; m <= last; m++ {
		p.ends[m-p.first] = uint32(len(p.hits))
	}
	return p
}
