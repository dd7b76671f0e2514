package ecm

import (
	"math"
	"sync"
)

// Curves says that so many curves with a first bound were run on a number.
type Curves struct{ B1, Count uint64 }

// extraSmooth is by what the order of a curve in Suyama's parametrisation is smaller, as
// far as its chance to be smooth goes: it is a multiple of 12, and has other small factors
// more often than random numbers (Zimmermann and Dodson, "20 years of ECM", section 2.2).
const extraSmooth = 23.4

// Values of Dickman's function at multiples of 1/dickmanStep, up to dickmanEnd.
const (
	dickmanStep = 256
	dickmanEnd  = 24
)

// dickmanTable solves u rho(u) = the integral of rho from u-1 to u by the trapezoidal rule.
var dickmanTable = sync.OnceValue(func() []float64 {
	t := make([]float64, dickmanStep*dickmanEnd+1)
	for i := range t {
		if i <= dickmanStep {
			t[i] = 1
			continue
		}
		sum := t[i-dickmanStep] / 2
		for _, v := range t[i-dickmanStep+1 : i] {
			sum += v
		}
		t[i] = sum / (float64(i) - 0.5)
	}
	return t
})

// dickman returns rho(u), the share of numbers n without a prime factor above n^(1/u); 0
// beyond the table.
func dickman(u float64) float64 {
	if u <= 1 {
		return 1
	}
	x := u * dickmanStep
	i := int(x)
	t := dickmanTable()
	if i+1 >= len(t) {
		return 0
	}
	part := x - float64(i)
	return max(0, t[i]*(1-part)+t[i+1]*part)
}

// Chance estimates how likely one curve with these bounds finds a prime factor of that
// many decimal digits, in the middle of them: its order, less extraSmooth, has no prime
// factor above B1, but for one up to B2 (Montgomery, thesis, 1992, section 4.1).
func Chance(B1, B2 uint64, digits int) float64 {
	b := math.Log(float64(B1))
	order := (float64(digits)-0.5)*math.Ln10 - math.Log(extraSmooth)
	a := order / b
	end := math.Log(float64(max(B1, B2))) / b
	// The largest prime factor of the order is B1^t; Simpson's rule over t.
	const pieces = 64
	h := (end - 1) / pieces
	sum := 0.0
	for i := range pieces + 1 {
		weight := 4.0
		switch {
		case i == 0 || i == pieces:
			weight = 1
		case i%2 == 0:
			weight = 2
		}
		t := 1 + h*float64(i)
		sum += weight * dickman(a-t) / t
	}
	return dickman(a) + sum*h/3
}

// usualRatio is B2/B1 of curves that were run elsewhere, whose second bound no one says:
// less than other programs take by themselves.
const usualRatio = 100

// b2Of returns the second bound that goes with a first one.
func b2Of(B1 uint64) uint64 {
	for i := range Levels {
		if Levels[i].B1 == B1 {
			return Levels[i].B2
		}
	}
	return usualRatio * B1
}

// weights are worth of the curves of one level for another one.
var weights = sync.OnceValue(func() (w [len(Levels)][len(Levels)]float64) {
	for i := range Levels {
		w[i] = worth(Levels[i].B1)
	}
	return w
})

// worth is Worth, computed.
func worth(B1 uint64) (w [len(Levels)]float64) {
	for i := range Levels {
		l := &Levels[i]
		if l.B1 == B1 {
			w[i] = 1
			continue
		}
		w[i] = Chance(B1, b2Of(B1), l.Digits) / Chance(l.B1, l.B2, l.Digits)
	}
	return w
}

// Worth returns for each level how many of its curves one curve with another first bound
// is worth: the quotient of their chances to find a factor of the level's digits.
func Worth(B1 uint64) [len(Levels)]float64 {
	for i := range Levels {
		if Levels[i].B1 == B1 {
			return weights()[i]
		}
	}
	return worth(B1)
}
