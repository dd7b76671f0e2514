package gf2

import (
	"math/bits"
	"slices"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/stop"
)

// Lanczos looks for dependencies of a matrix by the block Lanczos method
// (Montgomery, "A block Lanczos algorithm for finding dependencies over GF(2)",
// Eurocrypt '95): the columns B of the matrix give A = B'B, and blocks V of 64
// vectors are made orthogonal to each other with respect to A, until nothing is
// left. The names are those of the paper, section 8.
type Lanczos struct {
	M      *Matrix
	sparse *Matrix    // m without its heavy rows
	heavy  [][]uint64 // 64 heavy rows each, a bit each, by column
	byteSums
	rows []uint64 // scratch, a word for each row
}

// NewLanczos splits the rows of m that are in more than one of heavyShare columns
// off. What it returns is of no use if the runner is to stop.
func NewLanczos(run *stop.Poller, m *Matrix) *Lanczos {
	const heavyShare = 24
	l := &Lanczos{M: m, rows: make([]uint64, m.Rows)}
	weight := make([]int, m.Rows)
	for _, r := range m.Entries {
		weight[r]++
	}
	number := make([]int, m.Rows) // of a heavy row, from 1
	count := 0
	for r, w := range weight {
		if heavyShare*w > m.Columns() {
			count++
			number[r] = count
		}
	}
	l.sparse = &Matrix{Rows: m.Rows, Start: make([]uint32, 1, m.Columns()+1)}
	l.heavy = make([][]uint64, (count+63)/64)
	for i := range l.heavy {
		l.heavy[i] = make([]uint64, m.Columns())
	}
	for c := range m.Columns() {
		if c%(stop.PollEvery/16) == 0 && run.Poll() {
			break
		}
		for _, r := range m.Column(c) {
			if k := number[r] - 1; k >= 0 {
				l.heavy[k/64][c] |= 1 << (k % 64)
			} else {
				l.sparse.Entries = append(l.sparse.Entries, r)
			}
		}
		l.sparse.Start = append(l.sparse.Start, uint32(len(l.sparse.Entries)))
	}
	return l
}

// apply sets z to Ax, unless the runner is to stop.
func (l *Lanczos) apply(run *stop.Poller, z, x []uint64) {
	clear(l.rows)
	for _, pass := range [...]func(z, x []uint64, from, to int){l.scatter, l.gather} {
		for from := 0; from < len(x); from += stop.PollEvery {
			if run.Poll() {
				return
			}
			pass(z, x, from, min(from+stop.PollEvery, len(x)))
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
func (l *Lanczos) scatter(_, x []uint64, from, to int) {
	rows, entries, start := l.rows, l.sparse.Entries, l.sparse.Start[from:to+1]
	for c, v := range x[from:to] {
		for _, r := range entries[start[c]:start[c+1]] {
			rows[r] ^= v
		}
	}
}

// gather sets some elements of z to the sums of the rows of their sparse columns.
//
//go:norace
func (l *Lanczos) gather(z, _ []uint64, from, to int) {
	rows, entries, start := l.rows, l.sparse.Entries, l.sparse.Start[from:to+1]
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
func choose(t matrix64, before uint64) (inverse matrix64, s uint64, ok bool) {
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
		pivot := func(m *matrix64) bool {
			for _, i := range order[k:] {
				if m[i]>>col&1 == 1 {
					t[i], t[col] = t[col], t[i]
					inverse[i], inverse[col] = inverse[col], inverse[i]
					return true
				}
			}
			return false
		}
		clean := func(m *matrix64) {
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
	X        []uint64    // X + Y so far
	v0       []uint64    // V_0
	V        [3][]uint64 // V_i, V_i-1, V_i-2
	inverse1 matrix64    // W^inv of i-1
	inverse2 matrix64    // of i-2
	vav1     matrix64    // V'AV of i-1
	va2v1    matrix64    // V'A^2V of i-1
	before   uint64      // S of i-1
}

// Begin returns the start that seed chooses.
func (l *Lanczos) Begin(r *stop.Poller, seed uint64) *state {
	n := l.M.Columns()
	s := &state{seed: seed, X: make([]uint64, n), v0: make([]uint64, n), before: ^uint64(0)}
	for i := range s.X {
		s.X[i] = arith.Mix(seed, uint64(2*i))<<32 ^ arith.Mix(seed, uint64(2*i+1))>>8
	}
	l.apply(r, s.v0, s.X)
	s.V = [3][]uint64{slices.Clone(s.v0), make([]uint64, n), make([]uint64, n)}
	return s
}

// outcome is what came of some steps of the method.
type outcome int

const (
	UnderWay outcome = iota // there are steps left to take
	Finished                // X + Y and the last V hold dependencies
	broken                  // another start may do better
)

// Advance takes at most count steps from s.
func (l *Lanczos) Advance(r *stop.Poller, s *state, count int) outcome {
	n := l.M.Columns()
	av := make([]uint64, n)
	for range count {
		if s.step > n/50+20 {
			return broken
		}
		if l.apply(r, av, s.V[0]); r.Stopped() {
			return broken
		}
		vav := l.inner(s.V[0], av)
		if vav == (matrix64{}) {
			return Finished
		}
		va2v := l.inner(av, av)
		inverse, set, ok := choose(vav, s.before)
		if !ok {
			return broken
		}
		w := l.inner(s.V[0], s.v0)
		w = inverse.mul(&w)
		l.addProduct(s.X, s.V[0], &w)

		d := va2v.masked(set)
		d = d.plus(&vav)
		d = inverse.mul(&d)
		one := identity()
		d = d.plus(&one)
		e := s.inverse1.mul(&vav)
		e = e.masked(set)
		f := s.vav1.mul(&s.inverse1)
		f = f.plus(&one)
		f = s.inverse2.mul(&f)
		g := s.va2v1.masked(s.before)
		g = g.plus(&s.vav1)
		f = f.mul(&g)
		f = f.masked(set)

		// The new V takes the place of the oldest, which it depends on row by row.
		next := s.V[2]
		l.product(next, next, &f)
		for i, a := range av {
			next[i] ^= a & set
		}
		l.addProduct(next, s.V[0], &d)
		l.addProduct(next, s.V[1], &e)
		s.V = [3][]uint64{next, s.V[0], s.V[1]}
		s.inverse2, s.inverse1, s.vav1, s.va2v1, s.before = s.inverse1, inverse, vav, va2v, set
		s.step++
	}
	return UnderWay
}

// MaxStarts bounds the starts of the method: one at random breaks down with a small
// chance.
const MaxStarts = 4

// Dependencies returns dependencies of the matrix, or none if the method breaks
// down.
func (l *Lanczos) Dependencies(r *stop.Poller) [][]uint64 {
	for seed := range uint64(MaxStarts) {
		s := l.Begin(r, seed)
		if l.Advance(r, s, l.M.Columns()) != Finished {
			if r.Stopped() {
				return nil
			}
			continue
		}
		if sets := l.Combine(r, [2][]uint64{s.X, s.V[0]}); len(sets) > 0 {
			return sets
		}
	}
	return nil
}

// Combine returns the independent combinations of the columns of z that are
// dependencies (section 7); nil if the runner is to stop.
func (l *Lanczos) Combine(run *stop.Poller, z [2][]uint64) [][]uint64 {
	var image [2][]uint64
	for k := range image {
		image[k] = make([]uint64, l.M.Rows)
		for c, v := range z[k] {
			if c%(stop.PollEvery/4) == 0 && run.Poll() {
				return nil
			}
			for _, r := range l.M.Column(c) {
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
	if run.Stopped() {
		return nil
	}
	var sets [][]uint64
	for k := range z {
		for j := kernel[k] &^ zero[k]; j != 0 && len(sets) < MaxDependencies; j &= j - 1 {
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
func eliminate(run *stop.Poller, m, along [2][]uint64) (zero [2]uint64) {
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
		if run.Poll() {
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
