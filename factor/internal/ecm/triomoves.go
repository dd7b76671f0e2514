package ecm

import "slices"

// trioMove is an addition, points[r] = points[p] + points[q] with the difference
// points[d], or a doubling, points[r] = 2 points[p], if q is isDouble. Points are named by
// the offset of their bytes; the assembly knows the layout.
type trioMove struct{ r, p, q, d uint16 }

const (
	chainSlots = 8      // points of a chain that are in use at a time
	slotSize   = 48     // bytes of a trioPoint
	isDouble   = 0xffff // no offset
)

// meeting is a pair of stage 2, by the offsets of the x of its giant and of its baby.
type meeting struct{ giant, baby uint16 }

// xSize is the size of an x of all curves in bytes.
const xSize = 24

// trioPlan is what three curves in step do: moves, which leave nothing to decide, then the
// meetings of some of the points. The operations of a chain, and the number of pairs
// for each giant, would be guessed wrong by the processor several times a prime.
type trioPlan struct {
	moves  []trioMove // of both stages; what is multiplied is points[0]
	points int        // slots in use
	first  int        // slot of the first baby; the giants are behind the babies
	count  int        // babies and giants
	list   []meeting  // an even number
}

// newTrioPlan returns the plan for the chain of stage 1 and the pairs of stage 2, whose
// giant step is a multiple of 60 or 210.
func newTrioPlan(chain []byte, pairs *pairing) (l trioPlan) {
	q := l.chain(chain)
	babies, giants := len(pairs.babies), len(pairs.ends)
	l.first, l.count = chainSlots, babies+giants
	l.points = l.first + l.count
	l.multiples(q, pairs)
	start := uint32(0)
	for i, end := range pairs.ends {
		for _, j := range pairs.hits[start:end] {
			l.list = append(l.list, meeting{uint16((babies + i) * xSize), j * xSize})
		}
		start = end
	}
	if len(l.list)%2 == 1 {
		l.list = append(l.list, l.list[0])
	}
	return l
}

// add appends an addition and dup a doubling; they return r.
func (l *trioPlan) add(r, p, q, d int) int {
	l.moves = append(l.moves, trioMove{uint16(r * slotSize), uint16(p * slotSize), uint16(q * slotSize), uint16(d * slotSize)})
	return r
}

func (l *trioPlan) dup(r, p int) int {
	l.moves = append(l.moves, trioMove{uint16(r * slotSize), uint16(p * slotSize), isDouble, 0})
	return r
}

// spare returns a new slot.
func (l *trioPlan) spare() int {
	l.points++
	return l.points - 1
}

// multiples appends the multiples of q that the pairs need: of the babies, by walking 1,
// 7, 13, ... and 5, 11, 17, ..., and of the giants.
func (l *trioPlan) multiples(q int, pairs *pairing) {
	at := map[uint64]int{1: q}
	slot := func(j uint64) int {
		s := l.spare()
		if i, found := slices.BinarySearch(pairs.babies, uint32(j)); found {
			s = l.first + i
		}
		at[j] = s
		return s
	}
	l.dup(slot(2), q)
	l.add(slot(3), at[2], q, q)
	l.dup(slot(4), at[2])
	l.add(slot(5), at[3], at[2], q)
	l.dup(slot(6), at[3])
	l.add(slot(7), at[4], at[3], q)
	l.add(slot(11), at[6], at[5], q)
	half := pairs.D / 2
	for j := uint64(13); j <= half+2; j += 2 {
		if j%3 != 0 && (j <= half+1 || half%6 == 3) {
			l.add(slot(j), at[j-6], at[6], at[j-12])
		}
	}
	// The first baby is q, which the chain left somewhere else: 3 - 2, with the sum 5.
	l.add(l.first, at[3], at[2], at[5])
	giant := func(m uint64) int {
		if m < pairs.first {
			return l.spare()
		}
		return l.first + len(pairs.babies) + int(m-pairs.first)
	}
	step := giant(1)
	if half%6 == 3 {
		l.add(step, at[half+2], at[half-2], at[4])
	} else {
		l.add(step, at[half+1], at[half-1], at[2])
	}
	last := pairs.first + uint64(len(pairs.ends)) - 1
	low, high := step, step
	for m := uint64(2); m <= last; m++ {
		next := giant(m)
		if m == 2 {
			l.dup(next, step)
		} else {
			l.add(next, high, step, low)
		}
		low, high = high, next
	}
}

// chain appends what the chain code does and returns the slot of the product.
func (l *trioPlan) chain(code []byte) int {
	a, b, c := 0, 0, 0
	// add and dup take a slot that is not a, b or c, nor an operand or another that is
	// in use.
	free := func(others ...int) int {
		for s := 0; ; s++ {
			if s != a && s != b && s != c && !slices.Contains(others, s) {
				return s
			}
		}
	}
	add := func(p, q, d int, others ...int) int { return l.add(free(append(others, p, q, d)...), p, q, d) }
	dup := func(p int, others ...int) int { return l.dup(free(append(others, p)...), p) }
	for _, op := range code {
		switch op {
		case opStart:
			b, c = a, a
			a = dup(a)
		case 1:
			s := add(a, b, c)
			t := add(s, a, b)
			b = add(b, s, a, t)
			a = t
		case 2, 4:
			b = add(a, b, c)
			a = dup(a)
		case 3:
			b, c = add(b, a, c), b
		case 5:
			c = add(c, a, b)
			a = dup(a)
		case 6:
			t := dup(a)
			s := add(a, b, c, t)
			u := add(t, a, a, s)
			b, c = add(t, s, c, u), b
			a = u
		case 7:
			s := add(a, b, c)
			b = add(s, a, b)
			t := dup(a)
			a = add(a, t, a)
		case 8:
			s := add(a, b, c)
			c = add(c, a, b, s)
			b = s
			t := dup(a)
			a = add(a, t, a)
		case 9:
			c = add(c, b, a)
			b = dup(b)
		case opEnd:
			a = add(a, b, c)
		case opSwap:
			a, b = b, a
		case opDup:
			a = dup(a)
		}
	}
	return a
}
