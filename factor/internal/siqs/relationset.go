package siqs

import (
	"encoding/binary"
	"math/big"
	"slices"

	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// RelationSet are relations in a payload, with what is needed to read them: the
// number, the parameters and the a's.
type RelationSet struct {
	base         *Base
	coefficients [][]int
	count        int
	log          []byte
	from         []uint32 // where each relation begins in the log; nil before they were read
}

// AppendRelations appends some relations, ascending, to a payload; nil are all.
func (h *Collection) AppendRelations(p []byte, some []uint32) []byte {
	size := 128 + 3*maxFactors*len(h.coefficients)
	for _, i := range some {
		size += len(h.relation(int(i)))
	}
	if some == nil {
		size += h.bytes()
	}
	p = slices.Grow(p, size)
	p = wire.AppendBlob(p, h.Base.N.Bytes())
	p = binary.AppendUvarint(p, h.Base.K)
	p = h.Base.parameters.Append(p)
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
func (h *Collection) appendChosen(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(h.coefficients)))
	for _, chosen := range h.coefficients {
		b = wire.AppendAscending(b, chosen)
	}
	return b
}

// readRelations reads what gather wrote, which ends the payload.
func (r *Runner) readRelations(p *wire.Reader) (*RelationSet, error) {
	n, k, size := p.Blob(maxBits/8+1), p.Uvarint(), ReadParameters(p)
	if p.Bad || !sievable(n, k) {
		return nil, wire.ErrTurn
	}
	g := &RelationSet{base: r.baseFor(new(big.Int).SetBytes(n), k, size)}
	if g.base == nil {
		return nil, stop.ErrStopped
	}
	count := p.Uvarint()
	if g.base.Divisor != 0 || count > uint64(len(p.B)) {
		return nil, wire.ErrTurn
	}
	for i := range count {
		if i%(stop.PollEvery/16) == 0 && r.Poll() {
			return nil, stop.ErrStopped
		}
		chosen := p.Ascending(maxFactors, len(g.base.primes))
		if !g.base.valid(chosen) {
			return nil, wire.ErrTurn
		}
		g.coefficients = append(g.coefficients, chosen)
	}
	count = p.Uvarint()
	if p.Bad || count > uint64(len(p.B)) {
		return nil, wire.ErrTurn
	}
	g.count, g.log = int(count), p.B
	return g, nil
}

// baseFor returns the factor base of a number, from the tables of the sieve if they
// are there; nil if the runner is to stop.
func (r *Runner) baseFor(n *big.Int, k uint64, size Parameters) *Base {
	same := func(b *Base) bool { return b.K == k && b.parameters == size && b.N.Cmp(n) == 0 }
	for _, s := range r.sieves {
		if same(s.Base) {
			return s.Base
		}
	}
	if r.base == nil || !same(r.base) {
		b := BeginBase(n, k, size)
		for !b.Extend() {
			if r.Poll() {
				return nil
			}
		}
		r.base = b.Base
	}
	return r.base
}

// each calls take with every relation, or with those of some.
func (g *RelationSet) each(r *stop.Poller, some []bool, take func(f *Relation, number int, twos uint8)) error {
	if g.from != nil && some != nil {
		return g.eachOf(r, some, take)
	}
	p := wire.Reader{B: g.log}
	from := make([]uint32, 0, g.count)
	var f Relation
	for i := range g.count {
		if i%(stop.PollEvery/16) == 0 && r.Poll() {
			return stop.ErrStopped
		}
		from = append(from, uint32(len(g.log)-len(p.B)))
		number, twos := f.readEntry(&p, g.base, g.coefficients)
		if p.Bad {
			return wire.ErrTurn
		}
		if some == nil || some[i] {
			take(&f, number, twos)
		}
	}
	if len(p.B) != 0 {
		return wire.ErrTurn
	}
	g.from = from
	return nil
}

// eachOf is each for relations that were read before.
func (g *RelationSet) eachOf(r *stop.Poller, some []bool, take func(f *Relation, number int, twos uint8)) error {
	var f Relation
	for i, in := range some {
		if i%(stop.PollEvery/16) == 0 && r.Poll() {
			return stop.ErrStopped
		}
		if in {
			p := wire.Reader{B: g.log[g.from[i]:]}
			number, twos := f.readEntry(&p, g.base, g.coefficients)
			take(&f, number, twos)
		}
	}
	return nil
}

// oddExponents returns the matrix of odd exponents: a column is a relation, row 0 the sign,
// row i+1 prime number i. There are columns for all relations, or for some.
func (g *RelationSet) oddExponents(r *stop.Poller, some []bool) (*gf2.Matrix, error) {
	m := &gf2.Matrix{Rows: len(g.base.primes) + 1, Start: make([]uint32, 1, g.count+1)}
	var list []uint32
	err := g.each(r, some, func(f *Relation, number int, twos uint8) {
		list = list[:0]
		if twos&1 == 1 {
			list = append(list, 0)
		}
		if twos&2 == 2 {
			list = append(list, 1)
		}
		for _, k := range f.factors {
			list = append(list, k+1)
		}
		for _, k := range g.coefficients[number] {
			list = append(list, uint32(k)+1)
		}
		m.Push(gf2.Cancel(list))
	})
	return m, err
}

// runColumns makes the columns of the sets in a payload out of the relations in it.
func (r *Runner) runColumns(payload []byte) ([]byte, error) {
	p := wire.Reader{B: payload[2:], Poll: r.Poll}
	sets := gf2.ReadMatrix(&p, len(p.B), len(p.B))
	if p.Bad {
		return nil, wire.ErrTurn
	}
	g, err := r.readRelations(&p)
	if err != nil || g.count != sets.Rows {
		return nil, wire.ErrTurn
	}
	m, err := g.oddExponents(r.Poller, nil)
	if err != nil {
		return nil, err
	}
	if m = m.CombineColumns(r.Poller, sets); m == nil {
		return nil, stop.ErrStopped
	}
	return wire.Seal(m.Append([]byte{wire.Version, wire.FoundColumns}, r.Poll)), nil
}

// runFilter joins the columns in a payload to one matrix and prunes it.
func (r *Runner) runFilter(payload []byte) ([]byte, error) {
	p := wire.Reader{B: payload[2:], Poll: r.Poll}
	m := gf2.ReadMatrix(&p, gf2.MaxRows, 2*gf2.MaxColumns)
	for !p.Bad && len(p.B) > 0 {
		if more := gf2.ReadMatrix(&p, gf2.MaxRows, 2*gf2.MaxColumns); !p.Bad {
			m.Join(more)
		}
	}
	if p.Bad {
		return nil, wire.ErrTurn
	}
	keep := m.Prune(r.Poller, SpareRelations)
	if r.Stopped() {
		return nil, stop.ErrStopped
	}
	if m.Columns() <= m.Rows {
		return short(m), nil
	}
	data := binary.AppendUvarint([]byte{wire.Version, wire.FoundMatrix}, uint64(m.Columns()))
	data = binary.AppendUvarint(data, uint64(len(m.Entries)))
	data = wire.AppendAscending(data, keep)
	return wire.Seal(m.Append(data, r.Poll)), nil
}

// short is the result that says how many columns are missing.
func short(m *gf2.Matrix) []byte {
	return binary.AppendUvarint([]byte{wire.Version, wire.FoundShort}, uint64(m.Rows-m.Columns()))
}

// runFinish does all that follows the sieve at once: see Postprocessing.
func (r *Runner) runFinish(payload []byte) ([]byte, error) {
	p := wire.Reader{B: payload[2:]}
	g, err := r.readRelations(&p)
	if err != nil {
		return nil, err
	}
	vertex := map[uint32]uint32{1: 0}
	var ends [][2]uint32
	err = g.each(r.Poller, nil, func(f *Relation, _ int, _ uint8) {
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
	if r.Stopped() {
		return nil, stop.ErrStopped
	}
	part, used := sets.Part(0, sets.Columns())
	odd, err := g.oddExponents(r.Poller, used)
	if err != nil {
		return nil, err
	}
	m := odd.CombineColumns(r.Poller, part)
	if m == nil {
		return nil, stop.ErrStopped
	}
	keep := m.Prune(r.Poller, SpareRelations)
	if !r.Stopped() && m.Columns() <= m.Rows {
		return short(m), nil
	}
	var roots []*big.Int
	parts := []*big.Int{g.base.N}
	for _, set := range m.Solve(r.Poller) {
		d, err := g.difference(r.Poller, times(sets, keep, set))
		if err != nil {
			return nil, err
		}
		roots = append(roots, d)
		if parts = splitBy(parts, d); primes(parts) {
			break
		}
	}
	if r.Stopped() {
		return nil, stop.ErrStopped
	}
	return EncodeSquares(roots), nil
}

// times says which relations are in a dependency an odd number of times: it adds up
// the sets that its columns stand for.
func times(sets *gf2.Matrix, keep []int, dependency []uint64) []bool {
	odd := make([]bool, sets.Rows)
	for c, set := range keep {
		if gf2.Bit(dependency, c) == 1 {
			for _, i := range sets.Column(set) {
				odd[i] = !odd[i]
			}
		}
	}
	return odd
}
