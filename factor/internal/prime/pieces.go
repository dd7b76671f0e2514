package prime

import (
	"math/big"
	"time"
)

// Piece is a part of a proof by APR-CL: the characters of some of the primes of s. The last
// piece has none; it draws the conclusion and needs to know which of the conditions L_p
// the others have shown.
type Piece struct {
	From, To int           // of the primes of the plan; From = To: the last piece
	Nanos    time.Duration // the CPU that it will probably take
}

// pieceNanos is the CPU that a piece aims at, in nanoseconds.
const pieceNanos = 25e6

// residueNanos is the time of one multiplication modulo a number of that many bits in
// Montgomery form, in nanoseconds (Zen 4, Go 1.26).
func residueNanos(size int) float64 {
	k := float64((size + 63) / 64)
	return 10 + 1.9*k*k
}

// JacobiPieces cuts the proof of n by APR-CL into pieces, the last one last; nil if n is
// out of range. All but the last may run in any order.
func JacobiPieces(n *big.Int) []Piece {
	plan := planJacobi(n)
	if plan == nil {
		return nil
	}
	var pieces []Piece
	p := Piece{}
	each := residueNanos(n.BitLen())
	for i := range plan.of {
		p.To = i + 1
		p.Nanos += time.Duration(plan.of[i].muls * float64(n.BitLen()) * each)
		if p.Nanos >= pieceNanos || p.To == len(plan.of) {
			pieces = append(pieces, p)
			p = Piece{From: p.To, To: p.To}
		}
	}
	p.Nanos = time.Duration(2 * float64(plan.t) * each)
	return append(pieces, p)
}

// RunPiece runs a piece of the proof of n. shown are the conditions L_p that other pieces
// have shown, by the bits of the primes of t in order; those that this one shows are added.
// The grade is Composite if n is, Probable if the characters pass, ProvenJacobi if it is the
// last piece and n is prime, and Unproven if it can't tell or n has no such piece.
func (r *Prover) RunPiece(n *big.Int, from, to int, shown uint64) (Grade, uint64) {
	plan := planJacobi(n)
	if plan == nil || from < 0 || from > to || to > len(plan.of) {
		return Unproven, 0
	}
	j := newJacobiTest(n, plan.t)
	for i, pp := range primePowers(plan.t) {
		j.holds[pp.p] = j.holds[pp.p] || shown>>i&1 != 0
	}
	last := from == to
	var v verdict
	if last {
		v = r.conclude(j, plan)
	} else {
		v = r.characters(j, plan, from, to)
	}
	shown = 0
	for i, pp := range primePowers(plan.t) {
		if j.holds[pp.p] {
			shown |= 1 << i
		}
	}
	switch {
	case v == isComposite:
		return Composite, shown
	case v == undecided:
		return Unproven, shown
	case last:
		return ProvenJacobi, shown
	}
	return Probable, shown
}
