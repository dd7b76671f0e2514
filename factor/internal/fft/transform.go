package fft

import (
	"math/bits"

	"fairfactor/factor/internal/cpu"
)

// cached is how many vectors a part of a transform has that is done layer by layer: 32 KB,
// which stay in the first cache.
const cached = 512

// layered does layers of transforms of vectors of one kind: blocks of a radix times l vectors
// each, from block b on.
type layered[V any] interface {
	layers(a, roots []V, blocks, l, b int, k kernel)
}

// transform sets a, whose length is a power of two, to the values of its polynomial at the
// roots of x^len(a) - 1, below 2p as its coefficients.
func (g *group) transform(a, roots []vec) { down(g, a, roots, 0, cached) }

// down is the transform of block b of a layer.
func down[V any](g layered[V], a, roots []V, b, cached int) {
	n := len(a)
	if n > cached {
		g.layers(a, roots, 1, n/4, b, fwd4)
		for i := range 4 {
			down(g, a[i*n/4:][:n/4], roots, 4*b+i, cached)
		}
		return
	}
	blocks := 1
	for ; n >= 4; n /= 4 {
		g.layers(a, roots, blocks, n/4, b, fwd4)
		blocks, b = 4*blocks, 4*b
	}
	if n == 2 {
		g.layers(a, roots, blocks, 1, b, fwd2)
	}
}

// invert undoes transform, but for a factor of len(a).
func (g *group) invert(a, roots []vec) { up(g, a, roots, 0, cached) }

// up undoes down, but for a factor of len(a).
func up[V any](g layered[V], a, roots []V, b, cached int) {
	n := len(a)
	if n > cached {
		for i := range 4 {
			up(g, a[i*n/4:][:n/4], roots, 4*b+i, cached)
		}
		g.layers(a, roots, 1, n/4, b, inv4)
		return
	}
	size := 1
	if bits.TrailingZeros(uint(n))%2 == 1 {
		g.layers(a, roots, n/2, 1, b*n/2, inv2)
		size = 2
	}
	for ; size < n; size *= 4 {
		blocks := n / size / 4
		g.layers(a, roots, blocks, size, b*blocks, inv4)
	}
}

// kernel is one layer of radix 2 or two of them at once, radix 4.
type kernel uint8

const (
	fwd2 kernel = iota
	fwd4
	inv2
	inv4
)

func (g *group) layers(a, roots []vec, blocks, l, b int, k kernel) {
	if cpu.IFMA {
		switch k {
		case fwd2:
			forward2(&a[0], blocks, l, &roots[2*b], g)
		case fwd4:
			forward4(&a[0], blocks, l, &roots[2*b], &roots[4*b], g)
		case inv2:
			inverse2(&a[0], blocks, l, &roots[2*b], g)
		case inv4:
			inverse4(&a[0], blocks, l, &roots[2*b], &roots[4*b], g)
		}
		return
	}
	radix := 2
	if k == fwd4 || k == inv4 {
		radix = 4
	}
	for i := range blocks {
		part, c := a[i*radix*l:][:radix*l], b+i
		switch k {
		case fwd2:
			g.butterflies(part, &roots[2*c], &roots[2*c+1])
		case fwd4:
			g.butterflies(part, &roots[2*c], &roots[2*c+1])
			g.butterflies(part[:2*l], &roots[4*c], &roots[4*c+1])
			g.butterflies(part[2*l:], &roots[4*c+2], &roots[4*c+3])
		case inv2:
			g.backflies(part, &roots[2*c], &roots[2*c+1])
		case inv4:
			g.backflies(part[:2*l], &roots[4*c], &roots[4*c+1])
			g.backflies(part[2*l:], &roots[4*c+2], &roots[4*c+3])
			g.backflies(part, &roots[2*c], &roots[2*c+1])
		}
	}
}

// shoup returns x w modulo p, below 2p, for x < 2^52; q is the quotient of w.
func shoup(x, w, q, p uint64) uint64 {
	hi, lo := bits.Mul64(x, q)
	return (x*w - (hi<<(64-limbBits)|lo>>limbBits)*p) & mask
}

// butterflies takes the halves u and v of a block to u + w v and u - w v.
//
//go:norace
func (g *group) butterflies(a []vec, w, q *vec) {
	half := len(a) / 2
	u, v := a[:half], a[half:][:half]
	for j := range u {
		for i := range lanes {
			t := shoup(v[j][i], w[i], q[i], g.p[i])
			x := u[j][i]
			s, d := x+t, x-t
			u[j][i] = min(s, s-g.twoP[i])
			v[j][i] = min(d, d+g.twoP[i])
		}
	}
}

// backflies undoes butterflies, but for a factor of two; w is the inverse root.
//
//go:norace
func (g *group) backflies(a []vec, w, q *vec) {
	half := len(a) / 2
	u, v := a[:half], a[half:][:half]
	for j := range u {
		for i := range lanes {
			s, d := u[j][i]+v[j][i], u[j][i]-v[j][i]
			u[j][i] = min(s, s-g.twoP[i])
			v[j][i] = shoup(min(d, d+g.twoP[i]), w[i], q[i], g.p[i])
		}
	}
}

// multiply sets each of z, which may be x or y, to x y/2^52 modulo p, below 2p as they
// are (Montgomery).
//
//go:norace
func (g *group) multiply(z, x, y []vec) {
	if cpu.IFMA {
		multiply(&z[0], &x[0], &y[0], len(z), g)
		return
	}
	for j := range z {
		for i := range lanes {
			hi, lo := bits.Mul64(x[j][i], y[j][i])
			hi, lo = hi<<(64-limbBits)|lo>>limbBits, lo&mask
			t, l := bits.Mul64(lo*g.inverse[i]&mask, g.p[i])
			r := hi - (t<<(64-limbBits) | l>>limbBits)
			z[j][i] = min(r, r+g.twoP[i])
		}
	}
}
