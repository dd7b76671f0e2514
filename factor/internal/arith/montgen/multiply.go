package main

// Offsets in montWords.
const (
	negAt = 0
	nAt   = 8
)

// twiceAt is where 2n is.
const twiceAt = nAt + 8*most

// multiply writes mulWords of k words.
func (g *generator) multiply(k int) {
	if k > widest {
		g.text("mulWords", k, 2*k+widest+1, "z, x, y *uint64, m *montWords", 4)
		g.f("MOVQ x+8(FP), SI")
		g.f("MOVQ y+16(FP), DI")
		at := 0
		for _, w := range blocks(k) {
			g.rectangle(k, at, w, at > 0)
			at += w
		}
		g.f("MOVQ m+24(FP), BP")
		g.f("MOVQ z+0(FP), DI")
		g.reduction(k)
		g.f("RET")
		return
	}
	g.text("mulWords", k, 1, "z, x, y *uint64, m *montWords", 4)
	g.f("MOVQ x+8(FP), SI")
	g.f("MOVQ y+16(FP), DI")
	g.f("MOVQ m+24(FP), BP")
	for i := range k {
		g.f("MOVQ %d(DI), DX", 8*i)
		if i == 0 {
			g.f("FIRST%d(0, SI%s)", k, accumulators(i, k))
		} else {
			g.f("ROW%d(0, SI%s)", k, accumulators(i, k))
		}
		g.f("MOVQ %s, DX", acc(i, 0, k))
		g.f("IMULQ %d(BP), DX", negAt)
		g.f("REDUCE%d(%d, BP%s)", k, nAt, accumulators(i, k))
	}
	g.f("MOVQ z+0(FP), DI")
	for j := range k {
		g.f("MOVQ %s, %d(DI)", acc(k, j, k), 8*j)
	}
	g.f("RET")
}

// rectangle writes the product of the block of w words at place at of x, SI, and all
// k words of y, DI, to the stack, to what is there if more.
func (g *generator) rectangle(k, at, w int, more bool) {
	for i := range k {
		g.f("MOVQ %d(DI), DX", 8*i)
		switch {
		case i == 0 && more: // the accumulators are zero
			g.f("FIRST%d(%d, SI%s)", w, 8*at, accumulators(i, w))
			g.f("ADDQ %d(SP), %s", 8*at, acc(i, 0, w))
			for j := 1; j <= w; j++ {
				g.f("ADCQ $0, %s", acc(i, j, w))
			}
		case i == 0:
			g.f("FIRST%d(%d, SI%s)", w, 8*at, accumulators(i, w))
		case more:
			g.f("ROWM%d(%d(SP), %d, SI%s)", w, 8*(at+i), 8*at, accumulators(i, w))
		default:
			g.f("ROW%d(%d, SI%s)", w, 8*at, accumulators(i, w))
		}
		g.f("MOVQ %s, %d(SP)", acc(i, 0, w), 8*(at+i))
	}
	for j := range w {
		g.f("MOVQ %s, %d(SP)", acc(k, j, w), 8*(at+k+j))
	}
}

// reduction writes what the 2k words on the stack are after Montgomery's reduction to
// DI, the modulus at BP.
func (g *generator) reduction(k int) {
	sizes := blocks(k)
	quotients := 2 * k // their place on the stack
	at := 0
	for b, w := range sizes {
		for j := range w {
			g.f("MOVQ %d(SP), %s", 8*(at+j), acc(0, j, w))
		}
		g.f("XORL %s, %s", acc(0, w, w), acc(0, w, w))
		for i := range w {
			g.f("MOVQ %s, DX", acc(i, 0, w))
			g.f("IMULQ %d(BP), DX", negAt)
			if k > w {
				g.f("MOVQ DX, %d(SP)", 8*(quotients+i))
			}
			g.f("REDUCE%d(%d, BP%s)", w, nAt, accumulators(i, w))
		}
		// The window stands for places at+w and above.
		for i := w; i < k; i++ {
			g.f("MOVQ %d(BP), DX", nAt+8*i)
			g.f("ROWM%d(%d(SP), %d, SP%s)", w, 8*(at+i), 8*quotients, accumulators(i, w))
			g.f("MOVQ %s, %d(SP)", acc(i, 0, w), 8*(at+i))
		}
		op := "ADDQ"
		if b > 0 { // the carry of the block before
			g.f("ADDQ $-1, %d(SP)", 8*carryAt(k))
			op = "ADCQ"
		}
		for j := range w {
			g.f("%s %d(SP), %s", op, 8*(at+k+j), acc(k, j, w))
			op = "ADCQ"
		}
		if b < len(sizes)-1 {
			g.f("SBBQ CX, CX")
			g.f("NEGQ CX")
			g.f("MOVQ CX, %d(SP)", 8*carryAt(k))
		}
		// What later blocks change is higher up, but for the last ones' rows.
		for j := range w {
			if b < len(sizes)-1 {
				g.f("MOVQ %s, %d(SP)", acc(k, j, w), 8*(at+k+j))
			} else {
				g.f("MOVQ %s, %d(DI)", acc(k, j, w), 8*(at+j))
			}
		}
		at += w
	}
	for i := range k - sizes[len(sizes)-1] {
		g.f("MOVQ %d(SP), CX", 8*(k+i))
		g.f("MOVQ CX, %d(DI)", 8*i)
	}
}

// carryAt is the place of a carry on the stack.
func carryAt(k int) int { return 2*k + widest }
