package expression

import "math/big"

// machine computes the steps of one expression on a stack.
type machine struct {
	limits
	meter
	stack []*big.Int
}

// run returns the value of steps that parse has made, so the stack always holds
// what a step needs, and one value in the end.
func run(steps []step, l limits) (*big.Int, *Error) {
	m := &machine{limits: l, meter: meter{maxWork}}
	for i := range steps {
		s := &steps[i]
		v, err := m.value(s)
		if err == nil {
			err = m.counted(v, s.at, what(s))
		}
		if err != nil {
			return nil, err
		}
		m.stack = append(m.stack, v)
	}
	return m.stack[0], nil
}

// value takes the operands of a step from the stack and returns its value.
func (m *machine) value(s *step) (*big.Int, *Error) {
	switch s.do {
	case push:
		return m.number(s)
	case add, subtract, multiply, divide, remainder, power:
		b := m.pop()
		return m.binary(s, m.pop(), b)
	case negate:
		v := m.pop()
		return v.Neg(v), nil
	}
	n := m.pop()
	if n.Sign() < 0 {
		return nil, errorAt(s.at, "%s takes no negative number", what(s))
	}
	return m.sequence(s, n)
}

func (m *machine) pop() *big.Int {
	top := len(m.stack) - 1
	v := m.stack[top]
	m.stack = m.stack[:top]
	return v
}

// pay takes the work of a step from what is left for the expression, before the
// work is done.
func (m *machine) pay(s *step, work int) *Error {
	if !m.spend(work + stepWork) {
		return errorAt(s.at, "%s would make the expression too much work", what(s))
	}
	return nil
}

// room refuses a step whose value, at least 10^exponent, has too many digits, and
// pays for one that takes so many multiplications of its size.
func (m *machine) room(s *step, exponent float64, multiplications int) *Error {
	if m.tooLarge(exponent) {
		return m.refusal(s.at, what(s), exponent)
	}
	w := wordsOf10(exponent)
	return m.pay(s, multiplications*w*w)
}

// number returns the value of a number in the text.
func (m *machine) number(s *step) (*big.Int, *Error) {
	w := words(4 * len(s.digits)) // a digit has at most four bits
	if err := m.pay(s, w*w); err != nil {
		return nil, err
	}
	v, ok := new(big.Int).SetString(s.digits, s.base)
	if !ok { // the scanner takes digits only
		return nil, errorAt(s.at, "the number can't be read")
	}
	if s.exponent == 0 || v.Sign() == 0 {
		return v, nil
	}
	if err := m.room(s, log10(v)+float64(s.exponent), 2); err != nil {
		return nil, err
	}
	return v.Mul(v, power10(s.exponent)), nil
}

// power10 returns 10^n.
func power10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// binary computes a op b. It may use the memory of a.
func (m *machine) binary(s *step, a, b *big.Int) (*big.Int, *Error) {
	switch s.do {
	case multiply:
		return m.multiply(s, a, b)
	case divide, remainder:
		return m.divide(s, a, b)
	case power:
		return m.power(s, a, b)
	}
	if err := m.pay(s, words(a.BitLen())+words(b.BitLen())); err != nil {
		return nil, err
	}
	if s.do == subtract {
		return a.Sub(a, b), nil
	}
	return a.Add(a, b), nil
}

func (m *machine) multiply(s *step, a, b *big.Int) (*big.Int, *Error) {
	if a.Sign() != 0 && b.Sign() != 0 && m.tooLarge(log10(a)+log10(b)) {
		return nil, m.refusal(s.at, what(s), log10(a)+log10(b))
	}
	if err := m.pay(s, words(a.BitLen())*words(b.BitLen())); err != nil {
		return nil, err
	}
	return new(big.Int).Mul(a, b), nil
}

// divide computes a/b without a remainder, or a%b.
func (m *machine) divide(s *step, a, b *big.Int) (*big.Int, *Error) {
	if b.Sign() == 0 {
		return nil, errorAt(s.at, "division by zero")
	}
	const slower = 3 // than a multiplication
	if err := m.pay(s, slower*words(a.BitLen())*words(b.BitLen())); err != nil {
		return nil, err
	}
	if s.do == remainder {
		return a.Mod(a, b), nil // Euclidean: never negative
	}
	quotient, rest := a.QuoRem(a, b, new(big.Int))
	if rest.Sign() != 0 {
		return nil, errorAt(s.at, "the division leaves a remainder: all values are integers")
	}
	return quotient, nil
}

// power computes a^b. The values of 0, 1 and -1 don't grow, whatever b is.
func (m *machine) power(s *step, a, b *big.Int) (*big.Int, *Error) {
	if b.Sign() < 0 {
		return nil, errorAt(s.at, "the exponent is negative: all values are integers")
	}
	if a.IsInt64() && -1 <= a.Int64() && a.Int64() <= 1 {
		return small(a.Int64(), b), m.pay(s, 1)
	}
	if err := m.room(s, float(b)*log10(a), 2); err != nil {
		return nil, err
	}
	return new(big.Int).Exp(a, b, nil), nil
}

// small returns a^b for a of 0, 1 or -1.
func small(a int64, b *big.Int) *big.Int {
	if b.Sign() == 0 || a == -1 && b.Bit(0) == 0 {
		return big.NewInt(1)
	}
	return big.NewInt(a)
}

// what names the value of a step in an error.
func what(s *step) string { return names[s.do] }

var names = [...]string{
	push: "the number", add: "the sum", subtract: "the difference", multiply: "the product", divide: "the quotient",
	remainder: "the remainder", power: "the power", negate: "the negative", factorial: "the factorial", primorial: "the primorial",
	fibonacci: "the Fibonacci number", lucas: "the Lucas number", mersenne: "the Mersenne number", repunit: "the repunit",
}
