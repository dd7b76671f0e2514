package fft

// Products of linear factors, and values at many points, after Bernstein, "Fast
// multiplication and its applications" (2008), sections 18 to 20, with middle products in place
// of divisions (Bostan, Lecerf, Schost, "Tellegen's principle into practice", ISSAC 2003).
//
// A monic polynomial of degree m is its m lower coefficients. A node of a tree of degree m
// has two children of degree m/2, and a level of a tree is its nodes one behind the other.

// direct is the degree to which polynomials are multiplied coefficient by coefficient: at
// 120 digits a product takes 30 ns, and to bring a coefficient together from residues 100.
const direct = 4

// pollEvery is after how many coefficients of products the poller is asked.
const pollEvery = 1 << 10

// polls asks the poller after each pollEvery calls' worth of work.
func (r *Ring) polls(done *int, work int) bool {
	if *done += work; *done < pollEvery {
		return false
	}
	*done = 0
	return r.poller.Poll()
}

// up sets the nodes of dst, of degree 2m, to the products of two nodes of src each. It
// reports whether it was stopped.
func (r *Ring) up(dst, src []uint64, m int) (stopped bool) {
	size, done := m*r.k, 0
	for i := 0; i < len(src); i += 2 * size {
		a, b, z := src[i:][:size], src[i+size:][:size], dst[i:][:2*size]
		if m <= direct {
			r.upDirect(z, a, b, m)
		} else {
			r.transform(0, a, 2*m)
			r.transform(1, b, 2*m)
			r.multiply(0, 1)
			r.back(z[:2*size-r.k], 0, 0)
			clear(z[2*size-r.k:])
			r.addShifted(z[size:], a, b)
		}
		if r.polls(&done, 2*m) {
			return true
		}
	}
	return false
}

// addShifted adds the coefficients of a and b, which the leading ones of the other bring.
func (r *Ring) addShifted(z, a, b []uint64) {
	for i := 0; i < len(z); i += r.k {
		c := z[i:][:r.k]
		r.m.Add(c, c, a[i:][:r.k])
		r.m.Add(c, c, b[i:][:r.k])
	}
}

func (r *Ring) upDirect(z, a, b []uint64, m int) {
	k, t := r.k, r.term
	clear(z)
	for i := range m {
		for j := range m {
			c := z[(i+j)*k:][:k]
			r.m.Mul(t, a[i*k:][:k], b[j*k:][:k])
			r.m.Add(c, c, t)
		}
	}
	r.addShifted(z[m*k:], a, b)
}

// down takes the series of nodes of degree m, src, to those of their children, dst, which
// are children. A series is that of H/F in 1/x, where F is the node, from 1/x^m to 1/x:
// that of a child is the fractional part of its product with the other child.
func (r *Ring) down(dst, src, children []uint64, m int) (stopped bool) {
	half, done := m/2*r.k, 0
	for i := 0; i < len(src); i += 2 * half {
		s, a, b := src[i:][:2*half], children[i:][:half], children[i+half:][:half]
		if m <= 2*direct {
			r.downDirect(dst[i:][:half], s, b, m/2)
			r.downDirect(dst[i+half:][:half], s, a, m/2)
		} else {
			r.transform(0, s, m)
			for side, other := range [2][]uint64{b, a} {
				r.transform(1, other, m)
				r.multiply(1, 0)
				z := dst[i+side*half:][:half]
				r.back(z, 1, m/2)
				r.addTo(z, s)
			}
		}
		if r.polls(&done, 2*m) {
			return true
		}
	}
	return false
}

// addTo adds s to z, coefficient by coefficient.
func (r *Ring) addTo(z, s []uint64) {
	for i := 0; i < len(z); i += r.k {
		r.m.Add(z[i:][:r.k], z[i:][:r.k], s[i:][:r.k])
	}
}

func (r *Ring) downDirect(z, s, other []uint64, half int) {
	k, t := r.k, r.term
	copy(z, s[:half*k])
	for i := range half {
		c := z[i*k:][:k]
		for j := range half {
			r.m.Mul(t, other[j*k:][:k], s[(half+i-j)*k:][:k])
			r.m.Add(c, c, t)
		}
	}
}

// inverse sets z to 1/a modulo x^(len(a)), by Newton's iteration; the constant coefficient
// of a is one.
func (r *Ring) inverse(z, a []uint64) (stopped bool) {
	k, d := r.k, len(a)/r.k
	clear(z)
	copy(z, r.m.One)
	known := min(d, 16)
	for i := 1; i < known; i++ {
		c := z[i*k:][:k]
		for j := 1; j <= i; j++ {
			r.m.Mul(r.term, a[j*k:][:k], z[(i-j)*k:][:k])
			r.m.Sub(c, c, r.term)
		}
	}
	for ; known < d; known *= 2 {
		// What wraps around is the part of the product that is known: 1 0 0 ...
		e := known * k
		r.transform(0, a[:2*e], 2*known)
		r.transform(1, z[:e], 2*known)
		r.multiply(0, 1)
		more := z[e:][:e]
		r.back(more, 0, known)
		r.transform(0, more, 2*known)
		r.multiply(0, 1)
		r.back(more, 0, 0)
		for i := 0; i < e; i += k {
			r.negate(more[i:][:k])
		}
		if r.poller.Poll() {
			return true
		}
	}
	return false
}

// negate sets c to -c.
func (r *Ring) negate(c []uint64) {
	clear(r.term)
	r.m.Sub(c, r.term, c)
}

// Meeting is the room for the products of [Ring.Meet].
type Meeting struct {
	levels [][]uint64 // of the tree of babies
	giants [2][]uint64
}

// MeetBytes is what a meeting of that many points takes, with the transforms, for residues of
// that many words and bits.
func MeetBytes(count, words, size int) int {
	depth := 0
	for 1<<depth < count {
		depth++
	}
	room := (2*size + depth + 3 + lanes*primeBits) / (lanes * primeBits) * lanes // words of a coefficient of a transform
	if inQuads(size) {
		room = quadsOf(size, count) * quadLanes
	}
	return count*words*8*(depth+3) + room*count*(places*2+4)*8 // roots and inverse ones have quotients
}

// Meet returns the product of all differences of one of the giants and one of the babies:
// the polynomial whose roots are the giants, at each baby. There are as many giants as babies, a power
// of two, and those from babies on, which are zero, do not count. Both are overwritten.
// It returns nil if it was stopped.
func (r *Ring) Meet(babies, giants []uint64, count int, room *Meeting) []uint64 {
	k := r.k
	d := len(babies) / k
	depth := 0
	for 1<<depth < d {
		depth++
	}
	if len(room.levels) != depth+1 || len(room.levels[0]) != len(babies) {
		*room = Meeting{levels: make([][]uint64, depth+1)}
		for i := range room.levels {
			room.levels[i] = make([]uint64, len(babies))
		}
		for i := range room.giants {
			room.giants[i] = make([]uint64, len(babies))
		}
	}
	g, other := room.giants[0], room.giants[1]
	copy(room.levels[0], babies)
	copy(g, giants)
	for i := 0; i < len(babies); i += k {
		r.negate(room.levels[0][i:][:k])
		r.negate(g[i:][:k])
	}
	for level := range depth {
		if r.up(room.levels[level+1], room.levels[level], 1<<level) || r.up(other, g, 1<<level) {
			return nil
		}
		g, other = other, g
	}
	f := room.levels[depth]
	for i := 0; i < len(g); i += k { // the remainder of one modulo the other: both are monic
		r.m.Sub(g[i:][:k], g[i:][:k], f[i:][:k])
	}
	series := r.series(g, f, other)
	if series == nil {
		return nil
	}
	other = g
	for level := depth - 1; level >= 0; level-- {
		if r.down(other, series, room.levels[level], 2<<level) {
			return nil
		}
		series, other = other, series
	}
	product := append([]uint64(nil), r.m.One...)
	for i := range count {
		r.m.Mul(product, product, series[i*k:][:k])
	}
	return product
}

// series returns that of h/f in 1/x, where f is monic and h of a lower degree, from 1/x^d
// to 1/x. It overwrites f and h, and the result may be in other or a new one.
func (r *Ring) series(h, f, other []uint64) []uint64 {
	k, d := r.k, len(f)/r.k
	// In powers of y = 1/x, h/f is y times what both are from the other end.
	reverse(h, k)
	a := other
	copy(a, r.m.One)
	for i := 1; i < d; i++ {
		copy(a[i*k:][:k], f[(d-i)*k:][:k])
	}
	if r.inverse(f, a) {
		return nil
	}
	r.transform(0, h, 2*d)
	r.transform(1, f, 2*d)
	r.multiply(0, 1)
	r.back(other, 0, 0)
	reverse(other, k)
	return other
}

// reverse puts coefficients of k words in the other order.
func reverse(a []uint64, k int) {
	for i, j := 0, len(a)-k; i < j; i, j = i+k, j-k {
		for l := range k {
			a[i+l], a[j+l] = a[j+l], a[i+l]
		}
	}
}
