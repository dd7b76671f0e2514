package factor

import (
	"encoding/binary"
	"slices"
)

// pollEvery is after how many edges or relations a turn asks whether to stop: some
// 3 ms.
const pollEvery = 1 << 14

// core returns the numbers of the edges, ascending, that are left when those are
// removed, again and again, that have nothing else at one end: they are in no cycle.
// An edge from a vertex to itself is a cycle, and so is what is at vertex 0.
func (r *siqsRunner) core(ends [][2]uint32, vertices int) []uint32 {
	degree, last := make([]uint32, vertices), make([]uint32, vertices) // edges at a vertex: how many, added up
	for i, e := range ends {
		if i%pollEvery == 0 && r.poll() {
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
		if v%pollEvery == 0 && r.poll() {
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
func (r *siqsRunner) newForest(ends [][2]uint32, core []uint32, vertices int) *forest {
	first := make([]uint32, vertices+1) // around[first[v]:first[v+1]] are the edges at v
	for k, i := range core {
		if k%pollEvery == 0 && r.poll() {
			return nil
		}
		for _, v := range ends[i] {
			first[v+1]++
		}
	}
	for v := range vertices {
		first[v+1] += first[v]
	}
	if r.poll() {
		return nil
	}
	around := make([]uint32, 2*len(core))
	fill := slices.Clone(first)
	for k, i := range core {
		if k%pollEvery == 0 && r.poll() {
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
		if root%pollEvery == 0 && r.poll() {
			return nil
		}
		if f.depth[root] > 0 || first[root] == first[root+1] {
			continue
		}
		f.depth[root] = 1
		queue = append(queue[:0], uint32(root))
		for at := 0; at < len(queue); at++ {
			if at%pollEvery == pollEvery-1 && r.poll() {
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
func (r *siqsRunner) cycles(ends [][2]uint32, vertices int) *matrix {
	core := r.core(ends, vertices)
	if r.stopped() {
		return nil
	}
	f := r.newForest(ends, core, vertices)
	if r.stopped() {
		return nil
	}
	all := &matrix{rows: len(ends), start: []uint32{0}}
	work := 0
	for _, i := range core {
		if work++; work >= pollEvery {
			if work = 0; r.poll() {
				return nil
			}
		}
		if f.tree[i] {
			continue
		}
		from := len(all.entries)
		all.entries = append(all.entries, i)
		u, v := ends[i][0], ends[i][1]
		for u != v {
			if f.depth[u] < f.depth[v] {
				u, v = v, u
			}
			all.entries = append(all.entries, f.up[u])
			u ^= ends[f.up[u]][0] ^ ends[f.up[u]][1]
		}
		slices.Sort(all.entries[from:])
		all.start = append(all.start, uint32(len(all.entries)))
		work += len(all.entries) - from
	}
	return all.byWeight(r.poller)
}

// byWeight returns m with its columns in the order of their weight, nil if the runner
// is to stop.
func (m *matrix) byWeight(r *poller) *matrix {
	first := []int{0} // of the columns of each weight
	for c := range m.columns() {
		w := len(m.column(c))
		for len(first) < w+2 {
			first = append(first, 0)
		}
		first[w+1]++
	}
	for w := range len(first) - 1 {
		first[w+1] += first[w]
	}
	order := make([]int, m.columns())
	for c := range order {
		w := len(m.column(c))
		order[first[w]] = c
		first[w]++
	}
	sorted := &matrix{rows: m.rows, start: make([]uint32, 1, len(m.start)), entries: make([]uint32, 0, len(m.entries))}
	for i, c := range order {
		if i%(pollEvery/16) == 0 && r.poll() {
			return nil
		}
		sorted.push(m.column(c))
	}
	return sorted
}

// cyclesPayload asks for the cycles of so many edges, whose ends are listed as
// numbers below vertices.
func cyclesPayload(count, vertices int, ends []byte) []byte {
	p := make([]byte, 0, 16+len(ends))
	p = append(p, version, kindCycles)
	p = binary.AppendUvarint(p, uint64(count))
	p = binary.AppendUvarint(p, uint64(vertices))
	return append(p, ends...)
}

// runCycles runs what cyclesPayload asks for.
func (r *siqsRunner) runCycles(payload []byte) ([]byte, error) {
	p := reader{b: payload[2:]}
	count, vertices := p.uvarint(), p.uvarint()
	if p.bad || 2*count > uint64(len(p.b)) || vertices > 2*count+1 {
		return nil, ErrTurn
	}
	ends := make([][2]uint32, count)
	for i := range ends {
		if i%pollEvery == 0 && r.poll() {
			return nil, ErrStopped
		}
		u, v := p.uvarint(), p.uvarint()
		if p.bad || u >= vertices || v >= vertices {
			return nil, ErrTurn
		}
		ends[i] = [2]uint32{uint32(u), uint32(v)}
	}
	if len(p.b) != 0 {
		return nil, ErrTurn
	}
	all := r.cycles(ends, int(vertices))
	if r.poll() {
		return nil, ErrStopped
	}
	return seal(all.append([]byte{version, foundCycles}, r.poll)), nil
}
