package fft

import (
	"math"

	"fairfactor/factor/internal/cpu"
)

// quadCached is cached for quads: 32 KB.
const quadCached = 1024

// transform is [group.transform]: coefficients are below 3.13 p in absolute value, and values
// too.
func (g *quadGroup) transform(a, roots []quad) { down(g, a, roots, 0, quadCached) }

// leastGrown is the length from which on grow is faster than transform.
const leastGrown = 64

// grow is transform for coefficients below 1.01 p whose upper half is zero, whatever is there.
func (g *quadGroup) grow(a, roots []quad) {
	l := len(a) / 4
	if cpu.AVX2 {
		quadGrow(&a[0], l, &roots[2], g)
	} else {
		g.growGo(a, roots[2:][:2])
	}
	for i := range 4 {
		down(g, a[i*l:][:l], roots, i, quadCached)
	}
}

// growGo is the first two layers of grow: the other roots are one.
//
//go:norace
func (g *quadGroup) growGo(a, w []quad) {
	l := len(a) / 4
	for j := range l {
		for i, p := range g.p {
			x, y := a[j][i], a[l+j][i]
			z := times(y, w[0][i], w[1][i], p)
			a[j][i], a[l+j][i], a[2*l+j][i], a[3*l+j][i] = x+y, x-y, x+z, x-z
		}
	}
}

// invert undoes transform, but for a factor of len(a): values and coefficients are below
// 1.01 p in absolute value.
func (g *quadGroup) invert(a, roots []quad) { up(g, a, roots, 0, quadCached) }

func (g *quadGroup) layers(a, roots []quad, blocks, l, b int, k kernel) {
	if cpu.AVX2 {
		switch k {
		case fwd2:
			quadForward2(&a[0], blocks, l, &roots[2*b], g)
		case fwd4:
			quadForward4(&a[0], blocks, l, &roots[2*b], &roots[4*b], g)
		case inv2:
			quadInverse2(&a[0], blocks, l, &roots[2*b], g)
		case inv4:
			quadInverse4(&a[0], blocks, l, &roots[2*b], &roots[4*b], g)
		}
		return
	}
	g.layersGo(a, roots, blocks, l, b, k)
}

// layersGo is layers without assembly.
func (g *quadGroup) layersGo(a, roots []quad, blocks, l, b int, k kernel) {
	radix := 2
	if k == fwd4 || k == inv4 {
		radix = 4
	}
	for i := range blocks {
		part, c := a[i*radix*l:][:radix*l], b+i
		switch k {
		case fwd2:
			g.forward2(part, roots[2*c:][:2])
		case fwd4:
			g.forward4(part, roots[2*c:][:2], roots[4*c:][:4])
		case inv2:
			g.inverse2(part, roots[2*c:][:2])
		case inv4:
			g.inverse4(part, roots[2*c:][:2], roots[4*c:][:4])
		}
	}
}

// forward2 takes the halves x and y of a block to x + w y and x - w y.
//
//go:norace
func (g *quadGroup) forward2(a, w []quad) {
	half := len(a) / 2
	for j := range half {
		for i, p := range g.p {
			x, y := lessen(a[j][i], p, g.over[i]), times(a[half+j][i], w[0][i], w[1][i], p)
			a[j][i], a[half+j][i] = x+y, x-y
		}
	}
}

// forward4 is two layers of forward2, but for what is reduced.
//
//go:norace
func (g *quadGroup) forward4(a, w, v []quad) {
	l := len(a) / 4
	for j := range l {
		for i, p := range g.p {
			x0, x1 := lessen(a[j][i], p, g.over[i]), a[l+j][i]
			x2, x3 := times(a[2*l+j][i], w[0][i], w[1][i], p), times(a[3*l+j][i], w[0][i], w[1][i], p)
			x0, x2 = x0+x2, x0-x2
			x1, x3 = times(x1+x3, v[0][i], v[1][i], p), times(x1-x3, v[2][i], v[3][i], p)
			a[j][i], a[l+j][i], a[2*l+j][i], a[3*l+j][i] = x0+x1, x0-x1, x2+x3, x2-x3
		}
	}
}

// inverse2 undoes forward2, but for a factor of two; w is the inverse root.
//
//go:norace
func (g *quadGroup) inverse2(a, w []quad) {
	half := len(a) / 2
	for j := range half {
		for i, p := range g.p {
			x, y := a[j][i], a[half+j][i]
			a[j][i], a[half+j][i] = lessen(x+y, p, g.over[i]), times(x-y, w[0][i], w[1][i], p)
		}
	}
}

// inverse4 undoes forward4, but for a factor of four.
//
//go:norace
func (g *quadGroup) inverse4(a, w, v []quad) {
	l := len(a) / 4
	for j := range l {
		for i, p := range g.p {
			x0, x1, x2, x3 := a[j][i], a[l+j][i], a[2*l+j][i], a[3*l+j][i]
			x0, x1 = lessen(x0+x1, p, g.over[i]), times(x0-x1, v[0][i], v[1][i], p)
			x2, x3 = lessen(x2+x3, p, g.over[i]), times(x2-x3, v[2][i], v[3][i], p)
			a[j][i], a[l+j][i] = x0+x2, lessen(x1+x3, p, g.over[i])
			a[2*l+j][i], a[3*l+j][i] = times(x0-x2, w[0][i], w[1][i], p), times(x1-x3, w[0][i], w[1][i], p)
		}
	}
}

// multiply sets each of z, which may be x or y, to x y modulo p, below 0.7 p in absolute
// value.
func (g *quadGroup) multiply(z, x, y []quad) {
	if cpu.AVX2 {
		quadMultiply(&z[0], &x[0], &y[0], len(z), g)
		return
	}
	g.multiplyGo(z, x, y)
}

//go:norace
func (g *quadGroup) multiplyGo(z, x, y []quad) {
	for j := range z {
		for i, p := range g.p {
			a, b := lessen(x[j][i], p, g.over[i]), lessen(y[j][i], p, g.over[i])
			h := float64(a * b)
			t := math.RoundToEven(float64(h * g.over[i]))
			low := math.FMA(a, b, -h)
			z[j][i] = math.FMA(-t, p, h) + low
		}
	}
}
