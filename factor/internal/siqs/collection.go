package siqs

import (
	"math"
	"math/big"
	"math/bits"
	"slices"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/wire"
)

// Collection is what the sieve of one number has brought in, and which polynomials
// come next. Each relation is kept as the bytes that describe it, some 30 to 40.
type Collection struct {
	Base    *Base
	kn      [6]uint64
	attempt int // which multiplier
	aSelector
	coefficients [][]int // indices of the primes of every a begun, by number
	from         int     // polynomials of the last a handed out

	handed float64 // CPU of the turns handed out by prediction, nanoseconds
	done   float64 // of those whose results have come
	owed   float64 // of those whose relations are in pieces of a checkpoint that are not loaded
	absent int     // how many relations those are

	store
	cut             int // pieces before it are full and have been cut
	seen            keySet
	lastCoefficient *coefficient // of the a that was looked at last
	lastNumber      int          // its number
	graph
	algebra algebra
	fulls   int // relations without large primes
	Tries   int // linear algebra that gave nothing
	Enough  int // independent relations from which the linear algebra is tried
}

// SpareRelations is how many relations more than primes are collected: dependencies. Half
// of them split n.
const SpareRelations = 24

// NewCollection begins the sieve of n with the multiplier number attempt, nil if there
// are no more.
func NewCollection(n *big.Int, attempt int, size Parameters) *Collection {
	k := Multiplier(n, attempt)
	if k == 0 {
		return nil
	}
	return CollectionOf(newBase(n, k, size), attempt)
}

// CollectionOf begins the sieve of what base was built for.
func CollectionOf(base *Base, attempt int) *Collection {
	h := &Collection{Base: base, attempt: attempt}
	if base.Divisor != 0 {
		return h
	}
	arith.PutWords(h.kn[:], h.Base.kn)
	h.Enough = len(h.Base.primes) + 1 + SpareRelations
	h.graph.start()
	h.aSelector.start(h.Base)
	return h
}

// Next returns the collection of the same number with the next multiplier, nil if
// MaxAttempts have been tried or there are no more.
func (h *Collection) Next() *Collection {
	attempt := h.attempt + 1
	if attempt >= MaxAttempts {
		return nil
	}
	return NewCollection(h.Base.N, attempt, ParametersFor(h.Base.N.BitLen()))
}

// Ready reports whether there are relations enough for the linear algebra. Those of a
// checkpoint that are not loaded would change the order of the others, and it could not go
// on after another restart.
func (h *Collection) Ready() bool {
	return h.absent == 0 && !h.Waits() && h.Independent() >= h.Enough
}

// DoneNanos returns the CPU of the turns whose results have come, in nanoseconds.
func (h *Collection) DoneNanos() float64 { return h.done }

// Independent returns how many relations, single ones and combined, go without
// large primes.
func (h *Collection) Independent() int { return h.fulls + h.cycles }

// checkedRelation is a relation that has passed the check.
type checkedRelation struct {
	key   uint64 // of y
	large [2]uint32
	log   []byte
}

// readSpan checks the relations of one span in r and appends them to all; r is bad if
// something is wrong.
func (h *Collection) readSpan(all []checkedRelation, r *wire.Reader, number int, sp *Span) []checkedRelation {
	lead := h.coefficientOf(number)
	count := r.Uvarint()
	if count > uint64(len(r.B)) {
		r.Bad = true
		return nil
	}
	var f Relation
	poly, last := sp.from, -1
	var b arith.Uint192
	for range count {
		poly += int(min(r.Uvarint(), 1<<30))
		if poly >= sp.from+sp.count {
			r.Bad = true
			return nil
		}
		if poly != last {
			b, last = lead.b(poly), poly
		}
		f.polynomial = poly
		f.read(r, h.Base)
		if r.Bad {
			return nil
		}
		y := lead.l.Times(int64(f.position) - h.Base.half()).Add(b)
		twos, ok := h.check(y, lead, &f)
		if !ok {
			r.Bad = true
			return nil
		}
		all = append(all, h.entry(number, y, twos, &f))
	}
	return all
}

// coefficientOf returns what the polynomials of an a have in common.
func (h *Collection) coefficientOf(number int) *coefficient {
	if h.lastCoefficient == nil || h.lastNumber != number {
		h.lastCoefficient, h.lastNumber = h.Base.newCoefficient(h.coefficients[number]), number
	}
	return h.lastCoefficient
}

// entry makes the entry of the log for a relation.
func (h *Collection) entry(number int, y arith.Uint192, twos uint8, f *Relation) checkedRelation {
	y, _ = y.Abs()
	c := checkedRelation{key: y[0] ^ bits.RotateLeft64(y[1], 31), large: f.large}
	c.log = entryOf(make([]byte, 0, 24+len(f.factors)*5/4), number, twos, f)
	return c
}

// check reports whether y^2 - kn is l' times the primes of f and a power of 2;
// twos is that power with the sign in bit 0.
func (h *Collection) check(y arith.Uint192, lead *coefficient, f *Relation) (twos uint8, ok bool) {
	y, _ = y.Abs()
	z := arith.Product384(y, y)
	neg := false
	if z, neg = arith.Distance384(z, h.kn); z == [6]uint64{} {
		return 0, false
	}
	v, part := arith.Uint192{uint64(f.large[0])}, uint64(f.large[1])
	var over uint64
	for _, i := range f.factors {
		p := uint64(h.Base.primes[i])
		hi, lo := bits.Mul64(part, p)
		if hi != 0 {
			if v, over = v.Mul(part); over != 0 {
				return 0, false
			}
			lo = p
		}
		part = lo
	}
	if v, over = v.Mul(part); over != 0 || v.IsZero() || v[0]&1 == 0 {
		return 0, false
	}
	z, e := arith.OddPart384(z)
	e -= 2 * int(h.Base.shift)
	if e < 0 || e > 100 || z != arith.Product384(lead.a, v) {
		return 0, false
	}
	twos = uint8(e) << 1
	if neg {
		twos |= 1
	}
	return twos, true
}

// add keeps a relation, unless it is known: another a may give the same y.
func (h *Collection) add(c *checkedRelation) {
	if h.seen.add(c.key) {
		h.keep(h.room(len(c.log)), c)
	}
}

// keep adds a relation that is new to a piece.
func (h *Collection) keep(at int, c *checkedRelation) {
	var u, v uint32
	if c.large[1] == 1 {
		h.fulls++
	} else {
		u, v = h.graph.join(c.large)
	}
	h.addTo(at, c.log, u, v)
}

// aSelector chooses the a's: products of primes of the factor base close to the
// best size, all primes but one at random, the last one to fit.
type aSelector struct {
	want     float64 // logarithm of the best a to base 2
	factors  int     // primes in a
	from, to int     // range of the random primes
	draws    uint64  // numbers drawn
	used     map[string]bool
}

// factorBits returns the size of the primes of a that is aimed at for numbers of
// that many bits: larger ones have less to offer to the sieve, so that it does not
// miss them, smaller ones give more polynomials to an a, whose set-up they share.
func factorBits(bits int) float64 { return min(9.8+float64(max(bits-200, 0))/50, 11.2) }

// start sets the range of the primes.
func (c *aSelector) start(s *Base) {
	c.want = math.Log2(s.wantA())
	largest := math.Log2(float64(min(s.primes[len(s.primes)*3/4], bucketFrom/2)))
	c.factors = max(int(c.want/min(factorBits(s.N.BitLen()), largest)+0.5), 3)
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
func (c *aSelector) next(s *Base) []int {
	for range 1000 {
		chosen := make([]int, 0, c.factors)
		left := c.want
		for len(chosen) < c.factors-1 {
			c.draws++
			i := c.from + int(arith.Mix(arith.Seed, c.draws)>>8%uint64(c.to-c.from))
			if s.K%uint64(s.primes[i]) != 0 && !slices.Contains(chosen, i) {
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
		key := string(wire.AppendAscending(nil, chosen))
		if s.valid(chosen) && !c.used[key] {
			c.used[key] = true
			return chosen
		}
	}
	return nil
}
