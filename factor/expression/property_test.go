package expression

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// tree is an expression that the tests make, and write in many ways.
type tree struct {
	do    operation
	value *big.Int // of a number
	args  []*tree  // one or two
	at    int      // where the writer put its sign, name or number
}

// randomTree makes a tree with at most so many levels of operations.
func randomTree(rng *rand.Rand, levels int) *tree {
	if levels == 0 || rng.IntN(6) == 0 {
		return &tree{do: push, value: randomNumber(rng)}
	}
	t := &tree{do: add + operation(rng.IntN(int(repunit)))}
	for range arity(t.do) {
		t.args = append(t.args, randomTree(rng, rng.IntN(levels)))
	}
	return t
}

func arity(do operation) int {
	if do <= power {
		return 2
	}
	return 1
}

// randomNumber is small more often than not: large ones end most expressions.
func randomNumber(rng *rand.Rand) *big.Int {
	n := new(big.Int).SetUint64(rng.Uint64N(12))
	switch rng.IntN(8) {
	case 0:
		n.SetUint64(rng.Uint64N(100_000))
	case 1:
		n.SetUint64(rng.Uint64() >> rng.IntN(64))
		n.Mul(n, power10(rng.IntN(20)))
	}
	return n
}

// Levels of precedence, and what each operation is and asks of its operands.
const (
	ofSum = iota
	ofProduct
	ofSign
	ofPower
	ofPostfix
	ofOperand
)

// writer writes a tree in one of the ways in which it can be written.
type writer struct {
	strings.Builder
	rng *rand.Rand
}

func (w *writer) pick(ways ...string) string { return ways[w.rng.IntN(len(ways))] }

func (w *writer) space() { w.WriteString(w.pick("", "", "", " ", "\t", " \u00a0\n")) }

// sign writes a sign of t and notes its place.
func (w *writer) sign(t *tree, ways ...string) {
	w.space()
	t.at = w.Len()
	w.WriteString(w.pick(ways...))
	w.space()
}

// write writes t where an operand of at least this level is expected.
func (w *writer) write(t *tree, least int) {
	if level(t) < least || w.rng.IntN(12) == 0 {
		w.WriteString("(")
		w.space()
		w.write(t, ofSum)
		w.space()
		w.WriteString(")")
		return
	}
	if least <= ofSign && w.rng.IntN(12) == 0 {
		w.WriteString("+")
		least = ofSign
		if level(t) < least {
			w.write(t, ofOperand)
			return
		}
	}
	switch t.do {
	case push:
		t.at = w.Len()
		w.number(t.value)
	case add, subtract:
		w.both(t, ofSum, ofProduct, map[operation][]string{add: {"+"}, subtract: {"-", "−"}}[t.do]...)
	case multiply, divide, remainder:
		w.both(t, ofProduct, ofSign, map[operation][]string{multiply: {"*", "×", "·"}, divide: {"/"}, remainder: {"%"}}[t.do]...)
	case power:
		w.both(t, ofPostfix, ofSign, "^", "**")
	case negate:
		w.sign(t, "-", "−")
		w.write(t.args[0], ofSign)
	case factorial, primorial:
		inner := ofPostfix
		if t.do == factorial && t.args[0].do == factorial {
			inner = ofOperand
		}
		w.write(t.args[0], inner)
		w.sign(t, map[operation]string{factorial: "!", primorial: "#"}[t.do])
	default:
		name := map[operation]string{fibonacci: "F", lucas: "L", mersenne: "M", repunit: "R"}[t.do]
		w.sign(t, name, strings.ToLower(name))
		w.WriteString("(")
		w.write(t.args[0], ofSum)
		w.WriteString(")")
	}
}

// both writes two operands and a sign between them.
func (w *writer) both(t *tree, left, right int, ways ...string) {
	w.write(t.args[0], left)
	w.sign(t, ways...)
	w.write(t.args[1], right)
}

func level(t *tree) int {
	switch t.do {
	case add, subtract:
		return ofSum
	case multiply, divide, remainder:
		return ofProduct
	case negate:
		return ofSign
	case power:
		return ofPower
	case factorial, primorial:
		return ofPostfix
	}
	return ofOperand
}

// number writes a number in any of its forms.
func (w *writer) number(v *big.Int) {
	plain := v.String()
	switch w.rng.IntN(9) {
	case 0:
		w.WriteString(w.pick("0x", "0X") + w.pick(fmt.Sprintf("%x", v), fmt.Sprintf("%X", v)))
	case 1:
		w.WriteString("0b" + v.Text(2))
	case 2:
		w.WriteString("0o" + v.Text(8))
	case 3:
		w.WriteString(plain[:1])
		for _, digit := range plain[1:] {
			w.WriteString(w.pick("", "", "_") + string(digit))
		}
	case 4:
		w.WriteString(inGroups(plain, w.pick(",", " ", "  ", "\u202f")))
	case 5:
		mantissa := strings.TrimRight(plain, "0")
		if mantissa == "" {
			mantissa = "0"
		}
		fmt.Fprintf(w, "%s%s%d", mantissa, w.pick("e", "E", "e+"), len(plain)-len(mantissa))
	default:
		w.WriteString(w.pick("", "", "00") + plain)
	}
}

func inGroups(digits, gap string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + gap + digits[i:]
	}
	return digits
}

// twin computes a tree in the plainest way, and stops where the value gets too
// large or does not exist: then it returns that node.
type twin struct{ limit *big.Int }

func (w twin) value(t *tree) (*big.Int, *tree) {
	if t.do == push {
		return w.within(t.value, t)
	}
	var args []*big.Int
	for _, arg := range t.args {
		v, wrong := w.value(arg)
		if wrong != nil {
			return nil, wrong
		}
		args = append(args, v)
	}
	if len(args) == 2 {
		return w.two(t, args[0], args[1])
	}
	return w.one(t, args[0])
}

func (w twin) within(v *big.Int, t *tree) (*big.Int, *tree) {
	if v == nil || v.CmpAbs(w.limit) >= 0 {
		return nil, t
	}
	return v, nil
}

func (w twin) two(t *tree, a, b *big.Int) (*big.Int, *tree) {
	v := new(big.Int)
	switch t.do {
	case add:
		v.Add(a, b)
	case subtract:
		v.Sub(a, b)
	case multiply:
		v.Mul(a, b)
	case power:
		v = w.power(a, b)
	default:
		if b.Sign() == 0 {
			return nil, t
		}
		// The quotient for which the remainder is not negative.
		quotient, rest := new(big.Int).QuoRem(a, b, new(big.Int))
		if t.do == divide && rest.Sign() != 0 {
			return nil, t
		}
		if v = quotient; t.do == remainder {
			if v = rest; v.Sign() < 0 {
				v.Add(v, new(big.Int).Abs(b))
			}
		}
	}
	return w.within(v, t)
}

// power multiplies until the result is too large, or has come back to where it was.
func (w twin) power(a, b *big.Int) *big.Int {
	if b.Sign() < 0 {
		return nil
	}
	if a.CmpAbs(big.NewInt(1)) <= 0 && b.Cmp(big.NewInt(2)) > 0 { // it alternates at most
		b = new(big.Int).Sub(b, new(big.Int).Mul(big.NewInt(2), new(big.Int).Rsh(new(big.Int).Sub(b, big.NewInt(1)), 1)))
	}
	v := big.NewInt(1)
	for i := big.NewInt(0); i.Cmp(b) < 0 && v.CmpAbs(w.limit) < 0; i.Add(i, big.NewInt(1)) {
		v = new(big.Int).Mul(v, a)
	}
	return v
}

// one walks along a sequence, term by term, until it is too large.
func (w twin) one(t *tree, n *big.Int) (*big.Int, *tree) {
	if t.do == negate {
		return w.within(new(big.Int).Neg(n), t)
	}
	if n.Sign() < 0 {
		return nil, t
	}
	one, i := big.NewInt(1), big.NewInt(0)
	v, next := big.NewInt(0), big.NewInt(1)
	switch t.do {
	case factorial, primorial:
		v = big.NewInt(1)
	case lucas:
		v = big.NewInt(2)
	}
	for i.Cmp(n) < 0 && v.CmpAbs(w.limit) < 0 {
		i.Add(i, one)
		switch t.do {
		case factorial:
			v = new(big.Int).Mul(v, i)
		case primorial:
			if i.ProbablyPrime(0) { // exact below 2^64
				v = new(big.Int).Mul(v, i)
			}
		case fibonacci, lucas:
			v, next = next, new(big.Int).Add(v, next)
		case mersenne:
			v = new(big.Int).Add(new(big.Int).Add(v, v), one)
		case repunit:
			v = new(big.Int).Add(new(big.Int).Mul(v, big.NewInt(10)), one)
		}
	}
	return w.within(v, t)
}

// TestAgainstTheTwin writes random trees in random ways. The value, or the place of
// the first thing that is wrong, must be what the twin says.
func TestAgainstTheTwin(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	l := limits{digits: 60, step: 60, bytes: 1 << 20} // the value itself is not too long for the result then
	w := twin{power10(l.step)}
	values, wrong := 0, 0
	for range 100_000 {
		tree := randomTree(rng, 6)
		text := writer{rng: rng}
		text.space()
		text.write(tree, ofSum)
		text.space()
		want, at := w.value(tree)
		got, err := evaluate(text.String(), l)
		switch {
		case at != nil || want.Sign() <= 0:
			wrong++
			if at == nil {
				at = tree
			}
			if err == nil || err.At != at.at {
				t.Fatalf("%q: %s, %v, want an error at byte %d", text.String(), got, err, at.at)
			}
		default:
			values++
			if err != nil || got != want.String() {
				t.Fatalf("%q: %s, %v, want %s", text.String(), got, err, want)
			}
		}
	}
	t.Logf("%d values, %d errors", values, wrong)
	if values < 10_000 || wrong < 10_000 {
		t.Errorf("%d values and %d errors are too few of one kind", values, wrong)
	}
}

// TestEstimates holds the estimates against the values: they must never be above
// them, or something allowed would be refused, nor far below.
func TestEstimates(t *testing.T) {
	for do, size := range sizes {
		for n := range 3000 {
			v := size.value(n)
			if v.Cmp(big.NewInt(10)) < 0 {
				continue
			}
			exact, estimate := log10(v), size.exponent(float64(n))
			if estimate > exact*(1+1e-12) {
				t.Errorf("%s of %d: 10^%v is above 10^%v", what(&step{do: do}), n, estimate, exact)
			}
			if n > 200 && estimate < exact*0.8 {
				t.Errorf("%s of %d: 10^%v is far below 10^%v", what(&step{do: do}), n, estimate, exact)
			}
		}
	}
	for e := range 400 {
		for _, mantissa := range []int64{1, 3, 9, 123456789, -7} {
			v := new(big.Int).Mul(big.NewInt(mantissa), power10(e))
			digits := len(new(big.Int).Abs(v).String())
			if got := log10(v); got < float64(digits-1)-1e-9 || got >= float64(digits) {
				t.Fatalf("log10 of %s is %v", v, got)
			}
		}
	}
}
