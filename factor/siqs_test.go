package factor

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// semiprime returns a product of two random primes of like size with that many
// bits.
func semiprime(r *rand.Rand, bits int) *big.Int {
	for {
		n := new(big.Int).Mul(randomPrime(r, bits/2), randomPrime(r, bits-bits/2))
		if n.BitLen() == bits {
			return n
		}
	}
}

// sieveOf returns the tables of a random number of that many bits with the best
// multiplier, and an a.
func sieveOf(t *testing.T, r *rand.Rand, bits int) (*siqs, *harvest, []int) {
	t.Helper()
	h := newHarvest(semiprime(r, bits), 0, siqsSizeFor(bits))
	s := newSiqs(h.base)
	s.runner = NewRunner().siqs
	chosen := h.chooser.next(h.base)
	if chosen == nil {
		t.Fatalf("no a for %v", h.base.n)
	}
	return s, h, chosen
}

// rootsOf returns the roots of the current polynomial modulo prime number k.
func (s *siqs) rootsOf(k int) [2]uint32 {
	if k < s.mid {
		return [2]uint32{uint32(s.medium1[k]), uint32(s.medium2[k])}
	}
	return [2]uint32{s.large1[k-s.mid], s.large2[k-s.mid]}
}

func TestRootMod(t *testing.T) {
	for _, p := range primesBetween(nil, 3, 1000) {
		for v := range p {
			square := false
			for x := range p/2 + 1 {
				square = square || x*x%p == v
			}
			if v > 0 && isSquareMod(v, p) != square {
				t.Fatalf("%d modulo %d: square %v", v, p, square)
			}
			if square {
				if x := rootMod(v, p); x*x%p != v {
					t.Fatalf("root of %d modulo %d = %d", v, p, x)
				}
			}
		}
	}
	r := seeded(t)
	for range 3000 {
		p := randomPrime(r, 12+r.IntN(10)).Uint64()
		x := r.Uint64N(p)
		if y := rootMod(x*x%p, p); y != x && y != p-x {
			t.Fatalf("root of %d^2 modulo %d = %d", x, p, y)
		}
	}
}

func TestReducer(t *testing.T) {
	r := seeded(t)
	for range 3000 {
		n := randomBig(r, 1+r.IntN(340))
		p := uint32(randomPrime(r, 2+r.IntN(20)).Uint64())
		if got, want := newReducer(n).rem(p), new(big.Int).Mod(n, big.NewInt(int64(p))).Uint64(); uint64(got) != want {
			t.Fatalf("%v modulo %d = %d", n, p, got)
		}
		x, m := r.Uint64()>>20, math.MaxUint64/uint64(p)
		if got := barrett(x, uint64(p), m); got != x%uint64(p) {
			t.Fatalf("%d modulo %d = %d", x, p, got)
		}
	}
}

// TestMultipliers checks that they come in an order, each once, and end.
func TestMultipliers(t *testing.T) {
	n := semiprime(seeded(t), 150)
	seen := map[uint64]bool{}
	for i := range multipliers {
		k := siqsMultiplier(n, i)
		if k == 0 || seen[k] {
			t.Fatalf("attempt %d: multiplier %d", i, k)
		}
		seen[k] = true
	}
	if k := siqsMultiplier(n, len(multipliers)); k != 0 {
		t.Errorf("multiplier %d after the last one", k)
	}
}

// TestPolynomials checks for polynomials of several a's that y^2 - kn = l' Q, and
// that the roots, reached step by step and at once, are those of Q.
func TestPolynomials(t *testing.T) {
	r := seeded(t)
	for _, bits := range []int{100, 129, 150, 181, 200} {
		s, h, chosen := sieveOf(t, r, bits)
		for range 2 {
			s.setLeading(chosen)
			for i := range min(s.lead.count(), 5) {
				s.setPolynomial(i)
				checkPolynomial(t, r, s)
			}
			last := s.lead.count() - 1
			s.setPolynomial(last - 1)
			s.setPolynomial(last)
			checkPolynomial(t, r, s)
			chosen = h.chooser.next(h.base)
		}
	}
}

func checkPolynomial(t *testing.T, r *rand.Rand, s *siqs) {
	t.Helper()
	for range 10 {
		pos := r.IntN(s.size.length)
		y := s.lead.l.times(int64(pos) - s.half()).add(s.b).big()
		y.Mul(y, y).Sub(y, s.kn)
		v, neg := s.value(pos)
		q := v.big()
		if neg {
			q.Neg(q)
		}
		q.Mul(q, s.lead.a.big()).Lsh(q, 2*s.shift)
		if q.Cmp(y) != 0 {
			t.Fatalf("%v: polynomial %d at %d", s.n, s.at, pos)
		}
	}
	for k := 1; k < len(s.primes); k++ {
		if slices.Contains(s.lead.chosen, k) {
			continue
		}
		p, roots := s.primes[k], s.rootsOf(k)
		for _, root := range roots {
			if root >= p {
				t.Fatalf("root %d modulo %d", root, p)
			}
			y, _ := s.lead.l.times(int64(root) - s.half()).add(s.b).abs()
			if _, rem := y.divSmall(uint64(p)); rem*rem%uint64(p) != uint64(s.mod.rem(p)) {
				t.Fatalf("%v: polynomial %d: %d is no root modulo %d", s.n, s.at, root, p)
			}
		}
		if roots[0] == roots[1] && s.k%uint64(p) != 0 {
			t.Fatalf("double root modulo %d", p)
		}
	}
}

// TestBlocks compares the sieve with one that adds logarithms one by one, and the
// primes that the buckets report.
func TestBlocks(t *testing.T) {
	r := seeded(t)
	for _, bits := range []int{110, 140, 155, 190, 205} {
		s, _, chosen := sieveOf(t, r, bits)
		s.setLeading(chosen)
		s.setPolynomial(0)
		s.setPolynomial(1)
		want := make([]byte, s.size.length)
		for i := range want {
			want[i] = byte(128 - s.threshold)
		}
		large := make(map[int][]int32)
		for k := s.first; k < len(s.primes); k++ {
			for _, root := range s.rootsOf(k) {
				for x := int(root); x < len(want); x += int(s.primes[k]) {
					want[x] += s.logs[k]
					if k >= s.mid {
						large[x] = append(large[x], int32(k))
					}
				}
			}
		}
		copy(s.pos1, s.medium1)
		copy(s.pos2, s.medium2)
		for start := 0; start < s.size.length; start += blockSize {
			block := s.block[:min(blockSize, s.size.length-start)]
			s.fillBlock(block)
			s.emptyBucket(start / blockSize)
			for i, v := range block {
				if v != want[start+i] {
					t.Fatalf("%v: position %d is %d, want %d", s.n, start+i, v, want[start+i])
				}
				if i%97 == 0 {
					got := s.bucketHits(nil, start/blockSize, i)
					slices.Sort(got)
					if !slices.Equal(got, large[start+i]) {
						t.Fatalf("%v: position %d: large primes %v, want %v", s.n, start+i, got, large[start+i])
					}
				}
			}
		}
	}
}

// TestFindings compares the relations of polynomials with those that trial
// division finds, when the first look is generous. The sieve rounds and leaves
// powers out, so it may miss some.
func TestFindings(t *testing.T) {
	r := seeded(t)
	all, got := 0, 0
	for range 6 {
		bits := 110 + r.IntN(30)
		size := siqsSizeFor(bits)
		size.slack = 25
		h := newHarvest(semiprime(r, bits), 0, size)
		s := newSiqs(h.base)
		s.runner = NewRunner().siqs
		s.setLeading(h.chooser.next(h.base))
		s.setPolynomial(r.IntN(s.lead.count()))
		s.sievePolynomial()
		at := make(map[int]bool)
		for i := range s.found {
			f := &s.found[i]
			at[f.pos] = true
			y := s.lead.l.times(int64(f.pos) - s.half()).add(s.b)
			if _, ok := h.check(y, s.lead, f); !ok {
				t.Fatalf("%v: a false relation %+v", s.n, f)
			}
		}
		for pos := range s.size.length {
			v, _ := s.value(pos)
			v = v.shr(v.trailingZeros())
			for _, p := range s.primes[1:] {
				for q, rem := v.divSmall(uint64(p)); rem == 0; q, rem = v.divSmall(uint64(p)) {
					v = q
				}
			}
			if v[2]|v[1] == 0 && v[0] < s.large {
				all++
				if at[pos] {
					got++
				}
			}
		}
	}
	t.Logf("%d of %d relations", got, all)
	if all < 10 || float64(got) < 0.7*float64(all) {
		t.Errorf("found %d of %d relations", got, all)
	}
}

// ascend returns the numbers from lo to hi.
func ascend(lo, hi int) (list []int) {
	for i := lo; i <= hi; i++ {
		list = append(list, i)
	}
	return list
}

// TestLeadings checks for all sizes that a's are close to the best, that there are
// enough of them, and that none comes twice.
func TestLeadings(t *testing.T) {
	r := seeded(t)
	for _, bits := range append(ascend(searchMinBits, 200), 215, 232, 265, 300, searchMaxBits) {
		h := newHarvest(semiprime(r, bits), 0, siqsSizeFor(bits))
		seen := map[string]bool{}
		for range 200 {
			chosen := h.chooser.next(h.base)
			if chosen == nil {
				t.Fatalf("%d bits: no a after %d, %d primes each", bits, len(seen), h.factors)
			}
			lead := h.base.newLeading(chosen)
			key := lead.a.big().String()
			if off := lead.a.log2() - h.want; math.Abs(off) > 1 || seen[key] {
				t.Fatalf("%d bits: a = %s, 2^%.2f times the best", bits, key, off)
			}
			seen[key] = true
		}
	}
}
