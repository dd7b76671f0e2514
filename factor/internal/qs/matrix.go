package qs

import (
	"math/big"
	"math/bits"

	"fairfactor/factor/internal/arith"
)

// relations are what the sieve found: squares root^2 that are, modulo n, a
// product of primes of the factor base, of the sign and of the squares of large
// primes. Each is eliminated against the ones before it as it comes, so that a
// dependency shows at the first moment.
type relations struct {
	list  []uint16 // scratch: primes of the relation at hand
	all   []relation
	lists []uint16 // primes of all relations, one after the other

	partials []relation // one for each large prime seen
	seen     []uint64   // hash table of them: large prime << 32 | index of partials + 1

	words   int             // of a row: the exponents modulo 2, then its history
	left    int             // words of the exponents
	rows    []uint64        // reduced rows
	pivot   []int32         // column to row, -1 if none
	failed  int             // dependencies that gave nothing
	sums    []int32         // scratch: exponents of a dependency
	x, y    []arith.Uint128 // scratch: factors of both sides of one
	history []uint64        // scratch: the row at hand
}

// relation says (root other)^2 = large^2 times the primes lists[from:to]: prime
// i+1 stands for base[i], 0 for -1. Of one that waits for its large prime the
// other root is 1, and the large prime is not squared.
type relation struct {
	root, other arith.Uint128
	large       uint64
	from, to    uint32
}

// spare is how many relations may be found beyond the size of the factor base.
const spare = 64

// startRelations empties the relations.
func (q *Sieve) startRelations() {
	cols := len(q.base) + 1
	q.left = (cols + 63) / 64
	q.words = q.left + (cols+spare+63)/64
	q.rows = q.rows[:0]
	q.pivot = arith.Resize(q.pivot, cols)
	for i := range q.pivot {
		q.pivot[i] = -1
	}
	q.sums = arith.Resize(q.sums, cols)
	q.all, q.lists, q.failed = q.all[:0], q.lists[:0], 0
	q.partials = q.partials[:0]
	q.seen = arith.Resize(q.seen, 1<<bits.Len(uint(16*cols)))
	clear(q.seen)
}

// waiting returns where the large prime is in seen, or belongs.
func (q *Sieve) waiting(large uint64) (at uint64, found bool) {
	mask := uint64(len(q.seen) - 1)
	at = large * 0x9e3779b97f4a7c15 >> 40 & mask
	for ; q.seen[at] != 0; at = (at + 1) & mask {
		if q.seen[at]>>32 == large {
			return at, true
		}
	}
	return at, false
}

// relation takes root^2 = large * primes in list, large < 2^32. A large prime
// waits for its like.
func (q *Sieve) relation(root arith.Uint128, large uint64, list []uint16) (d arith.Uint128, found bool) {
	from := uint32(len(q.lists))
	q.lists = append(q.lists, list...)
	rel := relation{root, arith.Uint128{Lo: 1}, large, from, uint32(len(q.lists))}
	if large == 1 {
		return q.eliminate(rel)
	}
	at, found := q.waiting(large)
	if !found {
		if 2*len(q.partials) < len(q.seen) { // enough, else
			q.partials = append(q.partials, rel)
			q.seen[at] = large<<32 | uint64(len(q.partials))
		}
		return arith.Uint128{}, false
	}
	first := &q.partials[uint32(q.seen[at])-1]
	if first.root == rel.root {
		q.lists = q.lists[:from]
		return arith.Uint128{}, false // the same relation once more
	}
	q.lists = append(q.lists, q.lists[first.from:first.to]...)
	rel.to = uint32(len(q.lists))
	rel.other = first.root
	return q.eliminate(rel)
}

// full reports whether the rows have no room for another relation.
func (q *Sieve) full() bool { return len(q.all) >= len(q.base)+1+spare }

// eliminate reduces rel by the rows before it. If nothing is left, a product of
// relations is a square, which may give a factor. The columns are the primes from
// the largest down: large primes are rare, and so rows stay sparse.
//
//go:norace
func (q *Sieve) eliminate(rel relation) (d arith.Uint128, found bool) {
	if q.full() {
		return arith.Uint128{}, false
	}
	at := len(q.rows)
	for range q.words {
		q.rows = append(q.rows, 0)
	}
	row := q.rows[at:]
	last := uint16(len(q.base))
	for _, i := range q.lists[rel.from:rel.to] {
		c := last - i
		row[c/64] ^= 1 << (c % 64)
	}
	number := len(q.all)
	q.all = append(q.all, rel)
	row[q.left+number/64] |= 1 << (number % 64)
	for w := 0; w < q.left; {
		if row[w] == 0 {
			w++
			continue
		}
		col := 64*w + bits.TrailingZeros64(row[w])
		if q.pivot[col] < 0 {
			q.pivot[col] = int32(at)
			return arith.Uint128{}, false
		}
		other := q.rows[q.pivot[col]:][:len(row)]
		for j, x := range other[w:] {
			row[w+j] ^= x
		}
	}
	q.history = append(q.history[:0], row[q.left:]...)
	q.rows = q.rows[:at]
	d, found = q.squareRoot(q.history)
	if !found {
		q.failed++
	}
	return d, found
}

// squareRoot multiplies the relations of a dependency: x^2 = y^2 modulo n.
//
//go:norace
func (q *Sieve) squareRoot(history []uint64) (d arith.Uint128, found bool) {
	x, y := q.x[:0], q.y[:0]
	clear(q.sums)
	for w, set := range history {
		for ; set != 0; set &= set - 1 {
			rel := &q.all[64*w+bits.TrailingZeros64(set)]
			x = append(x, rel.root)
			if rel.large != 1 {
				x = append(x, rel.other)
				y = append(y, arith.Uint128{Lo: rel.large})
			}
			for _, i := range q.lists[rel.from:rel.to] {
				q.sums[i]++
			}
		}
	}
	part := uint64(1) // of y, while it fits
	for i, e := range q.sums[1:] {
		p := uint64(q.base[i].p)
		for range e / 2 {
			hi, lo := bits.Mul64(part, p)
			if hi != 0 {
				y = append(y, arith.Uint128{Lo: part})
				lo = p
			}
			part = lo
		}
	}
	q.x, q.y = x, append(y, arith.Uint128{Lo: part})
	if q.n[2] != 0 {
		return q.divisorBig()
	}
	n := arith.Uint128{Hi: q.n[1], Lo: q.n[0]}
	m := arith.NewMont128(n)
	d = n.GCD(m.Sub(m.Product(q.x), m.Product(q.y)))
	return d, d != arith.Uint128{Lo: 1} && d != n
}

// divisorBig returns the smaller one of the two factors that split n,
// for n of three words.
func (q *Sieve) divisorBig() (d arith.Uint128, found bool) {
	n := q.n.Big()
	m := arith.NewMontN(n)
	x, y := m.Product(q.x), m.Product(q.y)
	m.Sub(x, x, y)
	g := new(big.Int).GCD(nil, nil, arith.BigOf(x), n)
	if g.Cmp(arith.One) == 0 || g.Cmp(n) == 0 {
		return arith.Uint128{}, false
	}
	if f := new(big.Int).Quo(n, g); f.Cmp(g) < 0 {
		g = f
	}
	return arith.Uint128Of(g.Bytes()), true
}
