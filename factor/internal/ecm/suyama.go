package ecm

// suyama is the curve of a small parameter s of Suyama's: with u = s^2-5 and v = 4s, its
// point is u^3 : v^3, and (A+2)/4 = (v-u)^3 (3u+v) / (16 u^3 v), whose numerator is
// negative. Its order is a multiple of 12 modulo every prime.
type suyama struct{ u3, v3, w3, t, v16 uint64 }

// suyamaCurve returns curve number i, of the parameter 6+i: smaller ones give no curve, or
// a point of small order. The numbers need no more than 64 bits up to i = 1,500; above, the
// order is that of any curve.
func suyamaCurve(i uint64) suyama {
	s := 6 + i
	u, v := s*s-5, 4*s
	w := u - v
	return suyama{u * u * u, v * v * v, w * w * w, 3*u + v, 16 * v}
}
