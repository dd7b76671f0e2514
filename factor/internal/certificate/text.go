package certificate

import (
	"fmt"
	"math/big"
	"strings"
)

// String returns the certificate as PARI/GP writes it, in one line.
func (c *Certificate) String() string { return string(c.append(nil)) }

// append appends the text of the certificate.
func (c *Certificate) append(b []byte) []byte {
	switch {
	case len(c.Steps) > 0:
		for i := range c.Steps {
			s := &c.Steps[i]
			b = append(b, separator(i)...)
			for j, v := range []*big.Int{s.N, s.T, s.S, s.A} {
				b = v.Append(append(b, separator(j)...), 10)
			}
			b = s.X.Append(append(b, ", ["...), 10)
			b = s.Y.Append(append(b, ", "...), 10)
			b = append(b, "]]"...)
		}
		return append(b, ']')
	case len(c.Factors) > 0:
		b = c.N.Append(append(b, '['), 10)
		b = append(b, ", "...)
		for i := range c.Factors {
			f := &c.Factors[i]
			b = append(b, separator(i)...)
			if f.Proof == nil {
				b = f.P.Append(b, 10)
				continue
			}
			b = f.P.Append(append(b, '['), 10)
			b = f.Base.Append(append(b, ", "...), 10)
			b = f.Proof.append(append(b, ", "...))
			b = append(b, ']')
		}
		return append(b, "]]"...)
	}
	return c.N.Append(b, 10)
}

// separator is what stands before element i of a vector.
func separator(i int) string {
	if i == 0 {
		return "["
	}
	return ", "
}

// Parse reads a certificate: [ErrText] if the text has another form. Whether it holds is for [Check] to
// say. White space may stand between numbers.
func Parse(text string) (*Certificate, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrText, MaxBytes)
	}
	p := parser{text: text}
	v, ok := p.value(0)
	p.space()
	if !ok || p.text != "" {
		return nil, fmt.Errorf("%w: at byte %d", ErrText, len(text)-len(p.text)+1)
	}
	c := certificateOf(v)
	if c == nil {
		return nil, fmt.Errorf("%w: neither N, nor [[N, t, s, a, [x, y]], ...], nor [N, [p, ...]]", ErrText)
	}
	return c, nil
}

// value is a number, or a vector of values.
type value struct {
	number *big.Int
	vector []value
}

// parser reads values from the text that is left.
type parser struct{ text string }

func (p *parser) space() { p.text = strings.TrimLeft(p.text, " \t\r\n") }

// take takes a byte if it comes next, after white space.
func (p *parser) take(c byte) bool {
	p.space()
	if p.text == "" || p.text[0] != c {
		return false
	}
	p.text = p.text[1:]
	return true
}

// value reads a value inside of depth brackets.
func (p *parser) value(depth int) (v value, ok bool) {
	if !p.take('[') {
		return p.number()
	}
	if depth == maxDepth {
		return v, false
	}
	for {
		inner, ok := p.value(depth + 1)
		if !ok {
			return v, false
		}
		v.vector = append(v.vector, inner)
		if p.take(']') {
			return v, true
		}
		if !p.take(',') {
			return v, false
		}
	}
}

// number reads a number of canonical digits.
func (p *parser) number() (v value, ok bool) {
	end := 0
	if strings.HasPrefix(p.text, "-") {
		end++
	}
	first := end
	for end < len(p.text) && p.text[end]-'0' <= 9 {
		end++
	}
	digits := p.text[first:end]
	if digits == "" || digits[0] == '0' && p.text[:end] != "0" || len(digits) > MaxBits/3 {
		return v, false
	}
	v.number, ok = new(big.Int).SetString(p.text[:end], 10)
	p.text = p.text[end:]
	return v, ok && v.number.BitLen() <= MaxBits
}

// certificateOf returns what a value says, nil if it is no certificate.
func certificateOf(v value) *Certificate {
	switch {
	case v.number != nil:
		return &Certificate{N: v.number}
	case v.vector[0].number == nil:
		return stepsOf(v.vector)
	case len(v.vector) == 2 && v.vector[1].number == nil:
		return factorsOf(v.vector[0].number, v.vector[1].vector)
	}
	return nil
}

// stepsOf returns a certificate by elliptic curves, nil if the vector has another form.
func stepsOf(vector []value) *Certificate {
	c := &Certificate{Steps: make([]Step, len(vector))}
	for i, v := range vector {
		if len(v.vector) != 5 || len(v.vector[4].vector) != 2 {
			return nil
		}
		s := &c.Steps[i]
		parts := append(v.vector[:4:4], v.vector[4].vector...)
		for j, to := range []**big.Int{&s.N, &s.T, &s.S, &s.A, &s.X, &s.Y} {
			if *to = parts[j].number; *to == nil {
				return nil
			}
		}
	}
	c.N = c.Steps[0].N
	return c
}

// factorsOf returns a certificate by factors of n - 1, nil if the vector has another form.
func factorsOf(n *big.Int, vector []value) *Certificate {
	c := &Certificate{N: n, Factors: make([]Factor, len(vector))}
	for i, v := range vector {
		f := &c.Factors[i]
		if v.number != nil {
			f.P = v.number
			continue
		}
		if len(v.vector) != 3 || v.vector[0].number == nil || v.vector[1].number == nil {
			return nil
		}
		f.P, f.Base, f.Proof = v.vector[0].number, v.vector[1].number, certificateOf(v.vector[2])
		if f.Proof == nil || len(f.Proof.Factors) == 0 {
			return nil
		}
	}
	return c
}
