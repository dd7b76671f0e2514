package siqs

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/rho"
	"fairfactor/factor/internal/sieve"
	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// TestParameters checks that both tables have the same sizes, in order, and that all
// parameters are in bounds.
func TestParameters(t *testing.T) {
	at := len(parameterTable) - len(parametersAVX2)
	for i, z := range parametersAVX2 {
		if z.bits != parameterTable[at+i].bits {
			t.Errorf("row %d: %d bits, and %d with AVX2", at+i, parameterTable[at+i].bits, z.bits)
		}
	}
	for i, z := range append(parameterTable[:], parametersAVX2[:]...) {
		if i > 0 && i < len(parameterTable) && z.bits <= parameterTable[i-1].bits {
			t.Errorf("%d bits after %d", z.bits, parameterTable[i-1].bits)
		}
		r := wire.Reader{B: z.Append(nil)}
		if got := ReadParameters(&r); r.Bad || got != z {
			t.Errorf("parameters %+v are out of bounds", z)
		}
	}
}

// anyMatrix returns a random matrix with as many entries in its columns as relations
// have.
func anyMatrix(r *rand.Rand, rows, columns int) *gf2.Matrix {
	m := &gf2.Matrix{Rows: rows, Start: []uint32{0}}
	for range columns {
		var list []uint32
		for i := range 1 + r.IntN(12) {
			v := uint32(r.IntN(rows))
			if i%2 == 0 {
				v = uint32(r.IntN(int(v) + 1))
			}
			list = append(list, v)
		}
		m.Push(gf2.Cancel(list))
	}
	return m
}

// newTestRunner returns a runner that is never asked to stop.
func newTestRunner() *Runner {
	return NewRunner(&stop.Poller{}, func(v uint64) uint64 {
		if root, ok := arith.Root64(v, 2); ok {
			return root
		}
		return rho.Factor(v)
	})
}

// stoppedRun runs a turn that asks stop.
func stoppedRun(run *Runner, payload []byte, stop func() bool) ([]byte, error) {
	run.Start(stop)
	defer run.Start(nil)
	return run.Run(payload)
}

// sieveOf returns the tables of a random number of that many bits with the best
// multiplier, and an a.
func sieveOf(t *testing.T, r *rand.Rand, bits int) (*siever, *Collection, []int) {
	t.Helper()
	h := NewCollection(factortest.Semiprime(r, bits), 0, ParametersFor(bits))
	s := newSiever(h.Base)
	s.runner = newTestRunner()
	chosen := h.aSelector.next(h.Base)
	if chosen == nil {
		t.Fatalf("no a for %v", h.Base.N)
	}
	return s, h, chosen
}

// rootsOf returns the roots of the current polynomial modulo prime number k.
func (s *siever) rootsOf(k int) [2]uint32 {
	if k < s.mid {
		return [2]uint32{uint32(s.medium1[k]), uint32(s.medium2[k])}
	}
	return [2]uint32{s.large1[k-s.mid], s.large2[k-s.mid]}
}

func TestRootMod(t *testing.T) {
	for _, p := range arith.PrimesBetween(nil, 3, 1000) {
		for v := range p {
			square := false
			for x := range p/2 + 1 {
				square = square || x*x%p == v
			}
			if v > 0 && arith.IsSquareMod(v, p) != square {
				t.Fatalf("%d modulo %d: square %v", v, p, square)
			}
			if square {
				if x := arith.RootMod(v, p); x*x%p != v {
					t.Fatalf("root of %d modulo %d = %d", v, p, x)
				}
			}
		}
	}
	r := factortest.Seeded(t)
	for range 3000 {
		p := factortest.RandomPrime(r, 12+r.IntN(10)).Uint64()
		x := r.Uint64N(p)
		if y := arith.RootMod(x*x%p, p); y != x && y != p-x {
			t.Fatalf("root of %d^2 modulo %d = %d", x, p, y)
		}
	}
}

func TestReducer(t *testing.T) {
	r := factortest.Seeded(t)
	for range 3000 {
		n := factortest.RandomBig(r, 1+r.IntN(340))
		p := uint32(factortest.RandomPrime(r, 2+r.IntN(20)).Uint64())
		if got, want := arith.NewReducer(n).Rem(p), new(big.Int).Mod(n, big.NewInt(int64(p))).Uint64(); uint64(got) != want {
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
	n := factortest.Semiprime(factortest.Seeded(t), 150)
	seen := map[uint64]bool{}
	for i := range sieve.Multipliers() {
		k := Multiplier(n, i)
		if k == 0 || seen[k] {
			t.Fatalf("attempt %d: multiplier %d", i, k)
		}
		seen[k] = true
	}
	if k := Multiplier(n, len(sieve.Multipliers())); k != 0 {
		t.Errorf("multiplier %d after the last one", k)
	}
}

// TestPolynomials checks for polynomials of several a's that y^2 - kn = l' Q, and
// that the roots, reached step by step and at once, are those of Q.
func TestPolynomials(t *testing.T) {
	r := factortest.Seeded(t)
	for _, bits := range []int{100, 129, 150, 181, 200} {
		s, h, chosen := sieveOf(t, r, bits)
		for range 2 {
			s.setCoefficient(chosen)
			for i := range min(s.coefficient.count(), 5) {
				s.setPolynomial(i)
				checkPolynomial(t, r, s)
			}
			last := s.coefficient.count() - 1
			s.setPolynomial(last - 1)
			s.setPolynomial(last)
			checkPolynomial(t, r, s)
			chosen = h.aSelector.next(h.Base)
		}
	}
}

func checkPolynomial(t *testing.T, r *rand.Rand, s *siever) {
	t.Helper()
	for range 10 {
		pos := r.IntN(s.parameters.Length)
		y := s.coefficient.l.Times(int64(pos) - s.half()).Add(s.b).Big()
		y.Mul(y, y).Sub(y, s.kn)
		v, neg := s.value(pos)
		q := v.Big()
		if neg {
			q.Neg(q)
		}
		q.Mul(q, s.coefficient.a.Big()).Lsh(q, 2*s.shift)
		if q.Cmp(y) != 0 {
			t.Fatalf("%v: polynomial %d at %d", s.N, s.at, pos)
		}
	}
	for k := 1; k < len(s.primes); k++ {
		if slices.Contains(s.coefficient.indices, k) {
			continue
		}
		p, roots := s.primes[k], s.rootsOf(k)
		for _, root := range roots {
			if root >= p {
				t.Fatalf("root %d modulo %d", root, p)
			}
			y, _ := s.coefficient.l.Times(int64(root) - s.half()).Add(s.b).Abs()
			if _, rem := y.DivSmall(uint64(p)); rem*rem%uint64(p) != uint64(s.mod.Rem(p)) {
				t.Fatalf("%v: polynomial %d: %d is no root modulo %d", s.N, s.at, root, p)
			}
		}
		if roots[0] == roots[1] && s.K%uint64(p) != 0 {
			t.Fatalf("double root modulo %d", p)
		}
	}
}

// TestBlocks compares the sieve with one that adds logarithms one by one, and the
// primes that the buckets report.
func TestBlocks(t *testing.T) {
	r := factortest.Seeded(t)
	for _, bits := range []int{110, 140, 155, 190, 205, 250} {
		s, _, chosen := sieveOf(t, r, bits)
		s.setCoefficient(chosen)
		s.setPolynomial(0)
		s.setPolynomial(1)
		want := make([]byte, s.parameters.Length)
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
		for start := 0; start < s.parameters.Length; start += sieve.BlockSize {
			block := s.block[:min(sieve.BlockSize, s.parameters.Length-start)]
			s.fillBlock(block)
			s.emptyBucket(start / sieve.BlockSize)
			for i, v := range block {
				if v != want[start+i] {
					t.Fatalf("%v: position %d is %d, want %d", s.N, start+i, v, want[start+i])
				}
				if i%97 == 0 {
					got := s.bucketHits(nil, start/sieve.BlockSize, i)
					slices.Sort(got)
					if !slices.Equal(got, large[start+i]) {
						t.Fatalf("%v: position %d: large primes %v, want %v", s.N, start+i, got, large[start+i])
					}
				}
			}
		}
	}
}

// TestRelationsFound compares the relations of polynomials with those that trial
// division finds, when the first look is generous. The sieve rounds and leaves
// powers out, so it may miss some.
func TestRelationsFound(t *testing.T) {
	r := factortest.Seeded(t)
	all, got := 0, 0
	for range 6 {
		bits := 110 + r.IntN(30)
		size := ParametersFor(bits)
		size.Slack = 25
		h := NewCollection(factortest.Semiprime(r, bits), 0, size)
		s := newSiever(h.Base)
		s.runner = newTestRunner()
		s.setCoefficient(h.aSelector.next(h.Base))
		s.setPolynomial(r.IntN(s.coefficient.count()))
		s.sievePolynomial()
		at := make(map[int]bool)
		for i := range s.relations {
			f := &s.relations[i]
			at[f.position] = true
			y := s.coefficient.l.Times(int64(f.position) - s.half()).Add(s.b)
			if _, ok := h.check(y, s.coefficient, f); !ok {
				t.Fatalf("%v: a false relation %+v", s.N, f)
			}
		}
		for pos := range s.parameters.Length {
			v, _ := s.value(pos)
			v = v.Shr(v.TrailingZeros())
			for _, p := range s.primes[1:] {
				for q, rem := v.DivSmall(uint64(p)); rem == 0; q, rem = v.DivSmall(uint64(p)) {
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

// TestCoefficients checks for all sizes that a's are close to the best, that there are
// enough of them, and that none comes twice.
func TestCoefficients(t *testing.T) {
	r := factortest.Seeded(t)
	for _, bits := range append(ascend(LeastBits, 200), 215, 232, 265, 300, MostBits) {
		h := NewCollection(factortest.Semiprime(r, bits), 0, ParametersFor(bits))
		seen := map[string]bool{}
		for range 200 {
			chosen := h.aSelector.next(h.Base)
			if chosen == nil {
				t.Fatalf("%d bits: no a after %d, %d primes each", bits, len(seen), h.factors)
			}
			lead := h.Base.newCoefficient(chosen)
			key := lead.a.Big().String()
			if off := lead.a.Log2() - h.want; math.Abs(off) > 1 || seen[key] {
				t.Fatalf("%d bits: a = %s, 2^%.2f times the best", bits, key, off)
			}
			seen[key] = true
		}
	}
}

// TestLargest sieves a number of the largest size: Q and the sums of logarithms
// must fit.
func TestLargest(t *testing.T) {
	r := factortest.Seeded(t)
	h := NewCollection(factortest.Semiprime(r, MostBits), 0, ParametersFor(MostBits))
	s := newSiever(h.Base)
	s.runner = newTestRunner()
	chosen := h.aSelector.next(h.Base)
	s.setCoefficient(chosen)
	for i := 0; len(s.relations) == 0; i++ {
		if i == 400 {
			t.Fatalf("no relation in %d polynomials", i)
		}
		s.setPolynomial(i)
		if i < 2 {
			checkPolynomial(t, r, s)
		}
		s.sievePolynomial()
	}
	f := &s.relations[0]
	if _, ok := h.check(s.coefficient.l.Times(int64(f.position)-s.half()).Add(s.coefficient.b(f.polynomial)), s.coefficient, f); !ok {
		t.Fatalf("a false relation %+v", f)
	}
}

// TestSieveNanos holds the estimates against the column of the table for this processor.
func TestSieveNanos(t *testing.T) {
	last := 0.0
	for bits := LeastBits; bits <= MostBits; bits++ {
		nanos := SieveNanos(bits)
		if nanos <= last {
			t.Errorf("%d bits: %v ns, with a bit less %v", bits, nanos, last)
		}
		last = nanos
		for _, row := range sieveTimes {
			want := row.avx2
			switch {
			case cpu.AVX512:
				want = row.avx512
			case !cpu.AVX2:
				want = slowdown * row.avx512
			}
			if row.bits == bits && math.Abs(nanos/want-1) > 1e-9 {
				t.Errorf("%d bits: %v ns, the table has %v", bits, nanos, want)
			}
		}
	}
}
