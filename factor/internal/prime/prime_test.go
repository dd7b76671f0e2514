package prime

import (
	"math/big"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
)

// TestPrimeBig holds the tests for large numbers against math/big.
func TestPrimeBig(t *testing.T) {
	r := factortest.Seeded(t)
	run := newProver()
	for i := range 60 {
		n := factortest.RandomBig(r, 129+r.IntN(1300))
		n.SetBit(n, 0, 1)
		if i%4 == 0 {
			n = factortest.RandomPrime(r, 129+r.IntN(300))
		}
		if i%8 == 4 {
			n.Mul(n, n)
		}
		want := n.ProbablyPrime(0)
		g, seen := run.GradeBig(n)
		if got := g != Composite; got != want {
			t.Fatalf("GradeBig(%v) = %v", n, got)
		}
		minus := new(big.Int).Sub(n, arith.One)
		if !want && (seen.Power == nil || seen.Power.Cmp(minus.Exp(arith.Two, minus, n)) != 0) {
			t.Fatalf("GradeBig(%v): %v for 2^(n-1)", n, seen.Power)
		}
		if got := run.lucasBig(n); want && !got {
			t.Fatalf("lucasBig(%v)", n)
		}
	}
	// Pseudoprimes of one test that the other one finds out.
	for _, n := range []int64{2047, 3277, 4033, 4681, 8321} {
		if !run.strong(big.NewInt(n), 2).passes || run.lucasBig(big.NewInt(n)) {
			t.Errorf("%d: not just a strong pseudoprime", n)
		}
	}
	for _, n := range []int64{989, 3239, 5777, 10877, 27971, 29681, 30739, 31631, 39059, 72389} {
		if run.strong(big.NewInt(n), 2).passes || !run.lucasBig(big.NewInt(n)) {
			t.Errorf("%d: not just a Lucas pseudoprime", n)
		}
	}
}

func TestPrimeAgainstBig(t *testing.T) {
	r := factortest.Seeded(t)
	for range 12000 {
		n := factortest.AnyBits(r) | 1<<17 | 1
		if got, want := IsPrime64(n), new(big.Int).SetUint64(n).ProbablyPrime(0); got != want {
			t.Fatalf("isPrime64(%d) = %v", n, got)
		}
		if got, want := LikelyPrime64(n), IsPrime64(n); got != want {
			t.Fatalf("LikelyPrime64(%d) = %v", n, got)
		}
	}
	for range 1000 {
		if n := factortest.Prime64(r, 18+r.IntN(47)); !LikelyPrime64(n) {
			t.Fatalf("LikelyPrime64(%d)", n)
		}
	}
	for n := uint64(5); n < 20000; n += 2 {
		if LikelyPrime64(n) != IsPrime64(n) {
			t.Fatalf("LikelyPrime64(%d)", n)
		}
	}
	for i := range 3000 {
		n := factortest.AnyUint128(r)
		n.Lo |= 1
		if i%3 == 0 {
			n = arith.Uint128Of(factortest.RandomPrime(r, 65+r.IntN(64)).Bytes())
		}
		want := n.Big().ProbablyPrime(0)
		got := Grade128(n)
		if (got != Composite) != want || want && (got == Proven) != n.Less(ProvenBelow) {
			t.Fatalf("primeWide(%v) = %v, want prime %v", n.Big(), got, want)
		}
	}
}

// TestPrimeEdges tests all odd numbers next to where operands are reduced in other ways.
func TestPrimeEdges(t *testing.T) {
	for _, edge := range []uint64{1 << 32, 1 << 59, 1 << lazyBits, 1 << 61, 1 << 63, 0} {
		for n := edge - 999; n != edge+1001; n += 2 {
			if edge == 0 && n < 1<<63 {
				break
			}
			want := new(big.Int).SetUint64(n).ProbablyPrime(0)
			if IsPrime64(n) != want || LikelyPrime64(n) != want {
				t.Fatalf("%d: IsPrime64 %v, LikelyPrime64 %v, want %v", n, IsPrime64(n), LikelyPrime64(n), want)
			}
		}
	}
}

// TestLucasP holds the parameter of the Lucas test against its definition.
func TestLucasP(t *testing.T) {
	definition := func(n uint64) uint64 {
		for p := uint64(3); ; p++ {
			d := p*p - 4
			switch g := arith.GCD64(d, n); {
			case g == 1 && arith.Jacobi(d, n) == -1:
				return p
			case g != 1 && g != n, p == 20 && arith.IsSquare64(n):
				return 0
			}
		}
	}
	for n := uint64(3); n < 200_000; n += 2 {
		if got, want := lucasP(n), definition(n); got != want {
			t.Fatalf("%d: P = %d, want %d", n, got, want)
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
		if IsPrime64(n) || LikelyPrime64(n) {
			t.Errorf("isPrime64(%d)", n)
		}
	}
	for _, s := range []string{
		"318665857834031151167461",  // strong to the first 12 prime bases
		"3317044064679887385961981", // strong to the first 13
		"360681321802296925566181",
		"28871482380507712126714295971303939919776094592797227009265160241974323037991527331163289831446392259419778031109293496555784189494417409338056151139799994215424169339729054237110027510420801349667317" +
			"55152859226962916775325475044445856101949404200039904432116776619949629539250452698719329070373564032273701278453899126120309244841494728976885406024976768122077071687938121709811322297802059565867", // Arnault, strong to all prime bases below 307 (J. Symb. Comp. 20 (1995))
	} {
		v, _ := new(big.Int).SetString(s, 10)
		if v.BitLen() <= 128 {
			if g := Grade128(arith.Uint128Of(v.Bytes())); g != Composite {
				t.Errorf("primeWide(%v) = %v", v, g)
			}
		} else if g, seen := newProver().GradeBig(v); g != Composite || seen.Factor == nil || new(big.Int).Mod(v, seen.Factor).Sign() != 0 {
			t.Errorf("%v: grade %v, factor %v", v, g, seen.Factor)
		}
	}
}
