package factor

import (
	"math"
	"math/big"
	"math/bits"
	"slices"
)

// harvest is what the sieve of one number has brought in, and which polynomials
// come next. Each relation is kept as the bytes that describe it, some 30 to 40:
// see size for the memory.
type harvest struct {
	base    *siqsBase
	kn      [6]uint64
	attempt int // which multiplier
	chooser
	as   [][]int // indices of the primes of every a begun, by number
	from int     // polynomials of the last a handed out

	handed float64 // CPU of the turns handed out by prediction, nanoseconds
	done   float64 // of those whose results have come
	owed   float64 // of those whose relations are in pieces of a checkpoint that are not loaded
	absent int     // how many relations those are

	ledger
	cut  int // pieces before it are full and have been cut
	seen keySet
	last *leading // of the a that was looked at last
	lead int      // its number
	graph
	fulls  int // relations without large primes
	tries  int // linear algebra that gave nothing
	enough int // independent relations from which the linear algebra is tried
}

// spare is how many relations more than primes are collected: dependencies, half
// of which split n.
const spareSquares = 24

// newHarvest begins the sieve of n with the multiplier number attempt, nil if there
// are no more.
func newHarvest(n *big.Int, attempt int, size siqsSize) *harvest {
	k := siqsMultiplier(n, attempt)
	if k == 0 {
		return nil
	}
	return harvestOf(newSiqsBase(n, k, size), attempt)
}

// harvestOf begins the sieve of what base was built for.
func harvestOf(base *siqsBase, attempt int) *harvest {
	h := &harvest{base: base, attempt: attempt}
	if base.divisor != 0 {
		return h
	}
	words(h.kn[:], h.base.kn)
	h.enough = len(h.base.primes) + 1 + spareSquares
	h.graph.start()
	h.chooser.start(h.base)
	return h
}

// independent returns how many relations, single ones and combined, go without
// large primes.
func (h *harvest) independent() int { return h.fulls + h.cycles }

// checked is a relation that has passed the check.
type checked struct {
	key   uint64 // of y
	large [2]uint32
	log   []byte
}

// take checks the relations of one span in r and appends them to all; r is bad if
// something is wrong.
func (h *harvest) take(all []checked, r *reader, number int, sp *span) []checked {
	lead := h.leadingOf(number)
	count := r.uvarint()
	if count > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	var f found
	poly, last := sp.from, -1
	var b triple
	for range count {
		poly += int(min(r.uvarint(), 1<<30))
		if poly >= sp.from+sp.count {
			r.bad = true
			return nil
		}
		if poly != last {
			b, last = lead.b(poly), poly
		}
		f.poly = poly
		f.read(r, h.base)
		if r.bad {
			return nil
		}
		y := lead.l.times(int64(f.pos) - h.base.half()).add(b)
		twos, ok := h.check(y, lead, &f)
		if !ok {
			r.bad = true
			return nil
		}
		all = append(all, h.entry(number, y, twos, &f))
	}
	return all
}

// leadingOf returns what the polynomials of an a have in common.
func (h *harvest) leadingOf(number int) *leading {
	if h.last == nil || h.lead != number {
		h.last, h.lead = h.base.newLeading(h.as[number]), number
	}
	return h.last
}

// entry makes the entry of the log for a relation.
func (h *harvest) entry(number int, y triple, twos uint8, f *found) checked {
	y, _ = y.abs()
	c := checked{key: y[0] ^ bits.RotateLeft64(y[1], 31), large: f.large}
	c.log = entryOf(make([]byte, 0, 24+len(f.list)*5/4), number, twos, f)
	return c
}

// check reports whether y^2 - kn is l' times the primes of f and a power of 2;
// twos is that power with the sign in bit 0.
func (h *harvest) check(y triple, lead *leading, f *found) (twos uint8, ok bool) {
	y, _ = y.abs()
	z := product(y, y)
	neg := false
	if z, neg = distance(z, h.kn); z == [6]uint64{} {
		return 0, false
	}
	v, part := triple{uint64(f.large[0])}, uint64(f.large[1])
	var over uint64
	for _, i := range f.list {
		p := uint64(h.base.primes[i])
		hi, lo := bits.Mul64(part, p)
		if hi != 0 {
			if v, over = v.mul(part); over != 0 {
				return 0, false
			}
			lo = p
		}
		part = lo
	}
	if v, over = v.mul(part); over != 0 || v.isZero() || v[0]&1 == 0 {
		return 0, false
	}
	z, e := odd(z)
	e -= 2 * int(h.base.shift)
	if e < 0 || e > 100 || z != product(lead.a, v) {
		return 0, false
	}
	twos = uint8(e) << 1
	if neg {
		twos |= 1
	}
	return twos, true
}

// product returns t*u.
func product(t, u triple) (z [6]uint64) {
	for i, m := range u {
		p, top := t.mul(m)
		var c uint64
		z[i], c = bits.Add64(z[i], p[0], 0)
		z[i+1], c = bits.Add64(z[i+1], p[1], c)
		z[i+2], c = bits.Add64(z[i+2], p[2], c)
		z[i+3] = top + c
	}
	return z
}

// distance returns |x - y| and whether x < y.
func distance(x, y [6]uint64) (z [6]uint64, less bool) {
	var b uint64
	for i := range z {
		z[i], b = bits.Sub64(x[i], y[i], b)
	}
	if b == 0 {
		return z, false
	}
	b = 0
	for i := range z {
		z[i], b = bits.Sub64(0, z[i], b)
	}
	return z, true
}

// odd returns z > 0 without its power of 2, and the exponent of that.
func odd(z [6]uint64) ([6]uint64, int) {
	e := 0
	for z[0] == 0 {
		copy(z[:], z[1:])
		z[5] = 0
		e += 64
	}
	s := uint(bits.TrailingZeros64(z[0]))
	if s > 0 {
		for i := range z[:5] {
			z[i] = z[i]>>s | z[i+1]<<(64-s)
		}
		z[5] >>= s
	}
	return z, e + int(s)
}

// add keeps a relation, unless it is known: another a may give the same y.
func (h *harvest) add(c *checked) {
	if h.seen.add(c.key) {
		h.keep(h.room(len(c.log)), c)
	}
}

// keep adds a relation that is new to a piece.
func (h *harvest) keep(at int, c *checked) {
	var u, v uint32
	if c.large[1] == 1 {
		h.fulls++
	} else {
		u, v = h.graph.join(c.large)
	}
	h.addTo(at, c.log, u, v)
}

// chooser chooses the a's: products of primes of the factor base close to the
// best size, all primes but one by lot, the last one to fit.
type chooser struct {
	want     float64 // logarithm of the best a to base 2
	factors  int     // primes in a
	from, to int     // range of the primes by lot
	draws    uint64  // numbers drawn
	used     map[string]bool
}

// factorBits returns the size of the primes of a that is aimed at for numbers of
// that many bits: larger ones have less to offer to the sieve, so that it does not
// miss them, smaller ones give more polynomials to an a, whose set-up they share.
func factorBits(bits int) float64 { return min(9.8+float64(max(bits-200, 0))/50, 11.2) }

// start sets the range of the primes.
func (c *chooser) start(s *siqsBase) {
	c.want = math.Log2(s.wantA())
	largest := math.Log2(float64(min(s.primes[len(s.primes)*3/4], bucketFrom/2)))
	c.factors = max(int(c.want/min(factorBits(s.n.BitLen()), largest)+0.5), 3)
	for c.want/float64(c.factors) > largest {
		c.factors++
	}
	c.factors = min(c.factors, maxFactors)
	ideal := uint32(math.Exp2(c.want / float64(c.factors)))
	at, _ := slices.BinarySearch(s.primes, ideal)
	width := min(12+len(s.primes)/40, max(12, at/2))
	c.from = max(2, min(at-width, len(s.primes)-2*width))
	c.to = min(c.from+2*width, len(s.primes))
	c.used = make(map[string]bool)
}

// next returns the primes of an a that was not used before, or nil if it finds
// none.
func (c *chooser) next(s *siqsBase) []int {
	for range 1000 {
		chosen := make([]int, 0, c.factors)
		left := c.want
		for len(chosen) < c.factors-1 {
			c.draws++
			i := c.from + int(sigma(quickSeed, c.draws)>>8%uint64(c.to-c.from))
			if s.k%uint64(s.primes[i]) != 0 && !slices.Contains(chosen, i) {
				chosen = append(chosen, i)
				left -= math.Log2(float64(s.primes[i]))
			}
		}
		if left < 4 || left > 15 {
			continue
		}
		i, _ := slices.BinarySearch(s.primes, uint32(math.Exp2(left)))
		if i < 2 || i >= len(s.primes) || slices.Contains(chosen, i) {
			continue
		}
		chosen = append(chosen, i)
		slices.Sort(chosen)
		key := string(appendAscending(nil, chosen))
		if s.valid(chosen) && !c.used[key] {
			c.used[key] = true
			return chosen
		}
	}
	return nil
}
