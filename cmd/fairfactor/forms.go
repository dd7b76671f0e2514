package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"fairfactor"
	"fairfactor/factor"
)

// form is what factor prints of a number.
type form struct {
	json                            bool
	exponents, divisors, sigma, phi bool
	certificate                     bool
}

func (f *form) addFlags(fs *pflag.FlagSet) {
	fs.Bool("help", false, "help for factor") // -h is for exponents, as with GNU factor
	onlyTyped(fs, "help")
	fs.BoolVarP(&f.exponents, "exponents", "h", false, "print repeated primes as p^e")
	fs.BoolVar(&f.divisors, "divisors", false, fmt.Sprintf("print all divisors, ascending, at most %d", maxDivisors))
	fs.BoolVar(&f.sigma, "sigma", false, "print the sum of the divisors")
	fs.BoolVar(&f.phi, "phi", false, "print how many numbers up to N have no factor in common with N (Euler's totient)")
	fs.BoolVar(&f.certificate, "certificate", false, fmt.Sprintf("print a certificate of primality of each prime of up to %d digits", factor.CertifiableDigits))
	fs.BoolVar(&f.json, "json", false, "print one JSON object a line")
}

// check refuses forms that exclude each other: a line has room for one.
func (f *form) check() error {
	chosen := 0
	for _, b := range []bool{f.exponents, f.divisors, f.sigma, f.phi} {
		if b {
			chosen++
		}
	}
	switch {
	case f.json && f.exponents:
		return fairfactor.Errorf(fairfactor.Invalid, "--exponents and --json exclude each other: the object has exponents anyway")
	case chosen > 1 && !f.json:
		return fairfactor.Errorf(fairfactor.Invalid, "a line has room for one of --exponents, --divisors, --sigma and --phi: choose one, or add --json")
	case f.certificate && (f.divisors || f.sigma || f.phi) && !f.json:
		return fairfactor.Errorf(fairfactor.Invalid, "--certificate is about primes, which --divisors, --sigma and --phi do not print: add --json")
	}
	return nil
}

// plain reports whether lines have the primes and nothing else.
func (f *form) plain() bool { return *f == form{} }

// maxDivisors is the most divisors that are listed of a number.
const maxDivisors = 100_000

// tooMany is the error of a number with more divisors than are listed, nil for others.
func tooMany(number string, primes []factor.Prime) error {
	count := big.NewInt(1)
	for _, p := range primes {
		count.Mul(count, big.NewInt(int64(p.Exponent)+1))
	}
	if count.Cmp(big.NewInt(maxDivisors)) <= 0 {
		return nil
	}
	return fairfactor.Errorf(fairfactor.Limit, "%.60s has %s divisors, more than the %d that are listed", number, count, maxDivisors)
}

// divisorsOf lists the divisors of a number, ascending.
func divisorsOf(primes []factor.Prime) []string {
	all := []*big.Int{big.NewInt(1)}
	for _, p := range primes {
		v, _ := new(big.Int).SetString(p.P, 10)
		with := all
		for range p.Exponent {
			next := make([]*big.Int, len(with))
			for i, d := range with {
				next[i] = new(big.Int).Mul(d, v)
			}
			all, with = slices.Concat(all, next), next
		}
	}
	slices.SortFunc(all, (*big.Int).Cmp)
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = d.String()
	}
	return texts
}

// sigmaOf is the sum of the divisors of a number.
func sigmaOf(primes []factor.Prime) string {
	return productOver(primes, func(p *big.Int, e int) *big.Int {
		one := big.NewInt(1)
		above := new(big.Int).Exp(p, big.NewInt(int64(e)+1), nil)
		return above.Quo(above.Sub(above, one), new(big.Int).Sub(p, one))
	})
}

// phiOf is Euler's totient of a number.
func phiOf(primes []factor.Prime) string {
	return productOver(primes, func(p *big.Int, e int) *big.Int {
		below := new(big.Int).Exp(p, big.NewInt(int64(e)-1), nil)
		return below.Mul(below, new(big.Int).Sub(p, big.NewInt(1)))
	})
}

// productOver multiplies what a multiplicative function is at the powers of primes.
func productOver(primes []factor.Prime, at func(p *big.Int, e int) *big.Int) string {
	product := big.NewInt(1)
	for _, f := range primes {
		p, _ := new(big.Int).SetString(f.P, 10)
		product.Mul(product, at(p, f.Exponent))
	}
	return product.String()
}

// writeLine writes an answer as GNU factor does, or what the form asks for, and then a line
// for each certificate.
func (f *form) writeLine(out *bufio.Writer, a answer) {
	out.WriteString(a.number)
	out.WriteByte(':')
	switch {
	case f.divisors:
		out.WriteString(" " + strings.Join(divisorsOf(a.primes), " "))
	case f.sigma:
		out.WriteString(" " + sigmaOf(a.primes))
	case f.phi:
		out.WriteString(" " + phiOf(a.primes))
	case f.exponents:
		for _, p := range a.primes {
			out.WriteString(" " + p.P)
			if p.Exponent > 1 {
				out.WriteString("^" + strconv.Itoa(p.Exponent))
			}
		}
	default:
		for _, p := range a.primes {
			for range p.Exponent {
				out.WriteByte(' ')
				out.WriteString(p.P)
			}
		}
	}
	out.WriteByte('\n')
	for _, text := range a.certificates {
		if text != "" {
			out.WriteString(text)
			out.WriteByte('\n')
		}
	}
}

// members are those of the JSON object that the form asks for, of an answer that has
// all primes.
func (f *form) members(a *answer) string {
	text := ""
	if f.divisors {
		list, _ := json.Marshal(divisorsOf(a.primes)) // digits
		text += `,"divisors":` + string(list)
	}
	if f.sigma {
		text += fmt.Sprintf(`,"sigma":%q`, sigmaOf(a.primes))
	}
	if f.phi {
		text += fmt.Sprintf(`,"phi":%q`, phiOf(a.primes))
	}
	if f.certificate {
		var members strings.Builder
		for i, c := range a.certificates {
			if c != "" {
				appendMember(&members, fmt.Sprintf("%q:%q", a.primes[i].P, c))
			}
		}
		text += `,"certificates":{` + members.String() + "}"
	}
	return text
}
