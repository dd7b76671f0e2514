package main

import "fmt"

// scratchAt is where the scratch of points is in montWords, of that many words each.
const scratchAt = twiceAt + 8*most

// operand is an argument of a function, as the assembler names it, and an offset.
type operand struct {
	name string
	at   int
}

// points writes the operations on points of Montgomery curves: x is in the first k
// words, z in the next. They call mulWords and squareWords, with their arguments on the
// stack.
func (g *generator) points(k int) {
	g.pointAdd(k)
	g.pointDouble(k)
	g.meet(k)
}

// scratch returns the place i of the scratch, where the constants are argument m.
func scratch(m string, i int) operand { return operand{m, scratchAt + 8*most*i} }

// linearOn writes SUM or DIFFERENCE.
func (g *generator) linearOn(name string, k int, m string, z, x, y operand) {
	g.f("MOVQ %s, SI", x.name)
	g.f("MOVQ %s, DX", y.name)
	g.f("MOVQ %s, CX", m)
	g.f("MOVQ %s, DI", z.name)
	g.f("%s%d(%d, DI, %d, SI, %d, DX)", name, k, z.at, x.at, y.at)
}

// product writes a call of mulWords, or squareWords if both operands are one.
func (g *generator) product(k int, m string, z, x, y operand) {
	args := []operand{z, x, y, {m, 0}}
	name := "mulWords"
	if x == y && k >= leastSquare {
		args, name = []operand{z, x, {m, 0}}, "squareWords"
	}
	for i, a := range args {
		g.f("MOVQ %s, AX", a.name)
		if a.at != 0 {
			g.f("ADDQ $%d, AX", a.at)
		}
		g.f("MOVQ AX, %d(SP)", 8*i)
	}
	g.f("CALL ·%s%d(SB)", name, k)
}

// copyTo writes a copy of k words.
func (g *generator) copyTo(k int, z, x operand) {
	g.f("MOVQ %s, SI", x.name)
	g.f("MOVQ %s, DI", z.name)
	for j := range k {
		g.f("MOVQ %d(SI), AX", x.at+8*j)
		g.f("MOVQ AX, %d(DI)", z.at+8*j)
	}
}

func (g *generator) pointAdd(k int) {
	g.text("pointAddWords", k, 4, "r, p, q, d *uint64, m *montWords", 5)
	const r, p, q, d, m = "r+0(FP)", "p+8(FP)", "q+16(FP)", "d+24(FP)", "m+32(FP)"
	u, v, w := scratch(m, 0), scratch(m, 1), scratch(m, 2)
	x := func(of string) operand { return operand{of, 0} }
	z := func(of string) operand { return operand{of, 8 * k} }
	g.linearOn("DIFFERENCE", k, m, u, x(p), z(p))
	g.linearOn("SUM", k, m, v, x(q), z(q))
	g.product(k, m, u, u, v)
	g.linearOn("SUM", k, m, w, x(p), z(p))
	g.linearOn("DIFFERENCE", k, m, v, x(q), z(q))
	g.product(k, m, v, w, v)
	g.linearOn("SUM", k, m, w, u, v)
	g.linearOn("DIFFERENCE", k, m, v, u, v)
	g.product(k, m, w, w, w)
	g.product(k, m, v, v, v)
	g.product(k, m, w, w, z(d))
	g.product(k, m, z(r), v, x(d))
	g.copyTo(k, x(r), w)
	g.f("RET")
}

func (g *generator) pointDouble(k int) {
	g.text("pointDoubleWords", k, 4, "r, p, a *uint64, m *montWords", 4)
	const r, p, a, m = "r+0(FP)", "p+8(FP)", "a+16(FP)", "m+24(FP)"
	u, v, w, s := scratch(m, 0), scratch(m, 1), scratch(m, 2), scratch(m, 3)
	x, z := operand{r, 0}, operand{r, 8 * k}
	g.linearOn("SUM", k, m, u, operand{p, 0}, operand{p, 8 * k})
	g.linearOn("DIFFERENCE", k, m, v, operand{p, 0}, operand{p, 8 * k})
	g.product(k, m, u, u, u)
	g.product(k, m, v, v, v)
	g.linearOn("DIFFERENCE", k, m, w, u, v)
	g.product(k, m, x, u, v)
	g.product(k, m, s, w, operand{a, 0})
	g.linearOn("SUM", k, m, s, s, v)
	g.product(k, m, z, w, s)
	g.f("RET")
}

// meet writes meetWords: acc times x less one of the babies, for each of the hits.
func (g *generator) meet(k int) {
	g.text("meetWords", k, 5, "acc, x, babies *uint64, hits *uint16, count int, m *montWords", 6)
	const acc, x, babies, hits, count, m = "acc+0(FP)", "x+8(FP)", "babies+16(FP)", "hits+24(FP)", "count+32(FP)", "m+40(FP)"
	u := scratch(m, 0)
	g.f("MOVQ $0, 32(SP)")
	fmt.Fprintln(g, "next:")
	g.f("MOVQ 32(SP), AX")
	g.f("CMPQ AX, %s", count)
	g.f("JGE done")
	g.f("MOVQ %s, BX", hits)
	g.f("MOVWQZX (BX)(AX*2), DX")
	g.f("INCQ AX")
	g.f("MOVQ AX, 32(SP)")
	g.f("IMUL3Q $%d, DX, DX", 8*k)
	g.f("ADDQ %s, DX", babies)
	g.f("MOVQ %s, SI", x)
	g.f("MOVQ %s, DI", m)
	g.f("MOVQ DI, CX")
	g.f("DIFFERENCE%d(%d, DI, 0, SI, 0, DX)", k, u.at)
	g.product(k, m, operand{acc, 0}, operand{acc, 0}, u)
	g.f("JMP next")
	fmt.Fprintln(g, "done:")
	g.f("RET")
}
