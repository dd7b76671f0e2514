package expression

import (
	"math"
	"math/big"
	"math/bits"
)

// sequence computes the n-th value, n >= 0, of what grows at least exponentially.
func (m *machine) sequence(s *step, n *big.Int) (*big.Int, *Error) {
	size := sizes[s.do]
	if err := m.room(s, size.exponent(float(n)), size.multiplications); err != nil {
		return nil, err
	}
	return size.value(int(n.Int64())), nil
}

// sizes tells for each operation on one number n >= 0 how large its value is and
// how to compute it.
var sizes = map[operation]struct {
	exponent        func(n float64) float64 // the value is at least 10 to this, unless it is below 10
	multiplications int                     // of two values of the result's size, which take as long; measured
	value           func(n int) *big.Int
}{
	factorial: {exponentOfFactorial, 4, func(n int) *big.Int { return new(big.Int).MulRange(1, int64(n)) }},
	primorial: {exponentOfPrimorial, 4, primorialOf},
	fibonacci: {exponentOfFibonacci, 4, func(n int) *big.Int { f, _ := fibonacciPair(n); return f }},
	lucas:     {exponentOfFibonacci, 4, lucasOf},
	mersenne:  {func(p float64) float64 { return (p - 1) * math.Log10(2) }, 1, mersenneOf},
	repunit:   {func(n float64) float64 { return n - 1 }, 3, repunitOf},
}

// exponentOfFactorial is log10 of n!.
func exponentOfFactorial(n float64) float64 {
	ln, _ := math.Lgamma(n + 1)
	return ln / math.Ln10
}

// exponentOfPrimorial is below log10 of n#: the sum of the logarithms of the primes
// up to n is above 0.84 n for n >= 101 (Rosser and Schoenfeld, Approximate formulas
// for some functions of prime numbers, 1962, theorem 10).
func exponentOfPrimorial(n float64) float64 {
	if n < 101 {
		return 0
	}
	return 0.84 * n / math.Ln10
}

// exponentOfFibonacci is below log10 of F(n), and of L(n), which is greater:
// F(n) >= phi^(n-2).
func exponentOfFibonacci(n float64) float64 { return (n - 2) * math.Log10(math.Phi) }

// primorialOf is the product of all primes up to n.
func primorialOf(n int) *big.Int {
	composite := make([]bool, n+1)
	var product []*big.Int
	word := uint64(1) // product of primes that fill no word yet
	for p := 2; p <= n; p++ {
		if composite[p] {
			continue
		}
		if high, low := bits.Mul64(word, uint64(p)); high == 0 {
			word = low
		} else {
			product = append(product, new(big.Int).SetUint64(word))
			word = uint64(p)
		}
		for q := p * p; q <= n; q += p {
			composite[q] = true
		}
	}
	product = append(product, new(big.Int).SetUint64(word))
	for len(product) > 1 { // in pairs: large factors of like size multiply faster
		half := (len(product) + 1) / 2
		for i := half; i < len(product); i++ {
			product[i-half].Mul(product[i-half], product[i])
		}
		product = product[:half]
	}
	return product[0]
}

// fibonacciPair returns F(n) and F(n+1), by doubling: F(2k) = F(k) (2F(k+1) - F(k)) and
// F(2k+1) = F(k)^2 + F(k+1)^2.
func fibonacciPair(n int) (f, next *big.Int) {
	if n == 0 {
		return big.NewInt(0), big.NewInt(1)
	}
	a, b := fibonacciPair(n / 2)
	f = new(big.Int).Lsh(b, 1)
	f.Mul(a, f.Sub(f, a))
	next = a.Mul(a, a)
	next.Add(next, b.Mul(b, b))
	if n%2 == 1 {
		return next, f.Add(f, next)
	}
	return f, next
}

// lucasOf is L(n) = 2F(n+1) - F(n).
func lucasOf(n int) *big.Int {
	f, next := fibonacciPair(n)
	return next.Sub(next.Lsh(next, 1), f)
}

// mersenneOf is 2^p - 1.
func mersenneOf(p int) *big.Int {
	v := new(big.Int).Lsh(big.NewInt(1), uint(p))
	return v.Sub(v, big.NewInt(1))
}

// repunitOf is the number of n digits 1.
func repunitOf(n int) *big.Int {
	v := power10(n)
	v.Sub(v, big.NewInt(1))
	return v.Quo(v, big.NewInt(9))
}
