package main

import (
	"fmt"
	"strings"
)

// linear writes the sums and differences of k words, as macros and as functions.
func (g *generator) linear(k int) {
	g.sum(k)
	g.difference(k)
	g.text("addWords", k, 0, "z, x, y *uint64", 3)
	g.f("MOVQ z+0(FP), DI")
	g.f("MOVQ x+8(FP), SI")
	g.f("MOVQ y+16(FP), DX")
	g.f("SUM%d(0, DI, 0, SI, 0, DX)", k)
	g.f("RET")
	g.text("subWords", k, 0, "z, x, y *uint64, m *montWords", 4)
	g.f("MOVQ z+0(FP), DI")
	g.f("MOVQ x+8(FP), SI")
	g.f("MOVQ y+16(FP), DX")
	g.f("MOVQ m+24(FP), CX")
	g.f("DIFFERENCE%d(0, DI, 0, SI, 0, DX)", k)
	g.f("RET")
	g.conditional(k)
}

// define writes the macro that sets the words at zo(z) from those at xo(x) and yo(y).
func (g *generator) define(name string, k int, body []string) {
	fmt.Fprintf(g, "\n#define %s%d(zo, z, xo, x, yo, y) \\\n\t%s\n", name, k, strings.Join(body, "; \\\n\t"))
}

// sum writes SUM, x + y.
func (g *generator) sum(k int) {
	var body []string
	for j := range k {
		body = append(body,
			fmt.Sprintf("MOVQ (8*%d+xo)(x), AX", j),
			fmt.Sprintf("%s (8*%d+yo)(y), AX", carried(j, "ADDQ", "ADCQ"), j),
			fmt.Sprintf("MOVQ AX, (8*%d+zo)(z)", j))
	}
	g.define("SUM", k, body)
}

// difference writes DIFFERENCE, x - y + 2n with the constants at CX: first 2n - y, then
// the sum, eight words at a time.
func (g *generator) difference(k int) {
	var body []string
	f := func(format string, args ...any) { body = append(body, fmt.Sprintf(format, args...)) }
	registers := window[:8]
	for from := 0; from < k; from += len(registers) {
		part := registers[:min(len(registers), k-from)]
		if from > 0 {
			f("ADDQ AX, AX") // the borrow
		}
		for j, r := range part {
			f("MOVQ %d(CX), %s", twiceAt+8*(from+j), r)
			f("%s (8*%d+yo)(y), %s", carried(from+j, "SUBQ", "SBBQ"), from+j, r)
		}
		if from+len(part) < k {
			f("SBBQ AX, AX")
		}
		if from > 0 {
			f("ADDQ BX, BX") // the carry
		}
		for j, r := range part {
			f("%s (8*%d+xo)(x), %s", carried(from+j, "ADDQ", "ADCQ"), from+j, r)
			f("MOVQ %s, (8*%d+zo)(z)", r, from+j)
		}
		if from+len(part) < k {
			f("SBBQ BX, BX")
		}
	}
	g.define("DIFFERENCE", k, body)
}

// conditional writes reduceWords: z less n if it is not below n.
func (g *generator) conditional(k int) {
	g.text("reduceWords", k, k, "z *uint64, m *montWords", 2)
	g.f("MOVQ z+0(FP), DI")
	g.f("MOVQ m+8(FP), CX")
	for j := range k {
		g.f("MOVQ %d(DI), AX", 8*j)
		g.f("%s %d(CX), AX", carried(j, "SUBQ", "SBBQ"), nAt+8*j)
		g.f("MOVQ AX, %d(SP)", 8*j)
	}
	for j := range k {
		g.f("MOVQ %d(SP), AX", 8*j)
		g.f("CMOVQCS %d(DI), AX", 8*j)
		g.f("MOVQ AX, %d(DI)", 8*j)
	}
	g.f("RET")
}

// carried returns the instruction for word j of a chain.
func carried(j int, first, next string) string {
	if j == 0 {
		return first
	}
	return next
}
