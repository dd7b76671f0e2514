// Package expression evaluates the integers that people type: 2^67-1, 30!+1,
// 1,000,007, 0xFFFF_FFFB, F(101).
//
// It is pure: a text in, decimal digits or an [*Error] out. It knows nothing of
// factors, callers or HTTP, and it holds no state.
//
//	sum     = product { ("+" | "-") product }
//	product = signed { ("*" | "/" | "%") signed }
//	signed  = { "+" | "-" } power
//	power   = postfix [ ("^" | "**") signed ]
//	postfix = operand { "!" | "#" }
//	operand = number | "(" sum ")" | ("F" | "L" | "M" | "R") "(" sum ")"
//
// So precedence is that of mathematics: ! and # bind tightest, ^ binds to the right
// and tighter than a sign, -2^2 is -4 and 2^3^2 is 512. All values are integers:
//
//   - a/b must leave no remainder, otherwise it is an error;
//   - a%b is the remainder with 0 <= a%b < |b|, also for a negative a;
//   - a^b needs b >= 0, and 0^0 is 1;
//   - n! is the factorial, n# the product of all primes up to n, both for n >= 0;
//     n!! is refused, because some read it as the double factorial and others as (n!)!;
//   - F(n) and L(n) are Fibonacci and Lucas numbers, with F(0) = 0 and L(0) = 2, M(p) is
//     2^p-1, and R(n) is the number of n digits 1, all for n >= 0, in capitals or not.
//
// A number is decimal, or hexadecimal, binary or octal after 0x, 0b or 0o. An
// underscore may stand between any two digits. Decimal digits may also come in groups
// of three, all separated by commas or all by white space: 1,000,007 or 1 000 007. A
// decimal number may have an exponent: 1e20. Between tokens there may be white space.
// The signs ×, · and − are taken for *, * and -.
//
// Every bound is checked before the work is done: the length of the text, its
// nesting, the digits of each value on the way, and the sum of the work. See limits.go.
//
// [Check] looks at the form alone. Start reading at [Evaluate]: scan.go cuts the text
// into tokens, parse.go puts them into postfix order, run.go computes, and
// operations.go has what takes more than one call of math/big.
package expression
