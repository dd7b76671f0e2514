package factor

import (
	"encoding/binary"
	"math"
	"math/big"
)

// sieving is the work of a turn of the quadratic sieve: some polynomials of some
// a's.
type sieving struct {
	n     []byte // most significant byte first, no leading zeros
	k     uint64
	size  siqsSize
	spans []span
}

// span is polynomials from to from+count-1 of one a.
type span struct {
	chosen      []int // indices of the primes of a in the factor base, ascending
	from, count int
}

// maxSpans bounds the a's of a turn.
const maxSpans = 1 << 10

// encode returns the payload of w.
func (w *sieving) encode() []byte {
	p := make([]byte, 0, 64+len(w.n)+24*len(w.spans))
	p = append(p, version, kindSieve)
	p = appendBlob(p, w.n)
	p = binary.AppendUvarint(p, w.k)
	p = w.size.append(p)
	p = binary.AppendUvarint(p, uint64(len(w.spans)))
	for i := range w.spans {
		sp := &w.spans[i]
		p = appendAscending(p, sp.chosen)
		p = binary.AppendUvarint(p, uint64(sp.from))
		p = binary.AppendUvarint(p, uint64(sp.count))
	}
	return p
}

// append appends the parameters.
func (z *siqsSize) append(p []byte) []byte {
	for _, v := range [...]uint64{
		uint64(z.bits), uint64(z.base), uint64(z.large), uint64(z.length), uint64(z.skip), math.Float64bits(z.double), uint64(z.slack),
	} {
		p = binary.AppendUvarint(p, v)
	}
	return p
}

// readSize reads what append wrote; r is bad if a parameter is out of bounds.
func readSize(r *reader) (z siqsSize) {
	z.bits, z.base, z.large = int(r.uvarint()), int(r.uvarint()), int(r.uvarint())
	z.length, z.skip = int(r.uvarint()), int(r.uvarint())
	z.double, z.slack = math.Float64frombits(r.uvarint()), int(r.uvarint())
	between := func(v, lo, hi int) bool { return lo <= v && v <= hi }
	r.bad = r.bad || !between(z.bits, siqsMinBits, siqsMaxBits) || !between(z.base, 64, maxBaseSize) ||
		!between(z.large, 1, 1<<10) || !between(z.length, 1<<11, maxBlocks*blockSize) || z.length%64 != 0 ||
		z.length > blockSize && z.length%blockSize != 0 || !between(z.skip, 3, 1<<10) ||
		!(z.double >= 0 && z.double < 2) || !between(z.slack, 0, 64)
	return z
}

// decodeSieving reads what encode wrote.
func decodeSieving(p []byte) (*sieving, error) {
	if len(p) < 2 || p[0] != version || p[1] != kindSieve {
		return nil, ErrTurn
	}
	r := reader{b: p[2:]}
	w := &sieving{n: r.blob(siqsMaxBits/8 + 1), k: r.uvarint(), size: readSize(&r)}
	count := r.uvarint()
	if r.bad || count == 0 || count > maxSpans || !sievable(w.n, w.k) {
		return nil, ErrTurn
	}
	for range count {
		sp := span{chosen: r.ascending(maxFactors, w.size.base), from: int(r.uvarint()), count: int(r.uvarint())}
		if len(sp.chosen) < 2 {
			return nil, ErrTurn
		}
		all := 1 << (len(sp.chosen) - 1)
		if r.bad || sp.from < 0 || sp.from >= all || sp.count < 1 || sp.count > all-sp.from {
			return nil, ErrTurn
		}
		w.spans = append(w.spans, sp)
	}
	if r.bad || len(r.b) != 0 {
		return nil, ErrTurn
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
	return v.BitLen() >= siqsMinBits && v.BitLen() <= siqsMaxBits
}

// appendAscending appends numbers that do not descend.
func appendAscending[T int | uint32](p []byte, list []T) []byte {
	p = binary.AppendUvarint(p, uint64(len(list)))
	last := T(0)
	for _, v := range list {
		p = binary.AppendUvarint(p, uint64(v-last))
		last = v
	}
	return p
}

// ascending reads what appendAscending wrote: at most most numbers below bound,
// each but repetitions.
func (r *reader) ascending(most, bound int) []int {
	count := r.uvarint()
	if count > uint64(most) || count > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	list := make([]int, 0, count)
	last := uint64(0)
	for range count {
		last += r.uvarint()
		if last >= uint64(bound) || r.bad {
			r.bad = true
			return nil
		}
		list = append(list, int(last))
	}
	return list
}

// valid reports whether the primes of a can be used: odd, different, below
// bucketFrom, no divisors of k, and a in bounds.
func (s *siqsBase) valid(chosen []int) bool {
	if len(chosen) < 2 || len(chosen) > maxFactors {
		return false
	}
	size := 0.0
	for j, i := range chosen {
		if i < 1 || i >= len(s.primes) || j > 0 && i <= chosen[j-1] {
			return false
		}
		p := s.primes[i]
		if p >= bucketFrom || s.k%uint64(p) == 0 {
			return false
		}
		size += math.Log2(float64(p))
	}
	return math.Abs(size-math.Log2(s.wantA())) < 3
}

// runSieve runs a turn of the sieve.
func (r *siqsRunner) runSieve(w *sieving) ([]byte, error) {
	s := r.siqsFor(w)
	if s.divisor != 0 {
		return nil, ErrTurn
	}
	data := []byte{version, foundRelations}
	for i := range w.spans {
		sp := &w.spans[i]
		if !s.valid(sp.chosen) {
			return nil, ErrTurn
		}
		s.found = s.found[:0]
		s.setLeading(sp.chosen)
		for j := range sp.count {
			s.setPolynomial(sp.from + j)
			s.sievePolynomial()
			if r.poll() {
				s.at = -1
				return nil, ErrStopped
			}
		}
		data = appendFound(data, s.found, sp.from)
	}
	return data, nil
}

// appendFound appends the relations of one span: how many, then each with the
// step from the polynomial before.
func appendFound(data []byte, all []found, from int) []byte {
	data = binary.AppendUvarint(data, uint64(len(all)))
	for i := range all {
		f := &all[i]
		data = binary.AppendUvarint(data, uint64(f.poly-from))
		from = f.poly
		data = f.append(data)
	}
	return data
}

// append appends all of the relation but its polynomial.
func (f *found) append(data []byte) []byte {
	data = binary.AppendUvarint(data, uint64(f.pos))
	data = binary.AppendUvarint(data, uint64(f.large[0]))
	data = binary.AppendUvarint(data, uint64(f.large[1]))
	return appendAscending(data, f.list)
}

// maxList bounds the primes in a relation with repetition.
const maxList = 128

// readFound reads what append wrote; r is bad if it can not belong to base.
func (f *found) read(r *reader, base *siqsBase) {
	pos, lo, hi := r.uvarint(), r.uvarint(), r.uvarint()
	if r.bad || pos >= uint64(base.size.length) || lo == 0 || lo > hi || hi >= base.large || lo > 1 && base.double == 0 {
		r.bad = true
		return
	}
	f.pos, f.large = int(pos), [2]uint32{uint32(lo), uint32(hi)}
	count := r.uvarint()
	if count > maxList || count > uint64(len(r.b)) {
		r.bad = true
		return
	}
	f.list = f.list[:0]
	last := uint64(0)
	for range count {
		last += r.uvarint()
		if last == 0 || last >= uint64(len(base.primes)) || r.bad {
			r.bad = true
			return
		}
		f.list = append(f.list, uint32(last))
	}
}

// maxSieves bounds the memory of the tables of the numbers that a runner has
// sieved last, in bytes; those of one number are kept whatever their size. They
// take some 60 KB at 40 digits, 0.7 MB at 60, 8 MB at 80 and 40 MB at 100.
const maxSieves = 64 << 20

// siqsFor returns the tables of the number of w, new or from an earlier turn.
func (r *siqsRunner) siqsFor(w *sieving) *siqs {
	n := new(big.Int).SetBytes(w.n)
	for i, s := range r.sieves {
		if s.k == w.k && s.size == w.size && s.n.Cmp(n) == 0 {
			copy(r.sieves[1:i+1], r.sieves[:i])
			r.sieves[0] = s
			return s
		}
	}
	base := newSiqsBase(n, w.k, w.size)
	if base.divisor != 0 {
		return &siqs{siqsBase: base}
	}
	s := newSiqs(base)
	s.runner = r
	r.sieves = append([]*siqs{s}, r.sieves...)
	for total, i := 0, 0; i < len(r.sieves); i++ {
		if total += r.sieves[i].bytes(); total > maxSieves && i > 0 {
			clear(r.sieves[i:])
			r.sieves = r.sieves[:i]
		}
	}
	return s
}

// bytes returns how much memory the tables take, roughly.
func (s *siqs) bytes() int {
	const each = 50 + 4*14 // bytes a prime, with the steps of 14 primes of a
	return blockSize + each*len(s.primes) + 4*len(s.entries)
}
