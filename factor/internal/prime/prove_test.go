package prime

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
)

// repunit returns (10^k - 1)/9.
func repunit(k int) *big.Int {
	n, _ := new(big.Int).SetString(strings.Repeat("1", k), 10)
	return n
}

// decimal returns the value of digits.
func decimal(digits string) *big.Int {
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		panic(digits)
	}
	return n
}

// tenAnd returns 10^e + d.
func tenAnd(e, d int64) *big.Int {
	n := new(big.Int).Exp(big.NewInt(10), big.NewInt(e), nil)
	return n.Add(n, big.NewInt(d))
}

// twoAnd returns 2^e + d.
func twoAnd(e uint, d int64) *big.Int {
	n := new(big.Int).Lsh(arith.One, e)
	return n.Add(n, big.NewInt(d))
}

// isProof reports whether a prime of the grade is proven.
func isProof(g Grade) bool {
	return g == Proven || g == ProvenMinus || g == ProvenPlus || g == ProvenJacobi
}

// TestPublishedPrimes proves primes that are in print.
func TestPublishedPrimes(t *testing.T) {
	run := newProver()
	for _, p := range []struct {
		name  string
		n     *big.Int
		proof Grade // unproven: any
	}{
		{"2^89-1", twoAnd(89, -1), ProvenMinus},
		{"2^107-1", twoAnd(107, -1), ProvenMinus},
		{"2^127-1", twoAnd(127, -1), ProvenMinus},
		{"10^29+319", tenAnd(29, 319), Unproven},
		{"10^39+3", tenAnd(39, 3), Unproven},
		{"10^49+9", tenAnd(49, 9), Unproven},
		{"10^59+19", tenAnd(59, 19), Unproven},
		{"10^69+9", tenAnd(69, 9), Unproven},
		{"10^79+49", tenAnd(79, 49), Unproven},
		{"10^89+31", tenAnd(89, 31), Unproven},
		{"10^99+289", tenAnd(99, 289), ProvenJacobi},
		{"2^332-707", twoAnd(332, -707), Unproven},
		{"R19", repunit(19), Proven},
		{"R23", repunit(23), Proven},
		{"of 2^128+1", decimal("5704689200685129054721"), Proven},
		{"of 2^256+1", decimal("93461639715357977769163558199606896584051237541638188580280321"), Unproven},
		{"2^148+1 over 17", decimal("20988936657440586486151264256610222593863921"), Unproven},
		{"180 (2^127-1)^2+1", new(big.Int).Add(new(big.Int).Mul(big.NewInt(180), new(big.Int).Mul(twoAnd(127, -1), twoAnd(127, -1))), arith.One), Unproven},
		{"3*2^189+1", new(big.Int).Add(new(big.Int).Lsh(big.NewInt(3), 189), arith.One), ProvenMinus},
		{"3*2^534+1", new(big.Int).Add(new(big.Int).Lsh(big.NewInt(3), 534), arith.One), ProvenMinus},
		{"116!+1", new(big.Int).Add(new(big.Int).MulRange(1, 116), arith.One), ProvenMinus},
	} {
		g, c := run.Prove(p.n)
		if !isProof(g) || p.proof != Unproven && g != p.proof {
			t.Errorf("%s: proven by %d, want %d", p.name, g, p.proof)
		}
		if (c != nil) != (g == ProvenMinus) || c != nil && c.Check(false) != IsPrime {
			t.Errorf("%s: the proof does not check", p.name)
		}
	}
	if g, _ := run.Prove(tenAnd(150, 67)); g != Probable {
		t.Errorf("10^150+67: grade %d", g)
	}
}

// TestCompositesUnproven gives composites to the proofs as if they had passed the
// tests for primality.
func TestCompositesUnproven(t *testing.T) {
	r := factortest.Seeded(t)
	run := newProver()
	refuse := func(n *big.Int) {
		t.Helper()
		if g, _ := run.Prove(n); isProof(g) {
			t.Errorf("%v = composite is proven by %d", n, g)
		}
		if v := run.proveJacobi(n); v != isComposite {
			t.Errorf("%v: APR-CL says %d", n, v)
		}
	}
	for _, n := range []string{
		"3825123056546413051", "318665857834031151167461", "3317044064679887385961981", // least strong pseudoprimes to 9, 12, 13 bases
		"1543267864443420616877677640751301",                              // strong pseudoprime to the first 15 or so
		"59276361075595573263446330101", "564132928021909221014087501701", // and Carmichael
		"14314467492291270007", "340561", "9746347772161",
	} {
		if v := decimal(n); v.BitLen() > 64 {
			refuse(v)
		}
	}
	for range 60 {
		p, q := factortest.RandomPrime(r, 35+r.IntN(131)), factortest.RandomPrime(r, 35+r.IntN(131))
		refuse(new(big.Int).Mul(p, q))
		refuse(new(big.Int).Mul(p, p))
	}
	for range 20 { // p (2p - 1), p (4p - 3), ...: pseudoprimes to many bases
		k := int64(1 + r.IntN(8))
		for {
			p := factortest.RandomPrime(r, 34+r.IntN(128))
			q := new(big.Int).Sub(p, arith.One)
			q.Mul(q, big.NewInt(k)).Add(q, arith.One)
			if k > 1 && q.ProbablyPrime(0) {
				refuse(q.Mul(q, p))
				break
			}
			k = int64(1 + r.IntN(8))
		}
	}
	for found := 0; found < 6; { // Carmichael numbers (6k+1)(12k+1)(18k+1)
		k := factortest.RandomBig(r, 20+r.IntN(80))
		n := big.NewInt(1)
		for _, c := range []int64{6, 12, 18} {
			p := new(big.Int).Mul(k, big.NewInt(c))
			if !p.Add(p, arith.One).ProbablyPrime(0) {
				n = nil
				break
			}
			n.Mul(n, p)
		}
		if n != nil {
			found++
			refuse(n)
		}
	}
}

// FuzzProve holds proofs against math/big, of any number that has no small factors.
func FuzzProve(f *testing.F) {
	for _, n := range []*big.Int{
		tenAnd(29, 319), tenAnd(39, 3), tenAnd(99, 289), twoAnd(127, -1), twoAnd(128, 1), twoAnd(332, -707), twoAnd(331, 1),
		decimal("3317044064679887385961981"), decimal("59276361075595573263446330101"),
	} {
		f.Add(n.Bytes())
	}
	run := newProver()
	f.Fuzz(func(t *testing.T, digits []byte) {
		if len(digits) > ProvableBits/8 {
			return
		}
		n := new(big.Int).SetBytes(digits)
		n.SetBit(n, 0, 1)
		if n.BitLen() < 65 {
			return
		}
		for _, p := range arith.SmallPrimes(4096) {
			if new(big.Int).Mod(n, new(big.Int).SetUint64(p)).Sign() == 0 {
				return
			}
		}
		g, c := run.Prove(n)
		prime := n.ProbablyPrime(2)
		if (isProof(g) || g == Unproven && n.BitLen() <= AtOnceBits) && !prime || g == Composite && prime {
			t.Fatalf("%v: grade %d, prime %v", n, g, prime)
		}
		if prime && n.BitLen() <= AtOnceBits && !isProof(g) {
			t.Fatalf("%v is not proven", n)
		}
		if c != nil && c.Check(false) != IsPrime {
			t.Fatalf("%v: the proof does not check", n)
		}
	})
}

// FuzzMinusOne takes proofs from anywhere: one that checks is of a prime.
func FuzzMinusOne(f *testing.F) {
	run := newProver()
	for _, n := range []*big.Int{twoAnd(89, -1), twoAnd(127, -1), new(big.Int).Add(new(big.Int).Lsh(big.NewInt(3), 189), arith.One)} {
		if _, c := run.Prove(n); c != nil {
			f.Add(n.Bytes(), c.Encode(nil))
		}
	}
	f.Fuzz(func(t *testing.T, digits, data []byte) {
		if len(digits) > ProvableBits/8 {
			return
		}
		n := new(big.Int).SetBytes(digits)
		c := readProof(data, n)
		if c != nil && c.Check(false) == IsPrime && !n.ProbablyPrime(2) {
			t.Fatalf("%v is proven by %x", n, data)
		}
	})
}

// BenchmarkProve proves random primes that passed the other tests, by all methods
// and by APR-CL alone. minus/op is the share that N-1 proves, big/op the time as a
// multiple of one ProbablyPrime(20) of math/big.
func BenchmarkProve(b *testing.B) {
	used := func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return float64(u.Utime.Nano() + u.Stime.Nano())
	}
	for _, method := range []string{"any", "apr-cl"} {
		for _, size := range []int{84, 92, 100, 108, 116, 122, 128, 140, 166, 200, 233, 266, 299, 332, 498, 664} {
			if size > AtOnceBits && method == "any" {
				continue
			}
			b.Run(fmt.Sprintf("%s/%dbit", method, size), func(b *testing.B) {
				r := rand.New(rand.NewPCG(uint64(size), 4))
				numbers := make([]*big.Int, 400)
				for i := range numbers {
					numbers[i] = factortest.RandomPrime(r, size)
				}
				start := used()
				for i := range 200 {
					numbers[i].ProbablyPrime(20)
				}
				unit := (used() - start) / 200
				run := newProver()
				run.proveJacobi(numbers[0])
				i, minus := 0, 0
				start = used()
				for b.Loop() {
					n := numbers[i%len(numbers)]
					if method == "any" {
						if _, c := run.Prove(n); c != nil {
							minus++
						}
					} else if run.proveJacobi(n) != IsPrime {
						b.Fatal(n)
					}
					i++
				}
				each := (used() - start) / float64(i)
				b.ReportMetric(each/1e3, "cpu-us/op")
				b.ReportMetric(each/unit, "big/op")
				b.ReportMetric(float64(minus)/float64(i), "minus/op")
			})
		}
	}
}
