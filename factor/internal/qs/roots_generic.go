package qs

// meetGeneric is meet in Go.
func (s *sieveRoots) meetGeneric(pos uint16) {
	n := len(s.p)
	p, inv, limit, r1, r2 := s.p, s.inv[:n], s.max[:n], s.r1[:n], s.r2[:n]
	for w := range s.mask {
		m := uint32(0)
		for i := w * rootBlock; i < (w+1)*rootBlock && i < n; i++ {
			d := pos + p[i]
			if (d-r1[i])*inv[i] <= limit[i] || (d-r2[i])*inv[i] <= limit[i] {
				m |= 1 << (i % rootBlock)
			}
		}
		s.mask[w] = m
	}
}

// stepGeneric is step in Go: the smaller one of r and r-p, as numbers without
// sign, is r mod p.
func (s *sieveRoots) stepGeneric(d []uint16) {
	n := len(d)
	p, r1, r2 := s.p[:n], s.r1[:n], s.r2[:n]
	for i, d := range d {
		a, b := r1[i]+d, r2[i]+d
		r1[i], r2[i] = min(a, a-p[i]), min(b, b-p[i])
	}
}

// stepBackGeneric is stepBack in Go.
func (s *sieveRoots) stepBackGeneric(d []uint16) {
	n := len(d)
	p, r1, r2 := s.p[:n], s.r1[:n], s.r2[:n]
	for i, d := range d {
		a, b := r1[i]-d, r2[i]-d
		r1[i], r2[i] = min(a, a+p[i]), min(b, b+p[i])
	}
}
