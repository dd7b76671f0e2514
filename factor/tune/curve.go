package tune

import (
	"fmt"
	"math/big"

	"fairfactor/factor/internal/ecm"
)

// Curve runs one elliptic curve of the level with the first bound B1 on n, whole, and
// returns its second bound. Other bounds, and numbers that no curves in turns are run on, are
// [ErrSize]. The curve finds nothing if the factors of n are large.
func (r *Runner) Curve(n *big.Int, B1 uint64, number uint64) (B2 uint64, err error) {
	k := (n.BitLen() + 63) / 64
	for i := range ecm.Levels {
		l := &ecm.Levels[i]
		if l.B1 != B1 || n.Bit(0) == 0 || k < 3 {
			continue
		}
		w := ecm.Work{N: n.Bytes(), Seed: 1, First: number, Count: 1, B1: B1, Hi: B1 + 1}
		_, x := r.ecm.CurvesN(n, &w)
		if x == nil {
			return 0, fmt.Errorf("curve: a factor of %v was found", n)
		}
		w.Hi, w.X = 0, x.Bytes()
		for from := B1 + 1; from < l.Second(k); from = w.To {
			l.Stage2(&w, from, k)
			r.ecm.CurvesN(n, &w)
		}
		return l.Second(k), nil
	}
	return 0, fmt.Errorf("curve: %w", ErrSize)
}
