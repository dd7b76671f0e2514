package main

// wide writes the sums of products that are reduced once: wideWords and narrowWords.
func (g *generator) wide(k int) {
	g.accumulate(k)
	g.narrow(k)
}

// accumulate writes wideWords: the 2k words of z and x*y, which have room in them.
func (g *generator) accumulate(k int) {
	g.text("wideWords", k, 1, "z, x, y *uint64", 3)
	g.f("MOVQ z+0(FP), BP")
	g.f("MOVQ x+8(FP), SI")
	g.f("MOVQ y+16(FP), DI")
	at := 0
	for _, w := range blocks(k) {
		for i := range k {
			g.f("MOVQ %d(DI), DX", 8*i)
			if i == 0 {
				g.f("FIRST%d(%d, SI%s)", w, 8*at, accumulators(i, w))
				g.f("ADDQ %d(BP), %s", 8*at, acc(i, 0, w))
				for j := 1; j <= w; j++ {
					g.f("ADCQ $0, %s", acc(i, j, w))
				}
			} else {
				g.f("ROWM%d(%d(BP), %d, SI%s)", w, 8*(at+i), 8*at, accumulators(i, w))
			}
			g.f("MOVQ %s, %d(BP)", acc(i, 0, w), 8*(at+i))
		}
		for j := range k - at {
			if j < w {
				g.f("%s %s, %d(BP)", carried(j, "ADDQ", "ADCQ"), acc(k, j, w), 8*(at+k+j))
			} else {
				g.f("ADCQ $0, %d(BP)", 8*(at+k+j))
			}
		}
		at += w
	}
	g.f("RET")
}

// narrow writes narrowWords: Montgomery's reduction of a - b + more R, a and b of 2k words,
// which is not below zero nor R^2 or more.
func (g *generator) narrow(k int) {
	g.text("narrowWords", k, 2*k+widest+1, "z, a, b, more *uint64, m *montWords", 5)
	g.f("MOVQ a+8(FP), SI")
	g.f("MOVQ b+16(FP), DI")
	for j := range 2 * k {
		g.f("MOVQ %d(SI), AX", 8*j)
		g.f("%s %d(DI), AX", carried(j, "SUBQ", "SBBQ"), 8*j)
		g.f("MOVQ AX, %d(SP)", 8*j)
	}
	g.f("MOVQ more+24(FP), SI")
	for j := range k {
		g.f("MOVQ %d(SI), AX", 8*j)
		g.f("%s AX, %d(SP)", carried(j, "ADDQ", "ADCQ"), 8*(k+j))
	}
	g.f("MOVQ m+32(FP), BP")
	g.f("MOVQ z+0(FP), DI")
	g.reduction(k)
	g.f("RET")
}
