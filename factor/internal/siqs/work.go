package siqs

import (
	"encoding/binary"
	"math"
	"math/big"

	"fairfactor/factor/internal/sieve"
	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// Work is the work of a turn of the quadratic sieve: some polynomials of some
// a's.
type Work struct {
	n     []byte // most significant byte first, no leading zeros
	k     uint64
	size  Parameters
	Spans []Span
}

// Span is polynomials from to from+count-1 of one a.
type Span struct {
	chosen      []int // indices of the primes of a in the factor base, ascending
	from, count int
}

// maxSpans bounds the a's of a turn.
const maxSpans = 1 << 10

// Encode returns the payload of w.
func (w *Work) Encode() []byte {
	p := make([]byte, 0, 64+len(w.n)+24*len(w.Spans))
	p = append(p, wire.Version, wire.KindSieve)
	p = wire.AppendBlob(p, w.n)
	p = binary.AppendUvarint(p, w.k)
	p = w.size.Append(p)
	p = binary.AppendUvarint(p, uint64(len(w.Spans)))
	for i := range w.Spans {
		sp := &w.Spans[i]
		p = wire.AppendAscending(p, sp.chosen)
		p = binary.AppendUvarint(p, uint64(sp.from))
		p = binary.AppendUvarint(p, uint64(sp.count))
	}
	return p
}

// Append appends the parameters.
func (z *Parameters) Append(p []byte) []byte {
	for _, v := range [...]uint64{
		uint64(z.bits), uint64(z.Base), uint64(z.Large), uint64(z.Length), uint64(z.Skip), math.Float64bits(z.Double), uint64(z.Slack),
	} {
		p = binary.AppendUvarint(p, v)
	}
	return p
}

// ReadParameters reads what append wrote; r is bad if a parameter is out of bounds.
func ReadParameters(r *wire.Reader) (z Parameters) {
	z.bits, z.Base, z.Large = int(r.Uvarint()), int(r.Uvarint()), int(r.Uvarint())
	z.Length, z.Skip = int(r.Uvarint()), int(r.Uvarint())
	z.Double, z.Slack = math.Float64frombits(r.Uvarint()), int(r.Uvarint())
	between := func(v, lo, hi int) bool { return lo <= v && v <= hi }
	r.Bad = r.Bad || !between(z.bits, minBits, maxBits) || !between(z.Base, 64, maxBaseSize) ||
		!between(z.Large, 1, 1<<10) || !between(z.Length, 1<<11, maxBlocks*sieve.BlockSize) || z.Length%64 != 0 ||
		z.Length > sieve.BlockSize && z.Length%sieve.BlockSize != 0 || !between(z.Skip, 3, 1<<10) ||
		!(z.Double >= 0 && z.Double < 2) || !between(z.Slack, 0, 64)
	return z
}

// DecodeWork reads what encode wrote.
func DecodeWork(p []byte) (*Work, error) {
	if len(p) < 2 || p[0] != wire.Version || p[1] != wire.KindSieve {
		return nil, wire.ErrTurn
	}
	r := wire.Reader{B: p[2:]}
	w := &Work{n: r.Blob(maxBits/8 + 1), k: r.Uvarint(), size: ReadParameters(&r)}
	count := r.Uvarint()
	if r.Bad || count == 0 || count > maxSpans || !sievable(w.n, w.k) {
		return nil, wire.ErrTurn
	}
	for range count {
		sp := Span{chosen: r.Ascending(maxFactors, w.size.Base), from: int(r.Uvarint()), count: int(r.Uvarint())}
		if len(sp.chosen) < 2 {
			return nil, wire.ErrTurn
		}
		all := 1 << (len(sp.chosen) - 1)
		if r.Bad || sp.from < 0 || sp.from >= all || sp.count < 1 || sp.count > all-sp.from {
			return nil, wire.ErrTurn
		}
		w.Spans = append(w.Spans, sp)
	}
	if r.Bad || len(r.B) != 0 {
		return nil, wire.ErrTurn
	}
	return w, nil
}

// sievable reports whether n, given by its bytes, can be sieved with multiplier
// k.
func sievable(n []byte, k uint64) bool {
	if len(n) == 0 || n[0] == 0 || n[len(n)-1]&1 == 0 || k == 0 || k > 1<<10 {
		return false
	}
	v := new(big.Int).SetBytes(n)
	return v.BitLen() >= minBits && v.BitLen() <= maxBits
}

// valid reports whether the primes of a can be used: odd, different, below
// bucketFrom, no divisors of k, and a in bounds.
func (s *Base) valid(chosen []int) bool {
	if len(chosen) < 2 || len(chosen) > maxFactors {
		return false
	}
	size := 0.0
	for j, i := range chosen {
		if i < 1 || i >= len(s.primes) || j > 0 && i <= chosen[j-1] {
			return false
		}
		p := s.primes[i]
		if p >= bucketFrom || s.K%uint64(p) == 0 {
			return false
		}
		size += math.Log2(float64(p))
	}
	return math.Abs(size-math.Log2(s.wantA())) < 3
}

// runSieve runs a turn of the sieve.
func (r *Runner) runSieve(w *Work) ([]byte, error) {
	s := r.sieverFor(w)
	if s.Divisor != 0 {
		return nil, wire.ErrTurn
	}
	data := []byte{wire.Version, wire.FoundRelations}
	for i := range w.Spans {
		sp := &w.Spans[i]
		if !s.valid(sp.chosen) {
			return nil, wire.ErrTurn
		}
		s.relations = s.relations[:0]
		s.setCoefficient(sp.chosen)
		for j := range sp.count {
			s.setPolynomial(sp.from + j)
			s.sievePolynomial()
			if r.Poll() {
				s.at = -1
				return nil, stop.ErrStopped
			}
		}
		data = appendRelationList(data, s.relations, sp.from)
	}
	return data, nil
}

// appendRelationList appends the relations of one span: how many, then each with the
// step from the polynomial before.
func appendRelationList(data []byte, all []Relation, from int) []byte {
	data = binary.AppendUvarint(data, uint64(len(all)))
	for i := range all {
		f := &all[i]
		data = binary.AppendUvarint(data, uint64(f.polynomial-from))
		from = f.polynomial
		data = f.append(data)
	}
	return data
}

// append appends all of the relation but its polynomial.
func (f *Relation) append(data []byte) []byte {
	data = binary.AppendUvarint(data, uint64(f.position))
	data = binary.AppendUvarint(data, uint64(f.large[0]))
	data = binary.AppendUvarint(data, uint64(f.large[1]))
	return wire.AppendAscending(data, f.factors)
}

// maxList bounds the primes in a relation with repetition.
const maxList = 128

// read reads what append wrote; r is bad if it can not belong to base.
func (f *Relation) read(r *wire.Reader, base *Base) {
	pos, lo, hi := r.Uvarint(), r.Uvarint(), r.Uvarint()
	if r.Bad || pos >= uint64(base.parameters.Length) || lo == 0 || lo > hi || hi >= base.large || lo > 1 && base.double == 0 {
		r.Bad = true
		return
	}
	f.position, f.large = int(pos), [2]uint32{uint32(lo), uint32(hi)}
	count := r.Uvarint()
	if count > maxList || count > uint64(len(r.B)) {
		r.Bad = true
		return
	}
	f.factors = f.factors[:0]
	last := uint64(0)
	for range count {
		last += r.Uvarint()
		if last == 0 || last >= uint64(len(base.primes)) || r.Bad {
			r.Bad = true
			return
		}
		f.factors = append(f.factors, uint32(last))
	}
}

// maxSieves bounds the memory of the tables of the numbers that a runner has
// sieved last, in bytes; those of one number are kept whatever their size. They
// take some 60 KB at 40 digits, 0.7 MB at 60, 8 MB at 80 and 40 MB at 100.
const maxSieves = 64 << 20

// sieverFor returns the tables of the number of w, new or from an earlier turn.
func (r *Runner) sieverFor(w *Work) *siever {
	n := new(big.Int).SetBytes(w.n)
	for i, s := range r.sieves {
		if s.sieves(w, n) {
			copy(r.sieves[1:i+1], r.sieves[:i])
			r.sieves[0] = s
			return s
		}
	}
	base := newBase(n, w.k, w.size)
	if base.Divisor != 0 {
		return &siever{Base: base}
	}
	s := newSiever(base)
	s.runner = r
	r.sieves = append([]*siever{s}, r.sieves...)
	for total, i := 0, 0; i < len(r.sieves); i++ {
		if total += r.sieves[i].bytes(); total > maxSieves && i > 0 {
			clear(r.sieves[i:])
			r.sieves = r.sieves[:i]
		}
	}
	return s
}

// bytes returns how much memory the tables take, roughly.
func (s *siever) bytes() int {
	const each = 50 + 4*14 // bytes a prime, with the steps of 14 primes of a
	return sieve.BlockSize + each*len(s.primes) + 4*len(s.entries)
}
