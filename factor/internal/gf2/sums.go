package gf2

import (
	"slices"

	"fairfactor/factor/internal/stop"
)

// ByWeight returns m with its columns in the order of their weight, nil if the runner
// is to stop.
func (m *Matrix) ByWeight(r *stop.Poller) *Matrix {
	first := []int{0} // of the columns of each weight
	for c := range m.Columns() {
		w := len(m.Column(c))
		for len(first) < w+2 {
			first = append(first, 0)
		}
		first[w+1]++
	}
	for w := range len(first) - 1 {
		first[w+1] += first[w]
	}
	order := make([]int, m.Columns())
	for c := range order {
		w := len(m.Column(c))
		order[first[w]] = c
		first[w]++
	}
	sorted := &Matrix{Rows: m.Rows, Start: make([]uint32, 1, len(m.Start)), Entries: make([]uint32, 0, len(m.Entries))}
	for i, c := range order {
		if i%(stop.PollEvery/16) == 0 && r.Poll() {
			return nil
		}
		sorted.Push(m.Column(c))
	}
	return sorted
}

// Cancel sorts a list and removes what occurs an even number of times.
func Cancel(list []uint32) []uint32 {
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

// CombineColumns returns the matrix whose columns are the sums of the columns of m in each of
// the sets; nil if the runner is to stop.
func (m *Matrix) CombineColumns(r *stop.Poller, sets *Matrix) *Matrix {
	s := &Matrix{Rows: m.Rows, Start: make([]uint32, 1, len(sets.Start))}
	var list []uint32
	work := 0
	for c := range sets.Columns() {
		set := sets.Column(c)
		work++
		if len(set) == 1 {
			s.Push(m.Column(int(set[0])))
			continue
		}
		list = list[:0]
		for _, i := range set {
			list = append(list, m.Column(int(i))...)
		}
		s.Push(Cancel(list))
		if work += len(list); work >= stop.PollEvery {
			if work = 0; r.Poll() {
				return nil
			}
		}
	}
	return s
}
