package expression

import (
	"math"
	"math/big"
)

// Bounds of every expression. Those of the text suffice for a number of the most
// digits that is written in groups, and some more.
const (
	maxDepth    = 100     // of parentheses, signs and towers of powers within one another
	bytesBeyond = 4096    // of the text, besides two for each digit of the result
	stepDigits  = 10_000  // of a value on the way, besides those of the result: 100!/98! is small
	maxWork     = 1 << 22 // products of two words: some milliseconds
	stepWork    = 128     // what a step costs at least, in the same unit
)

// limits bounds one evaluation.
type limits struct {
	digits int // of the result
	step   int // digits of each value on the way
	bytes  int // of the text
}

func limitsFor(maxDigits int) limits {
	return limits{digits: maxDigits, step: maxDigits + stepDigits, bytes: 2*maxDigits + bytesBeyond}
}

// tooLarge reports whether a value of at least 10^exponent, which is an estimate,
// has too many digits for certain. What it lets pass is little longer than allowed
// at most, by a fifth for a primorial, and is counted when it is known.
func (l limits) tooLarge(exponent float64) bool {
	const estimateError = 1e-9 // far above that of a few operations on float64
	return exponent*(1-estimateError)-estimateError >= float64(l.step)
}

// refusal is the error for a value of about 10^exponent.
func (l limits) refusal(at int, what string, exponent float64) *Error {
	const countable = 1e15 // digits, above which only the size is told
	if exponent >= countable {
		return errorAt(at, "%s would have more than 10^15 digits; a value on the way may have %d", what, l.step)
	}
	return errorAt(at, "%s would have about %.0f digits; a value on the way may have %d", what, math.Floor(exponent)+1, l.step)
}

// counted refuses a known value that has too many digits.
func (l limits) counted(v *big.Int, at int, what string) *Error {
	bits := float64(v.BitLen())
	if bits*math.Log10(2) < float64(l.step)-1 {
		return nil
	}
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(l.step)), nil)
	if v.CmpAbs(limit) < 0 {
		return nil
	}
	return l.refusal(at, what, log10(v))
}

// log10 returns the decimal logarithm of |v|, with a relative error below 1e-13, and
// -Inf for 0.
func log10(v *big.Int) float64 {
	f := new(big.Float).SetPrec(64).SetInt(v)
	mantissa := new(big.Float)
	exponent := f.MantExp(mantissa)
	m, _ := mantissa.Float64()
	return math.Log10(math.Abs(m)) + float64(exponent)*math.Log10(2)
}

// float returns v as a float64, infinite if it is beyond that.
func float(v *big.Int) float64 {
	f, _ := new(big.Float).SetPrec(64).SetInt(v).Float64()
	return f
}

// meter counts the work of one evaluation.
type meter struct{ left int }

// spend takes work from what is left; false says that there is not enough.
func (m *meter) spend(work int) bool {
	if work > m.left {
		return false
	}
	m.left -= work
	return true
}

// words is how many words of 64 bits a value of so many bits has.
func words(bits int) int { return bits/64 + 1 }

// wordsOf10 is how many words a value of about 10^exponent has.
func wordsOf10(exponent float64) int { return int(max(exponent, 0)/math.Log10(2)/64) + 1 }
