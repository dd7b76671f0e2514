package main

// square writes squareWords of k words: the products of different words once, in
// blocks, then twice that and the squares, then the reduction.
func (g *generator) square(k int) {
	g.text("squareWords", k, 2*k+widest+1, "z, x *uint64, m *montWords", 3)
	g.f("MOVQ x+8(FP), SI")
	written := make([]bool, 2*k) // words of the stack
	at := 0
	for _, w := range blocks(k) {
		g.triangle(at, w, written)
		at += w
	}
	at = 0
	for _, w := range blocks(k) {
		if at+w < k {
			g.beyond(k, at, w, written)
		}
		at += w
	}
	g.diagonal(k, written)
	g.f("MOVQ m+16(FP), BP")
	g.f("MOVQ z+0(FP), DI")
	g.reduction(k)
	g.f("RET")
}

// triangle writes the products of different words of a block to the stack. Each row
// leaves two words of the window behind.
func (g *generator) triangle(at, w int, written []bool) {
	free := append([]string{}, window[:w+1]...)
	var live []string
	take := func() (r string) {
		r, free = free[0], free[1:]
		return r
	}
	for i := range w - 1 {
		c := w - 1 - i
		if i == 0 {
			for range c {
				live = append(live, take())
			}
		}
		live = append(live, take())
		g.f("MOVQ %d(SI), DX", 8*(at+i))
		name := "ROW"
		if i == 0 {
			name = "FIRST"
		}
		g.f("%s%d(%d, SI%s)", name, c, 8*(at+i+1), list(live))
		for j := range 2 {
			g.f("MOVQ %s, %d(SP)", live[j], 8*(2*at+2*i+1+j))
			written[2*at+2*i+1+j] = true
		}
		free = append(free, live[:2]...)
		live = live[2:]
	}
}

// list returns the registers as arguments that follow others.
func list(registers []string) (s string) {
	for _, r := range registers {
		s += ", " + r
	}
	return s
}

// beyond adds the products of the block of w words at place at and the words behind
// it to the stack.
func (g *generator) beyond(k, at, w int, written []bool) {
	from := at + w
	for i := from; i < k; i++ {
		a := accumulators(i-from, w)
		g.f("MOVQ %d(SI), DX", 8*i)
		switch {
		case i == from:
			g.f("FIRST%d(%d, SI%s)", w, 8*at, a)
			if written[at+i] {
				g.f("ADDQ %d(SP), %s", 8*(at+i), acc(0, 0, w))
				for j := 1; j <= w; j++ {
					g.f("ADCQ $0, %s", acc(0, j, w))
				}
			}
		case written[at+i]:
			g.f("ROWM%d(%d(SP), %d, SI%s)", w, 8*(at+i), 8*at, a)
		default:
			g.f("ROW%d(%d, SI%s)", w, 8*at, a)
		}
		g.f("MOVQ %s, %d(SP)", acc(i-from, 0, w), 8*(at+i))
		written[at+i] = true
	}
	op := "ADDQ"
	for j := range 2*k - (at + k) {
		place, r := at+k+j, "BX"
		if j < w {
			r = acc(k-from, j, w)
		} else {
			g.f("MOVL $0, BX")
		}
		if written[place] {
			g.f("%s %d(SP), %s", op, 8*place, r)
			op = "ADCQ"
		} else if op == "ADCQ" {
			g.f("ADCQ $0, %s", r)
		}
		g.f("MOVQ %s, %d(SP)", r, 8*place)
		written[place] = true
	}
}

// diagonal doubles what is on the stack and adds the squares.
func (g *generator) diagonal(k int, written []bool) {
	g.f("XORL AX, AX") // clears both carries
	for i := range k {
		g.f("MOVQ %d(SI), DX", 8*i)
		g.f("MULXQ DX, BX, CX")
		for j, v := range []string{"BX", "CX"} {
			place := 2*i + j
			if written[place] {
				g.f("MOVQ %d(SP), R8", 8*place)
			} else {
				g.f("MOVL $0, R8")
			}
			g.f("ADCXQ R8, R8")
			g.f("ADOXQ %s, R8", v)
			g.f("MOVQ R8, %d(SP)", 8*place)
		}
	}
}
