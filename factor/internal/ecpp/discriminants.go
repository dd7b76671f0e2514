package ecpp

import (
	"cmp"
	"slices"
	"sync"

	"fairfactor/factor/internal/arith"
)

// mostD and mostDegree bound |D| and class numbers: 5,235 discriminants. A prime has as many
// orders with them as the sum of 1/h, 283, on average. At 200 digits one in 18 leads down, so
// there is a way, but for one number in millions, without a step back.
const (
	mostD      = 40_000
	mostDegree = 40
)

// discriminant is a fundamental discriminant.
type discriminant struct {
	d      int   // below zero
	h      int   // its class number
	primes []int // the prime discriminants that multiply to it
}

// discriminants returns all up to the bounds, by class number and then by |D|: the
// time that the root of a class polynomial takes grows with its degree.
var discriminants = sync.OnceValue(func() []discriminant {
	class := classNumbers(mostD)
	small := arith.SmallPrimes(mostD)
	var list []discriminant
	for v := 3; v <= mostD; v++ {
		if primes := primeDiscriminants(-v, small); primes != nil && class[v] <= mostDegree {
			list = append(list, discriminant{-v, class[v], primes})
		}
	}
	slices.SortStableFunc(list, func(a, b discriminant) int { return cmp.Compare(a.h, b.h) })
	return list
})

// classNumbers returns for each v up to a bound how many reduced forms (a, b, c) there are with
// 4ac - b^2 = v: |b| <= a <= c, and b >= 0 if one is an equality. For a fundamental
// discriminant -v that is the class number.
func classNumbers(bound int) []int {
	h := make([]int, bound+1)
	for a := 1; 3*a*a <= bound; a++ {
		for b := 0; b <= a; b++ {
			for c := a; 4*a*c-b*b <= bound; c++ {
				h[4*a*c-b*b] += formsOf(a, b, c)
			}
		}
	}
	return h
}

// formsOf is how many reduced forms (a, b, c) and (a, -b, c) are.
func formsOf(a, b, c int) int {
	if b == 0 || b == a || a == c {
		return 1
	}
	return 2
}

// primeDiscriminants returns the prime discriminants whose product is d < 0, nil if d is not
// a fundamental discriminant.
func primeDiscriminants(d int, small []uint64) (list []int) {
	rest := d
	for _, v := range small {
		p := int(v)
		if p > max(rest, -rest) {
			break
		}
		if rest%p != 0 {
			continue
		}
		if p%4 == 3 {
			p = -p
		}
		if rest /= p; rest%p == 0 {
			return nil
		}
		list = append(list, p)
	}
	switch rest {
	case 1:
		return list
	case -4, 8, -8:
		return append(list, rest)
	}
	return nil
}
