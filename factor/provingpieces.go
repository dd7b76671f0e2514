package factor

import (
	"encoding/binary"
	"math/big"
	"slices"

	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/wire"
)

// jacobiProof is the proof of one prime by APR-CL, in turns of KindJacobi. The pieces with
// characters run in any order, then the last one. It is not in a checkpoint: after it is
// restored the machine begins the proof again.
type jacobiProof struct {
	pieces []prime.Piece
	handed int    // pieces handed out
	passed int    // pieces that passed
	shown  uint64 // conditions that they have shown, see prime.RunPiece
}

// newJacobiProof returns the proof of n, nil if APR-CL does not reach so far.
func newJacobiProof(n *big.Int) *jacobiProof {
	pieces := prime.JacobiPieces(n)
	if pieces == nil {
		return nil
	}
	return &jacobiProof{pieces: pieces}
}

// next returns the turn of the next piece, nil if the next has to wait for others.
func (p *jacobiProof) next(n *big.Int) *openTurn {
	last := len(p.pieces) - 1
	if p.handed > last || p.handed == last && p.passed < last {
		return nil
	}
	piece := p.pieces[p.handed]
	b := []byte{wire.Version, wire.KindJacobi}
	for _, v := range [...]uint64{uint64(piece.From), uint64(piece.To), p.shown} {
		b = binary.AppendUvarint(b, v)
	}
	b = append(b, n.Bytes()...)
	o := &openTurn{turn: Turn{Payload: b, Predict: piece.Nanos}, prime: n, proof: p, piece: p.handed}
	p.handed++
	return o
}

// runPiece runs a turn of KindJacobi, and returns the grade and the conditions shown.
func (r *Runner) runPiece(payload []byte) ([]byte, error) {
	read := wire.Reader{B: payload}
	from, to, shown := read.Uvarint(), read.Uvarint(), read.Uvarint()
	if read.Bad || len(read.B) > prime.ProvableBits/8 || from > 1<<16 || to > 1<<16 {
		return nil, ErrTurn
	}
	n := new(big.Int).SetBytes(read.B)
	g := prime.Composite
	if n.BitLen() > prime.AtOnceBits && n.ProbablyPrime(0) {
		g, shown = r.prover.RunPiece(n, int(from), int(to), shown)
	}
	if r.poller.Stopped() {
		return nil, ErrStopped
	}
	return binary.AppendUvarint([]byte{wire.Version, wire.FoundProof, byte(g)}, shown), nil
}

// takePiece takes the result of a piece of a proof.
func (m *Machine) takePiece(o *openTurn, data []byte) error {
	r := wire.Reader{B: data[2:]}
	g, shown := prime.Grade(r.Byte()), r.Uvarint()
	last := o.piece == len(o.proof.pieces)-1
	switch {
	case r.Bad || len(r.B) != 0:
		return ErrTurn
	case g == prime.Composite, g == prime.Unproven, g == prime.Probable && !last, g == prime.ProvenJacobi && last:
	default:
		return ErrProof
	}
	i := slices.IndexFunc(m.parts, func(p part) bool { return p.pieces == o.proof })
	if i < 0 {
		return nil // known since
	}
	if g != prime.Probable {
		m.proven(i, g)
		return nil
	}
	o.proof.passed++
	o.proof.shown |= shown
	return nil
}
