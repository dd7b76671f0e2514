package siqs

import (
	"encoding/binary"
	"slices"

	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// twoCore returns the numbers of the edges, ascending, that are left when those are
// removed, again and again, that have nothing else at one end: they are in no cycle.
// An edge from a vertex to itself is a cycle, and so is what is at vertex 0.
func (r *Runner) twoCore(ends [][2]uint32, vertices int) []uint32 {
	degree, last := make([]uint32, vertices), make([]uint32, vertices) // edges at a vertex: how many, added up
	for i, e := range ends {
		if i%stop.PollEvery == 0 && r.Poll() {
			return nil
		}
		for _, v := range e {
			degree[v]++
			last[v] ^= uint32(i)
		}
		if e[0] == e[1] {
			degree[e[0]]++ // never 1 again
		}
	}
	degree[0] += 2
	gone := make([]bool, len(ends))
	removed := 0
	for v := range degree {
		if v%stop.PollEvery == 0 && r.Poll() {
			return nil
		}
		for u := uint32(v); degree[u] == 1; {
			i := last[u]
			gone[i] = true
			removed++
			other := ends[i][0] ^ ends[i][1] ^ u
			degree[u] = 0
			degree[other]--
			last[other] ^= i
			u = other
		}
	}
	left := make([]uint32, 0, len(ends)-removed)
	for i, g := range gone {
		if !g {
			left = append(left, uint32(i))
		}
	}
	return left
}

// forest is a spanning forest of a graph, searched in breadth from vertex 0, which
// is the large prime 1, so that the ways to it are short.
type forest struct {
	up    []uint32 // the edge towards the root; none at a root
	depth []int32
	tree  []bool // edges that are in it
}

// newForest searches the graph that has the edges in core.
func (r *Runner) newForest(ends [][2]uint32, core []uint32, vertices int) *forest {
	first := make([]uint32, vertices+1) // around[first[v]:first[v+1]] are the edges at v
	for k, i := range core {
		if k%stop.PollEvery == 0 && r.Poll() {
			return nil
		}
		for _, v := range ends[i] {
			first[v+1]++
		}
	}
	for v := range vertices {
		first[v+1] += first[v]
	}
	if r.Poll() {
		return nil
	}
	around := make([]uint32, 2*len(core))
	fill := slices.Clone(first)
	for k, i := range core {
		if k%stop.PollEvery == 0 && r.Poll() {
			return nil
		}
		for _, v := range ends[i] {
			around[fill[v]] = i
			fill[v]++
		}
	}
	f := &forest{up: make([]uint32, vertices), depth: make([]int32, vertices), tree: make([]bool, len(ends))}
	var queue []uint32
	for root := range vertices {
		if root%stop.PollEvery == 0 && r.Poll() {
			return nil
		}
		if f.depth[root] > 0 || first[root] == first[root+1] {
			continue
		}
		f.depth[root] = 1
		queue = append(queue[:0], uint32(root))
		for at := 0; at < len(queue); at++ {
			if at%stop.PollEvery == stop.PollEvery-1 && r.Poll() {
				return nil
			}
			v := queue[at]
			for _, i := range around[first[v]:first[v+1]] {
				u := ends[i][0] ^ ends[i][1] ^ v
				if f.depth[u] == 0 {
					f.depth[u], f.up[u], f.tree[i] = f.depth[v]+1, i, true
					queue = append(queue, u)
				}
			}
		}
	}
	return f
}

// cycles returns independent cycles of a graph, edges ascending in each, the short
// ones first: every edge outside of a spanning forest closes one. They are the
// columns of what is returned, the edges its rows. It is nil if the runner is to stop.
func (r *Runner) cycles(ends [][2]uint32, vertices int) *gf2.Matrix {
	core := r.twoCore(ends, vertices)
	if r.Stopped() {
		return nil
	}
	f := r.newForest(ends, core, vertices)
	if r.Stopped() {
		return nil
	}
	all := &gf2.Matrix{Rows: len(ends), Start: []uint32{0}}
	work := 0
	for _, i := range core {
		if work++; work >= stop.PollEvery {
			if work = 0; r.Poll() {
				return nil
			}
		}
		if f.tree[i] {
			continue
		}
		from := len(all.Entries)
		all.Entries = append(all.Entries, i)
		u, v := ends[i][0], ends[i][1]
		for u != v {
			if f.depth[u] < f.depth[v] {
				u, v = v, u
			}
			all.Entries = append(all.Entries, f.up[u])
			u ^= ends[f.up[u]][0] ^ ends[f.up[u]][1]
		}
		slices.Sort(all.Entries[from:])
		all.Start = append(all.Start, uint32(len(all.Entries)))
		work += len(all.Entries) - from
	}
	return all.ByWeight(r.Poller)
}

// cyclesPayload asks for the cycles of so many edges, whose ends are listed as
// numbers below vertices.
func cyclesPayload(count, vertices int, ends []byte) []byte {
	p := make([]byte, 0, 16+len(ends))
	p = append(p, wire.Version, wire.KindCycles)
	p = binary.AppendUvarint(p, uint64(count))
	p = binary.AppendUvarint(p, uint64(vertices))
	return append(p, ends...)
}

// runCycles runs what cyclesPayload asks for.
func (r *Runner) runCycles(payload []byte) ([]byte, error) {
	p := wire.Reader{B: payload[2:]}
	count, vertices := p.Uvarint(), p.Uvarint()
	if p.Bad || 2*count > uint64(len(p.B)) || vertices > 2*count+1 {
		return nil, wire.ErrTurn
	}
	ends := make([][2]uint32, count)
	for i := range ends {
		if i%stop.PollEvery == 0 && r.Poll() {
			return nil, stop.ErrStopped
		}
		u, v := p.Uvarint(), p.Uvarint()
		if p.Bad || u >= vertices || v >= vertices {
			return nil, wire.ErrTurn
		}
		ends[i] = [2]uint32{uint32(u), uint32(v)}
	}
	if len(p.B) != 0 {
		return nil, wire.ErrTurn
	}
	all := r.cycles(ends, int(vertices))
	if r.Poll() {
		return nil, stop.ErrStopped
	}
	return wire.Seal(all.Append([]byte{wire.Version, wire.FoundCycles}, r.Poll)), nil
}
