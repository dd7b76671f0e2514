package factor

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// randomPrime returns a random prime of that many bits.
func randomPrime(r *rand.Rand, size int) *big.Int {
	for {
		p := randomBig(r, size)
		p.SetBit(p, 0, 1)
		if p.BitLen() == size && p.ProbablyPrime(0) {
			return p
		}
	}
}

func TestPrimeAgainstBig(t *testing.T) {
	r := seeded(t)
	for range 12000 {
		n := anyBits(r) | 1<<17 | 1
		if got, want := isPrime64(n), new(big.Int).SetUint64(n).ProbablyPrime(0); got != want {
			t.Fatalf("isPrime64(%d) = %v", n, got)
		}
	}
	for i := range 3000 {
		n := anyWide(r)
		n.lo |= 1
		if i%3 == 0 {
			n = wideOf(randomPrime(r, 65+r.IntN(64)).Bytes())
		}
		want := n.big().ProbablyPrime(0)
		got := primeWide(n)
		if (got != composite) != want || want && (got == proven) != n.less(provenBelow) {
			t.Fatalf("primeWide(%v) = %v, want prime %v", n.big(), got, want)
		}
	}
}

// TestPseudoprimes feeds composites that fool weaker tests.
func TestPseudoprimes(t *testing.T) {
	for _, n := range []uint64{
		2047, 3215031751, 3474749660383, 341550071728321, 3825123056546413051, // strong to the first prime bases
		4759123141, 1122004669633, // strong to 2, 7, 61 and 2, 13, 23, 1662803
		5459, 5777, 10877, 16109, 18971, 22499, 24569, 25199, 40309, 58519, 75077, 97439, // strong Lucas
		989, 3239, 5777, 10469, 10877, 27971, 29681, 30739, 31631, 39059, 72389, 73919, // extra strong Lucas
		294409, 56052361, 118901521, 172947529, 216821881, 228842209, 1299963601, // Carmichael
		18446744073709551615, 18446744073709551613,
	} {
		if isPrime64(n) {
			t.Errorf("isPrime64(%d)", n)
		}
	}
	for _, s := range []string{
		"318665857834031151167461",  // strong to the first 12 prime bases
		"3317044064679887385961981", // strong to the first 13
		"360681321802296925566181",
		"28871482380507712126714295971303939919776094592797227009265160241974323037991527331163289831446392259419778031109293496555784189494417409338056151139799994215424169339729054237110027510420801349667317" +
			"5515285922696291677532547504444585610194940420003990443211677661994962953925045269871932907037356403227370127845389912612030924484149472889768854060249767681220770716879381217098113222978020595658679", // Arnault, strong to all bases below 300 or so
	} {
		v, _ := new(big.Int).SetString(s, 10)
		if v.BitLen() <= 128 {
			if g := primeWide(wideOf(v.Bytes())); g != composite {
				t.Errorf("primeWide(%v) = %v", v, g)
			}
		} else if NewRunner().prover.primeBig(v) != composite {
			t.Errorf("primeBig(%v)", v)
		}
	}
}

func TestPowers(t *testing.T) {
	r := seeded(t)
	for range 3000 {
		k := []int{2, 3, 4, 5, 6, 7, 9, 11, 13, 14}[r.IntN(10)]
		root := randomPrime(r, 13+r.IntN(max(1, 256/k-13)))
		n := new(big.Int).Exp(root, big.NewInt(int64(k)), nil)
		for _, c := range []struct {
			n     *big.Int
			power bool
		}{{n, true}, {new(big.Int).Add(n, big.NewInt(2)), false}, {new(big.Int).Sub(n, big.NewInt(2)), false}} {
			got, e := anyPower(c.n)
			if (e > 1) != c.power || new(big.Int).Exp(got, big.NewInt(int64(e)), nil).Cmp(c.n) != 0 {
				t.Fatalf("power of %v = %v^%d", c.n, got, e)
			}
		}
	}
	last := wide{0, 1<<64 - 59}
	square, _ := last.mul(last)
	if root, ok := rootWide(square, 2); !ok || root != last {
		t.Errorf("square root of %v: %v", square.big(), ok)
	}
	for _, n := range []wide{{^uint64(0), ^uint64(0)}, {^uint64(0), 0}, {1, 0}, {1, 1}, {^uint64(1), 1}} {
		want := new(big.Int).Sqrt(n.big())
		root, ok := rootWide(n, 2)
		if ok != (want.Mul(want, want).Cmp(n.big()) == 0) {
			t.Errorf("square root of %v: %v, %v", n.big(), root.big(), ok)
		}
	}
}

// anyPower takes the power routine for the size of n.
func anyPower(n *big.Int) (*big.Int, int) {
	switch {
	case n.BitLen() <= 64:
		r, k := power64(n.Uint64())
		return new(big.Int).SetUint64(r), k
	case n.BitLen() <= 128:
		r, k := powerWide(wideOf(n.Bytes()))
		return r.big(), k
	}
	return powerBig(n, 8)
}

// TestChain runs chains on integers: a point is a multiple, and an addition
// must find the difference where it looks for it.
func TestChain(t *testing.T) {
	for _, p := range primesBetween(nil, 2, 20000) {
		code := appendChain(nil, p, len(pracRatios))
		if got := evalChain(t, code); got != p {
			t.Fatalf("chain for %d gives %d", p, got)
		}
	}
}

// evalChain does what curveN.run does.
func evalChain(t *testing.T, code []byte) uint64 {
	t.Helper()
	add := func(p, q, d int64) int64 {
		if p-q != d && q-p != d {
			t.Fatalf("%d + %d with difference %d", p, q, d)
		}
		return p + q
	}
	abs := func(x int64) int64 { return max(x, -x) }
	a, b, d := int64(1), int64(0), int64(0)
	for _, op := range code {
		switch op {
		case opStart:
			a, b, d = 2*a, a, a
		case 1:
			s := add(a, b, d)
			a, b = add(s, a, b), add(b, s, a)
		case 2, 4:
			a, b = 2*a, add(a, b, d)
		case 3:
			b, d = add(b, a, d), b
		case 5:
			a, d = 2*a, abs(b-2*a)
		case 6:
			s := add(a, b, d)
			a, b, d = add(2*a, a, a), add(2*a, s, d), b
		case 7:
			s := add(a, b, d)
			a, b = add(a, 2*a, a), add(s, a, b)
		case 8:
			s := add(a, b, d)
			a, b, d = add(a, 2*a, a), s, abs(2*a-b)
		case 9:
			b, d = 2*b, abs(a-2*b)
		case opEnd:
			a = add(a, b, d)
		case opSwap:
			a, b = b, a
		case opDup:
			a *= 2
		}
	}
	return uint64(a)
}

func TestPrimesBetween(t *testing.T) {
	for _, c := range [][2]uint64{{0, 100}, {2, 3}, {3, 4}, {4, 5}, {1000, 150_000}, {1 << 33, 1<<33 + 5000}, {7, 7}} {
		i := 0
		got := primesBetween(nil, c[0], c[1])
		for n := c[0]; n < c[1]; n++ {
			if new(big.Int).SetUint64(n).ProbablyPrime(0) {
				if i >= len(got) || got[i] != n {
					t.Fatalf("primes in %v: %d is missing", c, n)
				}
				i++
			}
		}
		if i != len(got) {
			t.Fatalf("primes in %v: %d too many", c, len(got)-i)
		}
	}
}

// TestPairing checks that every prime of the range has its pair.
func TestPairing(t *testing.T) {
	for _, c := range [][3]uint64{{60, 31, 750}, {60, 206, 5125}, {210, 401, 24000}, {2310, 11001, 300000}, {30030, 1_000_000, 1_100_000}} {
		p := newPairing(c[0], c[1], c[2])
		covered := make(map[uint64]bool)
		start := uint32(0)
		for i, end := range p.ends {
			for _, j := range p.hits[start:end] {
				g := (p.first + uint64(i)) * p.D
				covered[g+uint64(p.babies[j])] = true
				covered[g-uint64(p.babies[j])] = true
			}
			start = end
		}
		if int(start) != len(p.hits) {
			t.Errorf("pairing %v uses %d hits of %d", c, start, len(p.hits))
		}
		for _, q := range primesBetween(nil, c[1], c[2]) {
			if !covered[q] {
				t.Errorf("pairing %v leaves out %d", c, q)
			}
		}
	}
}

// TestFind holds every method against the factors it was given.
func TestFind(t *testing.T) {
	r := seeded(t)
	run := NewRunner()
	missed := map[string]int{}
	for range 2500 {
		a := 14 + r.IntN(7)
		p, q := randomPrime(r, a).Uint64(), randomPrime(r, 14+r.IntN(7)).Uint64()
		P, Q := randomPrime(r, 32).Uint64(), randomPrime(r, 20+r.IntN(12)).Uint64()
		if p == q {
			continue
		}
		for _, c := range []struct {
			name string
			n, d uint64
		}{
			{"hart", p * q, hart64(p * q)},
			{"ecm", P * Q, ecm64(P*Q, 64, microTwins)},
			{"rho", p * q, rho64(p * q)},
			{"find", P * Q, run.find64(P * Q)},
		} {
			switch {
			case c.d == 1 && (c.name == "hart" || c.name == "ecm"):
				missed[c.name]++
			case c.d <= 1 || c.d >= c.n || c.n%c.d != 0:
				t.Fatalf("%s of %d = %d", c.name, c.n, c.d)
			}
		}
	}
	if missed["hart"] > 150 || missed["ecm"] > 6 {
		t.Errorf("missed %v", missed)
	}
}

// TestCurvesAgree runs the same curves modulo one, two and k words.
func TestCurvesAgree(t *testing.T) {
	r := seeded(t)
	run := NewRunner()
	hits := 0
	for i := range uint64(300) {
		p, q := randomPrime(r, 30), randomPrime(r, 60)
		n := new(big.Int).Mul(p, q)
		w := wideOf(n.Bytes())
		d := run.ecm.curveWide(newMont128(w), 7, i, bounds{300, 10_000}, 210)
		work := curves{seed: 7, first: i, count: 1, b1: 300, hi: 301, from: 301, to: 10_000, step: 210}
		got, _ := run.ecm.curvesBig(n, &work)
		found := d != wide{0, 1} && d != w
		if found != (got != nil) || found && got.Cmp(d.big()) != 0 {
			t.Fatalf("curve %d of %v: %v and %v", i, n, d.big(), got)
		}
		if found {
			hits++
		}
	}
	if hits < 30 {
		t.Errorf("%d of 300 curves found a factor", hits)
	}
}
