package factor

import (
	"encoding/binary"
	"math/big"
	"slices"
)

// gathered are relations in a payload, with what is needed to read them: the
// number, the parameters and the a's.
type gathered struct {
	base  *siqsBase
	as    [][]int
	count int
	log   []byte
	from  []uint32 // where each relation begins in the log; nil before they were read
}

// gather appends some relations, ascending, to a payload; nil are all.
func (h *harvest) gather(p []byte, some []uint32) []byte {
	size := 128 + 3*maxFactors*len(h.as)
	for _, i := range some {
		size += len(h.relation(int(i)))
	}
	if some == nil {
		size += h.bytes()
	}
	p = slices.Grow(p, size)
	p = appendBlob(p, h.base.n.Bytes())
	p = binary.AppendUvarint(p, h.base.k)
	p = h.base.size.append(p)
	p = h.appendChosen(p)
	if some == nil {
		p = binary.AppendUvarint(p, uint64(h.count()))
		for _, piece := range h.pieces {
			p = append(p, piece.log...)
		}
		return p
	}
	p = binary.AppendUvarint(p, uint64(len(some)))
	for _, i := range some {
		p = append(p, h.relation(int(i))...)
	}
	return p
}

// appendChosen appends the primes of all a's.
func (h *harvest) appendChosen(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(h.as)))
	for _, chosen := range h.as {
		b = appendAscending(b, chosen)
	}
	return b
}

// readGathered reads what gather wrote, which ends the payload.
func (r *siqsRunner) readGathered(p *reader) (*gathered, error) {
	n, k, size := p.blob(siqsMaxBits/8+1), p.uvarint(), readSize(p)
	if p.bad || !sievable(n, k) {
		return nil, ErrTurn
	}
	g := &gathered{base: r.baseFor(new(big.Int).SetBytes(n), k, size)}
	if g.base == nil {
		return nil, ErrStopped
	}
	count := p.uvarint()
	if g.base.divisor != 0 || count > uint64(len(p.b)) {
		return nil, ErrTurn
	}
	for i := range count {
		if i%(pollEvery/16) == 0 && r.poll() {
			return nil, ErrStopped
		}
		chosen := p.ascending(maxFactors, len(g.base.primes))
		if !g.base.valid(chosen) {
			return nil, ErrTurn
		}
		g.as = append(g.as, chosen)
	}
	count = p.uvarint()
	if p.bad || count > uint64(len(p.b)) {
		return nil, ErrTurn
	}
	g.count, g.log = int(count), p.b
	return g, nil
}

// baseFor returns the factor base of a number, from the tables of the sieve if they
// are there; nil if the runner is to stop.
func (r *siqsRunner) baseFor(n *big.Int, k uint64, size siqsSize) *siqsBase {
	same := func(b *siqsBase) bool { return b.k == k && b.size == size && b.n.Cmp(n) == 0 }
	for _, s := range r.sieves {
		if same(s.siqsBase) {
			return s.siqsBase
		}
	}
	if r.base == nil || !same(r.base) {
		b := beginBase(n, k, size)
		for !b.extend() {
			if r.poll() {
				return nil
			}
		}
		r.base = b.base
	}
	return r.base
}

// each calls take with every relation, or with those of some.
func (g *gathered) each(r *poller, some []bool, take func(f *found, number int, twos uint8)) error {
	if g.from != nil && some != nil {
		return g.eachOf(r, some, take)
	}
	p := reader{b: g.log}
	from := make([]uint32, 0, g.count)
	var f found
	for i := range g.count {
		if i%(pollEvery/16) == 0 && r.poll() {
			return ErrStopped
		}
		from = append(from, uint32(len(g.log)-len(p.b)))
		number, twos := f.readEntry(&p, g.base, g.as)
		if p.bad {
			return ErrTurn
		}
		if some == nil || some[i] {
			take(&f, number, twos)
		}
	}
	if len(p.b) != 0 {
		return ErrTurn
	}
	g.from = from
	return nil
}

// eachOf is each for relations that were read before.
func (g *gathered) eachOf(r *poller, some []bool, take func(f *found, number int, twos uint8)) error {
	var f found
	for i, in := range some {
		if i%(pollEvery/16) == 0 && r.poll() {
			return ErrStopped
		}
		if in {
			p := reader{b: g.log[g.from[i]:]}
			number, twos := f.readEntry(&p, g.base, g.as)
			take(&f, number, twos)
		}
	}
	return nil
}

// odd returns the matrix of odd exponents: a column is a relation, row 0 the sign,
// row i+1 prime number i. There are columns for all relations, or for some.
func (g *gathered) odd(r *poller, some []bool) (*matrix, error) {
	m := &matrix{rows: len(g.base.primes) + 1, start: make([]uint32, 1, g.count+1)}
	var list []uint32
	err := g.each(r, some, func(f *found, number int, twos uint8) {
		list = list[:0]
		if twos&1 == 1 {
			list = append(list, 0)
		}
		if twos&2 == 2 {
			list = append(list, 1)
		}
		for _, k := range f.list {
			list = append(list, k+1)
		}
		for _, k := range g.as[number] {
			list = append(list, uint32(k)+1)
		}
		m.push(cancel(list))
	})
	return m, err
}

// cancel sorts a list and removes what occurs an even number of times.
func cancel(list []uint32) []uint32 {
	slices.Sort(list)
	kept := 0
	for i := 0; i < len(list); i++ {
		if i+1 < len(list) && list[i] == list[i+1] {
			i++
			continue
		}
		list[kept] = list[i]
		kept++
	}
	return list[:kept]
}

// sums returns the matrix whose columns are the sums of the columns of m in each of
// the sets; nil if the runner is to stop.
func (m *matrix) sums(r *poller, sets *matrix) *matrix {
	s := &matrix{rows: m.rows, start: make([]uint32, 1, len(sets.start))}
	var list []uint32
	work := 0
	for c := range sets.columns() {
		set := sets.column(c)
		work++
		if len(set) == 1 {
			s.push(m.column(int(set[0])))
			continue
		}
		list = list[:0]
		for _, i := range set {
			list = append(list, m.column(int(i))...)
		}
		s.push(cancel(list))
		if work += len(list); work >= pollEvery {
			if work = 0; r.poll() {
				return nil
			}
		}
	}
	return s
}

// runColumns makes the columns of the sets in a payload out of the relations in it.
func (r *siqsRunner) runColumns(payload []byte) ([]byte, error) {
	p := reader{b: payload[2:], poll: r.poll}
	sets := readMatrix(&p, len(p.b), len(p.b))
	if p.bad {
		return nil, ErrTurn
	}
	g, err := r.readGathered(&p)
	if err != nil || g.count != sets.rows {
		return nil, ErrTurn
	}
	m, err := g.odd(r.poller, nil)
	if err != nil {
		return nil, err
	}
	if m = m.sums(r.poller, sets); m == nil {
		return nil, ErrStopped
	}
	return seal(m.append([]byte{version, foundColumns}, r.poll)), nil
}

// runFilter joins the columns in a payload to one matrix and prunes it.
func (r *siqsRunner) runFilter(payload []byte) ([]byte, error) {
	p := reader{b: payload[2:], poll: r.poll}
	m := readMatrix(&p, maxRows, 2*maxColumns)
	for !p.bad && len(p.b) > 0 {
		if more := readMatrix(&p, maxRows, 2*maxColumns); !p.bad {
			m.join(more)
		}
	}
	if p.bad {
		return nil, ErrTurn
	}
	keep := m.prune(r.poller, spareSquares)
	if r.stopped() {
		return nil, ErrStopped
	}
	if m.columns() <= m.rows {
		return m.short(), nil
	}
	data := binary.AppendUvarint([]byte{version, foundMatrix}, uint64(m.columns()))
	data = binary.AppendUvarint(data, uint64(len(m.entries)))
	data = appendAscending(data, keep)
	return seal(m.append(data, r.poll)), nil
}

// short is the result that says how many columns are missing.
func (m *matrix) short() []byte {
	return binary.AppendUvarint([]byte{version, foundShort}, uint64(m.rows-m.columns()))
}

// runFinish does all that follows the sieve at once: see solving.
func (r *siqsRunner) runFinish(payload []byte) ([]byte, error) {
	p := reader{b: payload[2:]}
	g, err := r.readGathered(&p)
	if err != nil {
		return nil, err
	}
	vertex := map[uint32]uint32{1: 0}
	var ends [][2]uint32
	err = g.each(r.poller, nil, func(f *found, _ int, _ uint8) {
		var e [2]uint32
		for k, q := range f.large {
			v, ok := vertex[q]
			if !ok {
				v = uint32(len(vertex))
				vertex[q] = v
			}
			e[k] = v
		}
		ends = append(ends, e)
	})
	if err != nil {
		return nil, err
	}
	sets := r.cycles(ends, len(vertex))
	if r.stopped() {
		return nil, ErrStopped
	}
	part, used := sets.part(0, sets.columns())
	odd, err := g.odd(r.poller, used)
	if err != nil {
		return nil, err
	}
	m := odd.sums(r.poller, part)
	if m == nil {
		return nil, ErrStopped
	}
	keep := m.prune(r.poller, spareSquares)
	if !r.stopped() && m.columns() <= m.rows {
		return m.short(), nil
	}
	var roots []*big.Int
	parts := []*big.Int{g.base.n}
	for _, set := range m.solve(r.poller) {
		d, err := g.difference(r.poller, times(sets, keep, set))
		if err != nil {
			return nil, err
		}
		roots = append(roots, d)
		if parts = splitBy(parts, d); primes(parts) {
			break
		}
	}
	if r.stopped() {
		return nil, ErrStopped
	}
	return encodeSquares(roots), nil
}

// times says which relations are in a dependency an odd number of times: it adds up
// the sets that its columns stand for.
func times(sets *matrix, keep []int, dependency []uint64) []bool {
	odd := make([]bool, sets.rows)
	for c, set := range keep {
		if bit(dependency, c) == 1 {
			for _, i := range sets.column(set) {
				odd[i] = !odd[i]
			}
		}
	}
	return odd
}
