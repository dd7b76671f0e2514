package factor_test

import (
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"fairfactor/factor"
	"fairfactor/factor/internal/factortest"
)

// Primes of 1 to 200 digits get a certificate that the check accepts, and which is the
// same from another runner.
func TestCertify(t *testing.T) {
	r := factortest.Seeded(t)
	run := factor.NewRunner()
	forms := make(map[string]int)
	for digits := 20; digits <= 200; digits += 6 + digits/3 {
		if testing.Short() && digits > 120 {
			break
		}
		n := randomPrime(r.Uint64, digits)
		text, err := run.Certify(n.String(), nil)
		if err != nil {
			t.Errorf("%v: %v", n, err)
			continue
		}
		if p, err := factor.CheckCertificate(text, nil); err != nil || p != n.String() {
			t.Errorf("%s proves %s: %v", text, p, err)
		}
		if again, err := factor.NewRunner().Certify(n.String(), nil); digits < 60 && again != text {
			t.Errorf("%s, and then %s, %v", text, again, err)
		}
		forms[text[:strings.IndexAny(text, "0123456789")]]++
	}
	for range 50 {
		n := randomPrime(r.Uint64, 22+r.IntN(12))
		text, err := run.Certify(n.String(), nil)
		if p, why := factor.CheckCertificate(text, nil); err != nil || why != nil || p != n.String() {
			t.Errorf("%v: %s, %v, %v", n, text, err, why)
		}
		forms[text[:strings.IndexAny(text, "0123456789")]]++
	}
	if forms["["] == 0 || forms["[["] == 0 {
		t.Errorf("not both forms: %v", forms)
	}
	for _, p := range []string{"2", "3", "65537", "18446744073709551557"} {
		if text, err := run.Certify(p, nil); text != p || err != nil {
			t.Errorf("%s: %s, %v", p, text, err)
		}
	}
}

// randomPrime returns a prime of that many digits.
func randomPrime(random func() uint64, digits int) *big.Int {
	low := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits-1)), nil)
	for n := new(big.Int); ; {
		for n.Cmp(low) < 0 {
			n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(random()))
		}
		n.Mod(n, new(big.Int).Mul(low, big.NewInt(9))).Add(n, low).SetBit(n, 0, 1)
		if n.ProbablyPrime(0) {
			return n
		}
		n.SetInt64(0)
	}
}

// No composite gets a certificate: not the numbers of the tests, nor what looks like
// a prime.
func TestCertifyComposites(t *testing.T) {
	run := factor.NewRunner()
	numbers := []string{
		"1", "4", "561", "2047", "3215031751", "3825123056546413051", "18446744073709551617", // and strong pseudoprimes
		"318665857834031151167461", "3317044064679887385961981", "360681321802296925566181",
		"3778118040573702001", "56897193526942024370326972321", // Carmichael
	}
	for _, name := range []string{"testdata/hard.txt", "testdata/regressions.txt"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if number, primes, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, "#") && len(strings.Fields(strings.Split(primes, "#")[0])) > 1 {
				numbers = append(numbers, strings.Fields(number)[0])
			}
		}
	}
	if len(numbers) < 50 {
		t.Fatalf("%d numbers only", len(numbers))
	}
	for _, n := range numbers {
		if len(n) > factor.CertifiableDigits {
			continue
		}
		if text, err := run.Certify(n, nil); !errors.Is(err, factor.ErrComposite) {
			t.Errorf("%s: %s, %v", n, text, err)
		}
	}
}

func TestCertifyRefuses(t *testing.T) {
	run := factor.NewRunner()
	long := strings.Repeat("1", factor.CertifiableDigits+1)
	for n, want := range map[string]error{"": factor.ErrNotNumber, "x": factor.ErrNotNumber, "07": factor.ErrNotNumber, "-7": factor.ErrNotNumber, long: factor.ErrUncertified} {
		if text, err := run.Certify(n, nil); !errors.Is(err, want) {
			t.Errorf("%s: %s, %v, want %v", n, text, err, want)
		}
	}
	for text, want := range map[string]error{"x": factor.ErrCertificate, "15": factor.ErrInvalidCertificate, "[7, 8]": factor.ErrCertificate} {
		if p, err := factor.CheckCertificate(text, nil); !errors.Is(err, want) || p != "" {
			t.Errorf("%s proves %s: %v, want %v", text, p, err, want)
		}
	}
}

// A certificate under way stops when it is asked to, and the runner goes on to others.
func TestCertifyStops(t *testing.T) {
	run := factor.NewRunner()
	n := randomPrime(factortest.Seeded(t).Uint64, 80).String()
	asked := 0
	want, err := run.Certify(n, func() bool { asked++; return false })
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{1, asked / 4, asked / 2} {
		i := 0
		if text, err := run.Certify(n, func() bool { i++; return i == at }); !errors.Is(err, factor.ErrStopped) {
			t.Errorf("stopped at question %d of %d: %s, %v", at, asked, text, err)
		}
	}
	if text, err := run.Certify(n, nil); text != want || err != nil {
		t.Errorf("%s, %v after it was stopped, %s before", text, err, want)
	}
	if _, err := factor.CheckCertificate(want, func() bool { return true }); !errors.Is(err, factor.ErrStopped) {
		t.Errorf("the check did not stop: %v", err)
	}
}

// A certificate proves a prime to those who do not trust who made it.
func ExampleRunner_Certify() {
	text, err := factor.NewRunner().Certify("18446744073709551629", nil)
	fmt.Println(text, err)
	p, err := factor.CheckCertificate(text, nil)
	fmt.Println(p, err)
	// Output:
	// [18446744073709551629, [2, 658812288346769701]] <nil>
	// 18446744073709551629 <nil>
}
