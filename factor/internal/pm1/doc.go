// Package pm1 is the p-1 method (Pollard, Proc. Camb. Phil. Soc. 76 (1974), 521-528) and
// the p+1 method (Williams, Math. Comp. 39 (1982), 225-234): they find a prime p at once
// if p - 1, or p + 1, has small prime factors only, all below B1 but one below B2.
//
// Stage 1 raises 3 to the product of all prime powers below B1, or takes the term of that
// index of a Lucas sequence V(k+1) = P V(k) - V(k-1). Stage 2 is the same for both, since
// x^k + x^-k is such a sequence: a prime m D + j or m D - j is met by V(m D) - V(j)
// (Montgomery, Math. Comp. 48 (1987), 243-264, section 9), one multiplication a prime or two.
//
// Start reading at [Plan] for the bounds, and at [Runner.Run] for the work of a turn.
package pm1
