package certificate

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"fairfactor/factor/internal/factortest"
)

// accepted returns the certificates of testdata/accepted.txt.
func accepted(t testing.TB) (list []*Certificate) {
	t.Helper()
	text, err := os.ReadFile("testdata/accepted.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		c, err := Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.String(); got != strings.TrimSpace(line) {
			t.Fatalf("%s is written as %s", line, got)
		}
		list = append(list, c)
	}
	if len(list) < 19 {
		t.Fatalf("%d certificates only", len(list))
	}
	return list
}

// What primecertisvalid of PARI/GP 2.15.2 accepted, the check accepts. Some of these
// certificates were made here and so show that it takes the form of ours.
func TestAccepted(t *testing.T) {
	for _, c := range accepted(t) {
		if err := Check(c, nil); err != nil {
			t.Errorf("%s: %v", brief(c.N), err)
		}
		if !c.N.ProbablyPrime(20) {
			t.Errorf("%v is not prime", c.N)
		}
	}
}

// numbers returns all numbers of a certificate that may not change. There are other bases as
// good; and where a is 0 another point may be: it is on one of six curves, and one has that
// order.
func (c *Certificate) numbers() (list []*big.Int) {
	for i := range c.Steps {
		s := &c.Steps[i]
		list = append(list, s.N, s.T, s.S)
		if s.A.Sign() != 0 {
			list = append(list, s.A, s.X, s.Y)
		}
	}
	if len(c.Steps) == 0 {
		list = append(list, c.N)
	}
	for i := range c.Factors {
		f := &c.Factors[i]
		list = append(list, f.P)
		if f.Proof != nil {
			list = append(list, f.Proof.numbers()...)
		}
	}
	return list
}

// A certificate with any number changed is refused, unless it then is the right one of another
// prime, as a small number may be.
func TestDamaged(t *testing.T) {
	r := factortest.Seeded(t)
	count := 0
	for _, whole := range accepted(t) {
		// Each is read again, so that no two of its numbers share memory.
		c, _ := Parse(whole.String())
		places := c.numbers()
		for i := range places {
			if len(places) > 60 && r.IntN(len(places)) > 6 {
				continue
			}
			c, _ = Parse(whole.String())
			v := c.numbers()[i]
			before := v.String()
			switch r.IntN(6) {
			case 0:
				v.Add(v, one)
			case 1:
				v.Sub(v, one)
			case 2:
				v.Neg(v)
			case 3:
				v.SetInt64(0)
			case 4:
				v.Lsh(v, 1)
			case 5:
				bit := r.IntN(max(v.BitLen(), 1))
				v.SetBit(v, bit, v.Bit(bit)^1)
			}
			if v.String() == before {
				continue
			}
			if len(c.Factors) > 0 && v.ProbablyPrime(20) {
				continue // another prime factor, which may be enough
			}
			count++
			if err := Check(c, nil); !errors.Is(err, ErrInvalid) && !(len(places) == 1 && c.N.ProbablyPrime(20)) {
				t.Errorf("%.200s holds with %.60s for %s: %v", whole, v, before, err)
			}
		}
	}
	if count < 120 {
		t.Errorf("%d changes only", count)
	}
}

// Steps that are left out, twice there or in another order make no certificate, nor do fewer
// factors than are needed.
func TestIncomplete(t *testing.T) {
	for _, c := range accepted(t) {
		if n := len(c.Steps); n > 1 {
			for _, steps := range [][]Step{c.Steps[:n-1], append(c.Steps[:1:1], c.Steps[2:]...), append(c.Steps[:1:1], c.Steps...)} {
				if err := Check(&Certificate{N: c.N, Steps: steps}, nil); !errors.Is(err, ErrInvalid) {
					t.Errorf("%s: %d steps of %d hold: %v", brief(c.N), len(steps), n, err)
				}
			}
		}
		if len(c.Factors) > 0 {
			last := c.Factors[len(c.Factors)-1]
			for _, factors := range [][]Factor{c.Factors[:1], append(c.Factors[:len(c.Factors):len(c.Factors)], last)} {
				if err := Check(&Certificate{N: c.N, Factors: factors}, nil); !errors.Is(err, ErrInvalid) {
					t.Errorf("%s: %d factors of %d hold: %v", brief(c.N), len(factors), len(c.Factors), err)
				}
			}
		}
	}
}

// False certificates of composites and of nonsense are refused with the reason.
func TestFalse(t *testing.T) {
	const carmichael = "[3778118040573702001, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 41, 43]]"
	for text, why := range map[string]string{
		"1":                              "1 is not a prime below 2^64",
		"0":                              "0 is not",
		"-7":                             "-7 is not a prime",
		"561":                            "561 is not",
		"3215031751":                     "is not a prime",            // strong to 2, 3, 5 and 7
		"18446744073709551629":           "is not a prime below 2^64", // prime, and too large
		"[15, [2]]":                      "has no base",
		"[16, [3, 5]]":                   "even or small",
		"[18446744073709551629, [2]]":    "cube root",
		"[18446744073709551629, [2, 2]]": "twice",
		"[18446744073709551629, [2, 3]]": "does not divide",
		"[18446744073709551629, [4]]":    "not a prime",
		"[18446744073709551629, [-2]]":   "does not divide",
		"[18446744073709551629, [2, 1]]": "not a prime",
		"[1000000000000000000000007, [2, [2463054187192118226601, 2, [5, [2]]]]]":                                                         "about another number",
		"[1000000000000000000000007, [2, [2463054187192118226601, 1, [2463054187192118226601, [2, 3, 5, 1543, 1543067]]]]]":               "no base",
		"[[1000000000000000000000007, -510254110615, 0, 934998288017942904832007, [907387614169715139361031, 327305886305447735171913]]]": "s is not positive",
		"[[1000000000000000000000007, 2000000000001, 1, 1, [1, 1]]]":                                                                      "t^2",
		"[[1000000000000000000000007, 8, 1000000000000, 1, [1, 1]]]":                                                                      "is not between",
		"[[1000000000000000000000007, 7, 1, 0, [1, 1000000000000000000000007]]]":                                                          "residues",
		"[[1000000000000000000000007, 8, 1, 0, [0, 0]]]":                                                                                  "singular",
		"[[1000000000000000000000006, 8, 1, 0, [0, 0]]]":                                                                                  "even or small",
		carmichael: "no base",
	} {
		c, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if err := Check(c, nil); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %s", text, err, why)
		}
	}
}

// A product of two primes that are 1 modulo F has all that a certificate by factors of N - 1
// asks for but the last condition: b has the order p modulo both.
func TestCompositeMinusOne(t *testing.T) {
	r := factortest.Seeded(t)
	proof, err := Parse("[2463054187192118226601, [2, 1724137931]]")
	if err != nil || Check(proof, nil) != nil {
		t.Fatal(err)
	}
	for range 20 {
		N, b := big.NewInt(1), new(big.Int)
		for range 2 {
			side, k := new(big.Int), new(big.Int)
			for !side.ProbablyPrime(0) || new(big.Int).Rem(N, side).Sign() == 0 {
				k.SetInt64(2 * r.Int64N(1000))
				side.Mul(k, proof.N).Add(side, one)
			}
			order := new(big.Int).Exp(big.NewInt(2+r.Int64N(1000)), k, side) // p, hardly ever 1
			// b is this modulo side, and what it was modulo N.
			d := new(big.Int).Sub(order, b)
			d.Mul(d, new(big.Int).ModInverse(N, side)).Mod(d, side)
			b.Add(b, d.Mul(d, N))
			N.Mul(N, side)
		}
		c := &Certificate{N: N, Factors: []Factor{{P: proof.N, Base: b, Proof: proof}}}
		if err := Check(c, nil); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "may be a product") {
			t.Fatalf("%s: %v", c, err)
		}
	}
}

// No step with a prime q holds for a composite, also where the point is infinite modulo one of
// its primes only: random curves modulo small numbers meet all cases. Modulo primes some hold.
func TestCompositeSteps(t *testing.T) {
	r := factortest.Seeded(t)
	held := 0
	for held < 100 {
		n := 2*r.Int64N(300) + 9
		bound := new(big.Int).Sqrt(big.NewInt(4 * n)).Int64()
		trace := r.Int64N(2*bound+1) - bound
		m := n + 1 - trace
		for s := int64(1); s*s < m; s++ {
			if m%s != 0 || !isPrime(uint64(m/s)) {
				continue
			}
			step := Step{big.NewInt(n), big.NewInt(trace), big.NewInt(s), big.NewInt(r.Int64N(n)), big.NewInt(r.Int64N(n)), big.NewInt(r.Int64N(n))}
			if Check(&Certificate{N: step.N, Steps: []Step{step}}, nil) != nil {
				continue
			}
			held++
			if !isPrime(uint64(n)) {
				t.Fatalf("%v holds", step)
			}
		}
	}
}

// The bound of q is exact: (n^(1/4) + 1)^2 is an integer for a fourth power.
func TestExceeds(t *testing.T) {
	r := factortest.Seeded(t)
	for range 200 {
		w := factortest.RandomBig(r, 3+r.IntN(300))
		n := new(big.Int).Exp(w, big.NewInt(4), nil)
		q := new(big.Int).Add(w, one)
		q.Mul(q, q)
		if exceeds(q, n) || !exceeds(new(big.Int).Add(q, one), n) && w.BitLen() < 50 {
			t.Fatalf("%v and %v", q, n)
		}
		more := new(big.Int).Rsh(q, 50)
		if !exceeds(more.Add(more, q).Add(more, one), n) {
			t.Fatalf("%v more than %v", more, n)
		}
	}
}

func TestIsPrime(t *testing.T) {
	r := factortest.Seeded(t)
	for n := range uint64(3000) {
		if isPrime(n) != new(big.Int).SetUint64(n).ProbablyPrime(0) {
			t.Errorf("isPrime(%d)", n)
		}
	}
	for range 3000 {
		n := factortest.AnyBits(r) | 1
		if isPrime(n) != new(big.Int).SetUint64(n).ProbablyPrime(0) {
			t.Errorf("isPrime(%d)", n)
		}
	}
	for _, n := range []uint64{
		2047, 1373653, 25326001, 3215031751, 2152302898747, 3474749660383, 341550071728321, 3825123056546413051, // strong to the first prime bases
		561, 1105, 294409, 56052361, 118901521, 1299963601, 5459, 5777, 989, 1<<64 - 1,
	} {
		if isPrime(n) {
			t.Errorf("%d passes", n)
		}
	}
}

func TestParse(t *testing.T) {
	for _, text := range []string{
		"", "x", "[", "[]", "[1", "[1,]", "1 2", "007", "-", "-0", "+1", "1]", "[[1, 2, 3, 4, [5, 6]]", "[[]]",
		"[1]", "[1, 2]", "[[1, 2, 3, 4, [5]]]", "[[1, 2, 3, 4, 5]]", "[[1, 2, 3, [4], [5, 6]]]", "[[1, 2, 3, 4, [5, 6]], 7]",
		"[7, [2], 3]", "[7, [[2, 3]]]", "[7, [[3, 2, 3]]]", "[7, [[3, 2, [[1, 2, 3, 4, [5, 6]]]]]]",
		strings.Repeat("[", 100), strings.Repeat("9", 1001), strings.Repeat(" ", MaxBytes) + "1",
	} {
		if c, err := Parse(text); !errors.Is(err, ErrText) {
			t.Errorf("Parse(%.60q) = %v, %v", text, c, err)
		}
	}
	c, err := Parse(" [ 18446744073709551629,\n[2,7 ,658812288346769701] ]\r\n")
	if err != nil || Check(c, nil) != nil {
		t.Errorf("%v, %v", c, err)
	}
}

// A check asks at every step whether to stop.
func TestStop(t *testing.T) {
	for _, c := range accepted(t) {
		asked := 0
		err := Check(c, func() bool { asked++; return asked == 2 })
		if more := len(c.Steps) > 1 || len(c.Factors) > 0; more != errors.Is(err, ErrStopped) {
			t.Errorf("%s: %v after %d", brief(c.N), err, asked)
		}
	}
}

// FuzzParse: what is read is written as it was, and the check of anything ends with what it
// promises.
func FuzzParse(f *testing.F) {
	for _, c := range accepted(f) {
		if c.N.BitLen() < 140 {
			f.Add([]byte(c.String()))
		}
	}
	f.Add([]byte("[[7,1,2,-3,[4,5]]]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse(string(text))
		if err != nil {
			if !errors.Is(err, ErrText) {
				t.Fatal(err)
			}
			return
		}
		written := c.String()
		again, err := Parse(written)
		if err != nil || again.String() != written {
			t.Fatalf("%s: %v", written, err)
		}
		if plain := bytes.Map(func(r rune) rune {
			if strings.ContainsRune(" \t\r\n", r) {
				return -1
			}
			return r
		}, text); string(plain) != strings.ReplaceAll(written, " ", "") {
			t.Fatalf("%q is written as %q", text, written)
		}
		asked := 0
		err = Check(c, func() bool { asked++; return asked > 20 })
		if err == nil && !c.N.ProbablyPrime(5) {
			t.Fatalf("%s proves a composite", written)
		}
		if err != nil && !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
	})
}

func Example() {
	c, err := Parse("[18446744073709551629, [2, 7, 658812288346769701]]")
	if err == nil {
		err = Check(c, nil)
	}
	fmt.Println(c.N, err)
	// Output:
	// 18446744073709551629 <nil>
}
