package factor

import (
	"math/bits"
	"slices"
)

// lanczos looks for dependencies of a matrix by the block Lanczos method
// (Montgomery, "A block Lanczos algorithm for finding dependencies over GF(2)",
// Eurocrypt '95): the columns B of the matrix give A = B'B, and blocks V of 64
// vectors are made orthogonal to each other with respect to A, until nothing is
// left. The names are those of the paper, section 8.
type lanczos struct {
	m      *matrix
	sparse *matrix    // m without its heavy rows
	heavy  [][]uint64 // 64 heavy rows each, a bit each, by column
	sums
	rows []uint64 // scratch, a word for each row
}

// newLanczos splits the rows of m that are in more than one of heavyShare columns
// off. What it returns is of no use if the runner is to stop.
func newLanczos(run *poller, m *matrix) *lanczos {
	const heavyShare = 24
	l := &lanczos{m: m, rows: make([]uint64, m.rows)}
	weight := make([]int, m.rows)
	for _, r := range m.entries {
		weight[r]++
	}
	number := make([]int, m.rows) // of a heavy row, from 1
	count := 0
	for r, w := range weight {
		if heavyShare*w > m.columns() {
			count++
			number[r] = count
		}
	}
	l.sparse = &matrix{rows: m.rows, start: make([]uint32, 1, m.columns()+1)}
	l.heavy = make([][]uint64, (count+63)/64)
	for i := range l.heavy {
		l.heavy[i] = make([]uint64, m.columns())
	}
	for c := range m.columns() {
		if c%(pollEvery/16) == 0 && run.poll() {
			break
		}
		for _, r := range m.column(c) {
			if k := number[r] - 1; k >= 0 {
				l.heavy[k/64][c] |= 1 << (k % 64)
			} else {
				l.sparse.entries = append(l.sparse.entries, r)
			}
		}
		l.sparse.start = append(l.sparse.start, uint32(len(l.sparse.entries)))
	}
	return l
}

// apply sets z to Ax, unless the runner is to stop.
func (l *lanczos) apply(run *poller, z, x []uint64) {
	clear(l.rows)
	for _, pass := range [...]func(z, x []uint64, from, to int){l.scatter, l.gather} {
		for from := 0; from < len(x); from += pollEvery {
			if run.poll() {
				return
			}
			pass(z, x, from, min(from+pollEvery, len(x)))
		}
	}
	for _, h := range l.heavy {
		p := l.inner(h, x)
		l.addProduct(z, h, &p)
	}
}

// scatter adds some elements of x to the rows of their sparse columns.
//
//go:norace
func (l *lanczos) scatter(_, x []uint64, from, to int) {
	rows, entries, start := l.rows, l.sparse.entries, l.sparse.start[from:to+1]
	for c, v := range x[from:to] {
		for _, r := range entries[start[c]:start[c+1]] {
			rows[r] ^= v
		}
	}
}

// gather sets some elements of z to the sums of the rows of their sparse columns.
//
//go:norace
func (l *lanczos) gather(z, _ []uint64, from, to int) {
	rows, entries, start := l.rows, l.sparse.entries, l.sparse.start[from:to+1]
	z = z[from:to]
	for c := range z {
		v := uint64(0)
		for _, r := range entries[start[c]:start[c+1]] {
			v ^= rows[r]
		}
		z[c] = v
	}
}

// choose returns the largest W^-1 and set of columns S for which T = V'AV can be
// inverted on S, columns that were not in S before first (section 8, figure 1).
// ok is false if a column is in neither, which ends the method.
func choose(t small, before uint64) (inverse small, s uint64, ok bool) {
	inverse = identity()
	var order [64]int
	lo, hi := 0, 63
	for i := range 64 {
		if before>>i&1 == 1 {
			order[hi] = i
			hi--
		} else {
			order[lo] = i
			lo++
		}
	}
	for k, col := range order {
		pivot := func(m *small) bool {
			for _, i := range order[k:] {
				if m[i]>>col&1 == 1 {
					t[i], t[col] = t[col], t[i]
					inverse[i], inverse[col] = inverse[col], inverse[i]
					return true
				}
			}
			return false
		}
		clean := func(m *small) {
			for i := range 64 {
				if i != col && m[i]>>col&1 == 1 {
					t[i] ^= t[col]
					inverse[i] ^= inverse[col]
				}
			}
		}
		if pivot(&t) {
			clean(&t)
			s |= 1 << col
			continue
		}
		if !pivot(&inverse) {
			return inverse, s, false
		}
		clean(&inverse)
		t[col], inverse[col] = 0, 0
	}
	return inverse, s, s|before == ^uint64(0)
}

// state is where the method is after some steps.
type state struct {
	seed     uint64 // chooses the start
	step     int
	x        []uint64    // X + Y so far
	v0       []uint64    // V_0
	v        [3][]uint64 // V_i, V_i-1, V_i-2
	inverse1 small       // W^inv of i-1
	inverse2 small       // of i-2
	vav1     small       // V'AV of i-1
	va2v1    small       // V'A^2V of i-1
	before   uint64      // S of i-1
}

// begin returns the start that seed chooses.
func (l *lanczos) begin(r *poller, seed uint64) *state {
	n := l.m.columns()
	s := &state{seed: seed, x: make([]uint64, n), v0: make([]uint64, n), before: ^uint64(0)}
	for i := range s.x {
		s.x[i] = sigma(seed, uint64(2*i))<<32 ^ sigma(seed, uint64(2*i+1))>>8
	}
	l.apply(r, s.v0, s.x)
	s.v = [3][]uint64{slices.Clone(s.v0), make([]uint64, n), make([]uint64, n)}
	return s
}

// outcome is what came of some steps of the method.
type outcome int

const (
	underWay outcome = iota
	finished         // X + Y and the last V hold dependencies
	broken           // another start may do better
)

// advance takes at most count steps from s.
func (l *lanczos) advance(r *poller, s *state, count int) outcome {
	n := l.m.columns()
	av := make([]uint64, n)
	for range count {
		if s.step > n/50+20 {
			return broken
		}
		if l.apply(r, av, s.v[0]); r.stopped() {
			return broken
		}
		vav := l.inner(s.v[0], av)
		if vav == (small{}) {
			return finished
		}
		va2v := l.inner(av, av)
		inverse, set, ok := choose(vav, s.before)
		if !ok {
			return broken
		}
		w := l.inner(s.v[0], s.v0)
		w = inverse.mul(&w)
		l.addProduct(s.x, s.v[0], &w)

		d := va2v.only(set)
		d = d.plus(&vav)
		d = inverse.mul(&d)
		one := identity()
		d = d.plus(&one)
		e := s.inverse1.mul(&vav)
		e = e.only(set)
		f := s.vav1.mul(&s.inverse1)
		f = f.plus(&one)
		f = s.inverse2.mul(&f)
		g := s.va2v1.only(s.before)
		g = g.plus(&s.vav1)
		f = f.mul(&g)
		f = f.only(set)

		// The new V takes the place of the oldest, which it depends on row by row.
		next := s.v[2]
		l.product(next, next, &f)
		for i, a := range av {
			next[i] ^= a & set
		}
		l.addProduct(next, s.v[0], &d)
		l.addProduct(next, s.v[1], &e)
		s.v = [3][]uint64{next, s.v[0], s.v[1]}
		s.inverse2, s.inverse1, s.vav1, s.va2v1, s.before = s.inverse1, inverse, vav, va2v, set
		s.step++
	}
	return underWay
}

// maxStarts bounds the starts of the method: one by lot breaks down with a small
// chance.
const maxStarts = 4

// dependencies returns dependencies of the matrix, or none if the method breaks
// down.
func (l *lanczos) dependencies(r *poller) [][]uint64 {
	for seed := range uint64(maxStarts) {
		s := l.begin(r, seed)
		if l.advance(r, s, l.m.columns()) != finished {
			if r.stopped() {
				return nil
			}
			continue
		}
		if sets := l.combine(r, [2][]uint64{s.x, s.v[0]}); len(sets) > 0 {
			return sets
		}
	}
	return nil
}

// combine returns the independent combinations of the columns of z that are
// dependencies (section 7); nil if the runner is to stop.
func (l *lanczos) combine(run *poller, z [2][]uint64) [][]uint64 {
	var image [2][]uint64
	for k := range image {
		image[k] = make([]uint64, l.m.rows)
		for c, v := range z[k] {
			if c%(pollEvery/4) == 0 && run.poll() {
				return nil
			}
			for _, r := range l.m.column(c) {
				image[k][r] ^= v
			}
		}
	}
	kernel := eliminate(run, image, z)
	// Of what is in the kernel, the pivots of a second elimination are
	// independent.
	for k := range z {
		for i := range z[k] {
			z[k][i] &= kernel[k]
		}
	}
	zero := eliminate(run, z, [2][]uint64{})
	if run.stopped() {
		return nil
	}
	var sets [][]uint64
	for k := range z {
		for j := kernel[k] &^ zero[k]; j != 0 && len(sets) < maxSquares; j &= j - 1 {
			b := bits.TrailingZeros64(j)
			set := make([]uint64, (len(z[k])+63)/64)
			for c, v := range z[k] {
				set[c/64] |= v >> b & 1 << (c % 64)
			}
			sets = append(sets, set)
		}
	}
	return sets
}

// eliminate adds columns of m to others, and those of along alike, until columns
// have pivots of their own or are zero. It returns the columns that are zero, unless
// the runner is to stop.
func eliminate(run *poller, m, along [2][]uint64) (zero [2]uint64) {
	free := [2]uint64{^uint64(0), ^uint64(0)}
	for i := range m[0] {
		a := [2]uint64{m[0][i] & free[0], m[1][i] & free[1]}
		k := 0
		if a[0] == 0 {
			if k = 1; a[1] == 0 {
				continue
			}
		}
		j := bits.TrailingZeros64(a[k])
		a[k] &^= 1 << j
		free[k] &^= 1 << j
		if a[0]|a[1] == 0 {
			continue
		}
		if run.poll() {
			break
		}
		for _, v := range [...][2][]uint64{m, along} {
			for i := range v[k] {
				t := -(v[k][i] >> j & 1)
				v[0][i] ^= a[0] & t
				v[1][i] ^= a[1] & t
			}
		}
	}
	return free
}
