package expression_test

import (
	"errors"
	"math/big"
	"runtime"
	"strings"
	"testing"

	"fairfactor/factor/expression"
)

// digits is the bound of most tests here.
const digits = 200

func TestValues(t *testing.T) {
	for text, want := range map[string]string{
		"1": "1", "007": "7", "600851475143": "600851475143",
		"2+3": "5", "7-3-2": "2", "2*3*7": "42", "91/7": "13", "-91/-7": "13", "17%5": "2", "-17%5": "3", "17%-5": "2", "-17%-5": "3",
		"2^10": "1024", "2**10": "1024", "2^3^2": "512", "(2^3)^2": "64", "(-2)^2": "4", "-2^2+5": "1", "-(2^2)+5": "1", "2^+3": "8", "0^0": "1", "1^-0": "1",
		"2^67-1": "147573952589676412927", "(-1)^(10^100+1)+2": "1", "(-1)^(10^100)": "1", "1^(10^1000)": "1", "0^(10^1000)+1": "1",
		"5!": "120", "0!": "1", "3!^2": "36", "2^3!": "64", "-3!+7": "1", "(3!)!": "720", "30!+1": "265252859812191058636308480000001", "100!/98!": "9900",
		"10#": "210", "0#": "1", "1#": "1", "2#": "2", "3##": "30", "3!#": "30", "3#!": "720", "2^3#": "64",
		"--5": "5", "+5": "5", "3--5": "8", "3-+-5": "8", "2*-3*-7": "42", "((((5))))": "5", "4-(2-(3-4))": "1",
		"0x10": "16", "0XfF": "255", "0xFFFF_FFFB": "4294967291", "0b1011": "11", "0B1_1": "3", "0o17": "15", "0O17": "15", "0x00ff": "255",
		"1_000": "1000", "1_0_0": "100", "12_34": "1234", "1,000": "1000", "1,000,007": "1000007", "1 000 007": "1000007", "12 345": "12345", "1\u00a0000\u202f007": "1000007",
		"1  000": "1000", "1e20": "100000000000000000000", "1E+3": "1000", "1_5e2": "1500", "1,000e3": "1000000", "0e99999999999999999999+1": "1", "2e1^2": "400",
		"F(0)+1": "1", "F(1)": "1", "F(2)": "1", "F(10)": "55", "f(100)": "354224848179261915075", "F(3!)": "8", "F(F(7))": "233", "L(0)": "2", "L(1)": "1", "L(10)": "123", "l(2)": "3",
		"M(0)+1": "1", "M(1)": "1", "M(67)": "147573952589676412927", "m(7)": "127", "R(0)+1": "1", "R(1)": "1", "R(7)": "1111111", "r(2)!": "39916800", "M(2)^M(2)": "27",
		" 2 ^ 67\t-\n1 ": "147573952589676412927", "F (10)": "55", "F( 10 )": "55",
		"7×11·13": "1001", "2^10−1": "1023", "(1+2)*(3+4)": "21", "1+2*3": "7", "1-2+3": "2", "12/2/3": "2", "7*9%4": "3", "2*3^2": "18",
		"10^300/10^200": "1" + strings.Repeat("0", 100), "(10^200-1)/9*9": strings.Repeat("9", 200),
	} {
		got, err := expression.Evaluate(text, digits)
		if err != nil || got != want {
			t.Errorf("%q: %s %v, want %s", text, got, err, want)
		}
	}
}

// TestErrors has each kind of error with its place: the caret of the second line.
func TestErrors(t *testing.T) {
	for _, row := range []struct{ text, caret, reason string }{
		{"", "^", "empty"},
		{" \t", "^", "empty"},
		{"2^", "  ^", "a number is missing at the end"},
		{"2^67-", "     ^", "a number is missing at the end"},
		{"2^67- ", "      ^", "a number is missing at the end"},
		{"2+*3", "  ^", `a number is missing before "*"`},
		{"2* *3", "   ^", `a number is missing before "*"`},
		{"2***3", "   ^", `a number is missing before "*"`},
		{"*3", "^", `a number is missing before "*"`},
		{"!3", "^", `a number is missing before "!"`},
		{"()", " ^", `a number is missing before ")"`},
		{"F()", "  ^", `a number is missing before ")"`},
		{"2^×3", "  ^", `a number is missing before "×"`},
		{"(2+3", "^", "not closed"},
		{"5*(2+(3*4)", "  ^", "not closed"},
		{"2+3)", "   ^", "closes nothing"},
		{"F(1,000", " ^", "not closed"},
		{"(2 3)", "   ^", "an operator is missing between two numbers"},
		{"15 21", "   ^", "an operator is missing between two numbers"},
		{"1 000 07", "      ^", "an operator is missing between two numbers"},
		{"1000 000", "     ^", "an operator is missing between two numbers"},
		{"1_000 000", "      ^", "an operator is missing between two numbers"},
		{"1,000 000", "      ^", "an operator is missing between two numbers"},
		{"1 0000", "  ^", "an operator is missing between two numbers"},
		{"2(3)", " ^", `an operator is missing before "("`},
		{"(2)3", "   ^", `an operator is missing before "3"`},
		{"(2(3))", "  ^", `an operator is missing before "("`},
		{"5!3", "  ^", `an operator is missing before "3"`},
		{"12x", "  ^", `an operator is missing before "x"`},
		{"2F(3)", " ^", `an operator is missing before "F"`},
		{"x", "^", `"x" is no function`},
		{"7+sin(3)", "  ^", `"sin" is no function`},
		{"F10", "^", `"F10" is no function`},
		{"F 10", "  ^", "F needs its argument in parentheses"},
		{"2*M", "   ^", "M needs its argument in parentheses"},
		{"2@3", " ^", `"@" has no meaning`},
		{"2=2", " ^", `"=" has no meaning`},
		{"2×٧", "  ^", `"٧" has no meaning`},
		{"2\xff", " ^", "has no meaning"},
		{",5", "^", `"," has no meaning`},
		{"1.5", " ^", "no decimal point"},
		{".5", "^", "no decimal point"},
		{"1,5", " ^", "commas divide"},
		{"1,0000", " ^", "commas divide"},
		{"1000,000", "    ^", "commas divide"},
		{"1,00,000", " ^", "commas divide"},
		{"1,000,", "     ^", "commas divide"},
		{"1, 000", " ^", "commas divide"},
		{"1 000,000", "     ^", "commas divide"},
		{"1_000,000", "     ^", "commas divide"},
		{"1,000_000", "     ^", "either underscores or groups"},
		{"1_", " ^", "an underscore stands between two digits"},
		{"1__0", " ^", "an underscore stands between two digits"},
		{"0x1_", "   ^", "an underscore stands between two digits"},
		{"0x_f_g", "    ^", "an underscore stands between two digits"},
		{"_1", "^", `"_" has no meaning`},
		{"0x", "  ^", "digits are missing after 0x"},
		{"0b+1", "  ^", "digits are missing after 0b"},
		{"0b12", "   ^", `"2" is no digit after 0b`},
		{"0o8", "  ^", `"8" is no digit after 0o`},
		{"0xfg", "   ^", `"g" is no digit after 0x`},
		{"1e", " ^", "the e of a number is followed by digits"},
		{"1e-5", " ^", "the e of a number is followed by digits"},
		{"9!!", "  ^", `"!!" may mean`},
		{"9!!!!", "  ^", `"!!" may mean`},
		{"9! !", "   ^", `"!!" may mean`},

		{"7/2", " ^", "leaves a remainder"},
		{"(7+2*4)/-2", "       ^", "leaves a remainder"},
		{"1/(2-2)", " ^", "division by zero"},
		{"1%0", " ^", "division by zero"},
		{"2^-1", " ^", "the exponent is negative"},
		{"2^(3-4)", " ^", "the exponent is negative"},
		{"(-1)!", "    ^", "the factorial takes no negative number"},
		{"(-1)#", "    ^", "the primorial takes no negative number"},
		{"1+F(-1)", "  ^", "the Fibonacci number takes no negative number"},
		{"L(-1)", "^", "the Lucas number takes no negative number"},
		{"M(-1)", "^", "the Mersenne number takes no negative number"},
		{"R(-1)", "^", "the repunit takes no negative number"},

		{"0", "^", "the value is zero"},
		{"2^67-2^67", "    ^", "the value is zero"},
		{"-6", "^", "the value is negative"},
		{"1-2^3", " ^", "the value is negative"},
		{"1-(2-(3-4))", " ^", "the value is negative"},
		{"10^200", "  ^", "the value has 201 digits, more than the 200"},
		{"2^5000*3", "      ^", "the value has 1506 digits"},
		{"1e200", "^", "the value has 201 digits"},
	} {
		_, err := expression.Evaluate(row.text, digits)
		var e *expression.Error
		if !errors.As(err, &e) {
			t.Errorf("%q: %v", row.text, err)
			continue
		}
		caret := e.Caret(row.text)
		if _, under, _ := strings.Cut(caret, "\n"); under != row.caret || !strings.Contains(e.Reason, row.reason) {
			t.Errorf("%q: %s\n%s", row.text, e.Reason, caret)
		}
	}
}

// TestTooLargeToCompute has values that must be refused before they exist: the
// refusal takes little memory.
func TestTooLargeToCompute(t *testing.T) {
	for _, row := range []struct{ text, caret, reason string }{
		{"10^10^10", "  ^", "the power would have about 10000000001 digits; a value on the way may have 10200"},
		{"10^10^10%7", "  ^", "about 10000000001 digits"},
		{"10^10^10^10", "     ^", "about 10000000001 digits"},
		{"2^(10^5000)", " ^", "more than 10^15 digits"},
		{"(-3)^1e100", "    ^", "more than 10^15 digits"},
		{"1e99999999999999999999", "^", "about 1099511627777 digits"},
		{"(10^100)!", "        ^", "more than 10^15 digits"},
		{"((((9)!)!)!)!", "        ^", "about 1859934 digits"},
		{"((9!)!)!", "     ^", "about 1859934 digits"},
		{"(10^9)!", "      ^", "about 8565705523 digits"},
		{"(10^9)#", "      ^", "the primorial would have about 364807365 digits"},
		{"M(10^9)", "^", "the Mersenne number would have about 301029996 digits"},
		{"M(M(M(10)))", "^", "the Mersenne number would have more than 10^15 digits"},
		{"R(10^9)", "^", "the repunit would have about 1000000000 digits"},
		{"F(10^9)", "^", "the Fibonacci number would have about 208987640 digits"},
		{"1-L(10^9)", "  ^", "the Lucas number would have about 208987640 digits"},
		{"L(10^400)", "^", "more than 10^15 digits"},
		{"10^6000*10^6000", "       ^", "the product would have about 12001 digits"},
		{"(10^6000*10^4199)*10", "                 ^", "the product would have about 10201 digits"},
		{"(10^10200-1)+2", "   ^", "the power would have about 10201 digits"},
		{"(10^10199*9)+10^10199", "            ^", "the sum would have about 10201 digits"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := expression.Evaluate(row.text, digits)
		runtime.ReadMemStats(&after)
		var e *expression.Error
		if !errors.As(err, &e) || !strings.Contains(e.Reason, row.reason) || !strings.HasSuffix(e.Caret(row.text), "\n"+row.caret) {
			t.Errorf("%q: %v", row.text, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 200<<10 {
			t.Errorf("%q: the refusal took %d KB", row.text, took>>10)
		}
	}
}

// TestBoundsAreExact: a value of the most digits passes, one more is refused.
func TestBoundsAreExact(t *testing.T) {
	for _, row := range []struct {
		text   string
		passes bool
	}{
		{"10^200-1", true},
		{"10^200", false},
		{"(10^10200-1)%7+1", false}, // on the way: 10^10200 has a digit too many
		{"10^10199%7", true},
		{"R(10200)%7+1", true},
		{"R(10201)%7+1", false},
		{"F(48808)%7+1", true}, // these from F(n) and so on, one after the other, in Python
		{"F(48809)%7+1", false},
		{"L(48806)%7+1", true},
		{"L(48807)%7+1", false},
		{"M(33883)%7+1", true},
		{"M(33884)%7+1", false},
		{"3305!%7+1", true},
		{"3306!%7+1", false},
	} {
		_, err := expression.Evaluate(row.text, digits)
		if (err == nil) != row.passes {
			t.Errorf("%s: %v", row.text, err)
		}
	}
}

func TestTheTextIsBounded(t *testing.T) {
	most := 4096 + 2*digits
	if got, err := expression.Evaluate(strings.Repeat(" ", most-1)+"7", digits); got != "7" {
		t.Errorf("%d bytes: %q %v", most, got, err)
	}
	var e *expression.Error
	if _, err := expression.Evaluate(strings.Repeat(" ", most)+"7", digits); !errors.As(err, &e) || e.At != most {
		t.Errorf("%d bytes: %v", most+1, err)
	}
	for _, row := range []struct{ before, after string }{{"(", ")"}, {"-", ""}, {"1^", ""}, {"F(", ")"}} {
		for _, deep := range []int{98, 101, 1400} {
			text := strings.Repeat(row.before, deep) + "1" + strings.Repeat(row.after, deep)
			_, err := expression.Evaluate(text, digits)
			if deep < 100 && err != nil || deep > 100 && (!errors.As(err, &e) || !strings.Contains(e.Reason, "nested") || e.At != 100*len(row.before)+len(row.before)-1) {
				t.Errorf("%d times %s: %v", deep, row.before, err)
			}
		}
	}
}

// TestTheWorkIsBounded: each step is small enough, all of them are not.
func TestTheWorkIsBounded(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("3000!*0+", 500) + "1", strings.Repeat("20000#*0+", 400) + "1", strings.Repeat("F(40000)*0+", 300) + "1",
		strings.Repeat("R(9999)%7+", 400) + "1", strings.Repeat("1e9999%7+", 400) + "1", strings.Repeat("3^20000%7+", 400) + "1",
		strings.Repeat("(3^9999*3^9999)*0+", 200) + "1",
	} {
		var e *expression.Error
		if _, err := expression.Evaluate(text, digits); !errors.As(err, &e) || !strings.Contains(e.Reason, "the expression too much work") || e.At == 0 {
			t.Errorf("%.20s: %v", text, err)
		}
	}
	many := strings.Repeat("1+", 2000) + "1"
	if got, err := expression.Evaluate(many, digits); got != "2001" {
		t.Errorf("2000 sums: %q %v", got, err)
	}
}

// TestLongNumbers: the digits themselves may be as many as are taken, in groups too.
func TestLongNumbers(t *testing.T) {
	const most = 10_000
	long := strings.Repeat("7", most)
	grouped := "7" + strings.Repeat(",777", (most-1)/3)
	if got, err := expression.Evaluate(long, most); got != long {
		t.Errorf("%.20s: %v", got, err)
	}
	if got, err := expression.Evaluate(grouped, most); got != long {
		t.Errorf("%.20s: %v", got, err)
	}
	var e *expression.Error
	if _, err := expression.Evaluate(long+"7", most); !errors.As(err, &e) || e.Digits != most+1 {
		t.Errorf("%d digits: %v", most+1, err)
	}
}

// TestPrimorial compares with trial division.
func TestPrimorial(t *testing.T) {
	product := big.NewInt(1)
	for n := int64(2); n <= 400; n++ {
		if big.NewInt(n).ProbablyPrime(0) { // exact below 2^64
			product.Mul(product, big.NewInt(n))
		}
		got, err := expression.Evaluate(big.NewInt(n).String()+"#", digits)
		if got != product.String() {
			t.Fatalf("%d#: %s %v, want %s", n, got, err, product)
		}
	}
}

func TestCaretOfALongText(t *testing.T) {
	text := strings.Repeat("1+", 100) + "×\t\x1b" + strings.Repeat("+1", 100)
	_, err := expression.Evaluate(text, digits)
	var e *expression.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	shown, under, _ := strings.Cut(e.Caret(text), "\n")
	before := "…" + strings.Repeat("1+", 20)
	if want := before + "× \ufffd" + strings.Repeat("+1", 13) + "+…"; shown != want {
		t.Errorf("%s, want %s", shown, want)
	}
	if want := strings.Repeat(" ", len([]rune(before))) + "^"; under != want {
		t.Errorf("%q, want %q", under, want)
	}
	if e.Error() != e.Reason+" (at byte 200)" {
		t.Errorf("%v", e)
	}
}

// TestCheck: the form of an expression is right or wrong without its value.
func TestCheck(t *testing.T) {
	for text, at := range map[string]int{"2^67-1": -1, "10^10^10": -1, "1/0": -1, "5-6": -1, "2^": 2, "15 21": 3, "": 0, "9!!": 2} {
		err := expression.Check(text, digits)
		var e *expression.Error
		if at < 0 && err != nil || at >= 0 && (!errors.As(err, &e) || e.At != at) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
