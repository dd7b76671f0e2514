//go:build !purego

package ecm

// The assembly of eight curves at once; see vector.

// mul8 sets r to a*b/R.
//
//go:noescape
func mul8(r, a, b *residue8, m *mod8)

// add8 sets r to p + q, where d = p - q.
//
//go:noescape
func add8(r, p, q, d *point8, m *mod8)

// dup8 sets r to 2p on the curves with (A+2)/4 = num/den.
//
//go:noescape
func dup8(r, p *point8, num, den *residue8, m *mod8)

// meet8 multiplies acc by g.x b.z - b.x g.z for the count babies b that hits
// names, where gxz and xz are x z of g and of the babies.
//
//go:noescape
func meet8(acc *residue8, giant, babies *point8, gxz, xz *residue8, hits *uint16, count int, m *mod8)

// mulLimbs, sumLimbs and differenceLimbs set r to a*b/R, a + b and a - b + 2n for
// 3 to maxLimbs limbs.
//
//go:noescape
func mulLimbs(r, a, b *residue8, m *mod8)

//go:noescape
func sumLimbs(r, a, b *residue8, m *mod8)

//go:noescape
func differenceLimbs(r, a, b *residue8, m *mod8)
