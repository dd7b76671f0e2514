package siqs

// graph counts how many combinations of the relations with large primes are free
// of them. Large primes are its vertices, 1 is one too, and relations its edges:
// the cycles are edges - vertices + components (Lenstra and Manasse, "Factoring
// with two large primes", Math. Comp. 63 (1994), section 4).
type graph struct {
	vertex map[uint32]uint32 // number of a large prime
	parent []uint32          // towards the representative of the component
	cycles int
}

func (g *graph) start() {
	g.vertex = map[uint32]uint32{1: 0}
	g.parent = append(g.parent[:0], 0)
}

// join adds an edge and returns the vertices that it joins.
func (g *graph) join(large [2]uint32) (u, v uint32) {
	u, v = g.number(large[0]), g.number(large[1])
	a, b := g.find(u), g.find(v)
	if a == b {
		g.cycles++
	} else {
		g.parent[max(a, b)] = min(a, b)
	}
	return u, v
}

// number returns the vertex of a large prime.
func (g *graph) number(p uint32) uint32 {
	v, ok := g.vertex[p]
	if !ok {
		v = uint32(len(g.parent))
		g.vertex[p] = v
		g.parent = append(g.parent, v)
	}
	return v
}

// find returns the representative of the component of a vertex.
func (g *graph) find(v uint32) uint32 {
	for g.parent[v] != v {
		g.parent[v] = g.parent[g.parent[v]]
		v = g.parent[v]
	}
	return v
}

// keySet is a set of 64-bit keys that are as good as random. It is in parts, each
// half full at most, that grow on their own: with four million keys the addition that
// makes one grow moves 65,000 of them.
type keySet [64]keyPart

// keyPart holds the keys with the same highest bits.
type keyPart struct {
	slots []uint64 // 0: free
	count int
}

// add adds a key and reports whether it is new. 0 counts as 1.
func (s *keySet) add(key uint64) bool {
	key = max(key, 1)
	return s[key*keyMix>>58].add(key)
}

// keyMix spreads the keys over the parts and their slots.
const keyMix = 0x9e3779b97f4a7c15

// add adds a key other than 0.
func (p *keyPart) add(key uint64) bool {
	if 2*p.count >= len(p.slots) {
		old := p.slots
		p.slots = make([]uint64, max(32, 2*len(old)))
		for _, k := range old {
			if k != 0 {
				p.slots[p.slot(k)] = k
			}
		}
	}
	i := p.slot(key)
	if p.slots[i] == key {
		return false
	}
	p.slots[i] = key
	p.count++
	return true
}

// slot returns where key is or belongs.
func (p *keyPart) slot(key uint64) int {
	mask := uint64(len(p.slots) - 1)
	i := key * keyMix >> 20 & mask
	for p.slots[i] != 0 && p.slots[i] != key {
		i = (i + 1) & mask
	}
	return int(i)
}
