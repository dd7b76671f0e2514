package factor

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/big"
	"slices"

	"fairfactor/factor/internal/siqs"
	"fairfactor/factor/internal/wire"
)

// A checkpoint of a sieve grows to 15 MB at 80 digits, and to an estimated 50 MB at 95.
// Its relations are in pieces of up to 64 KB, numbered from 0. A piece is written once
// and only the last ones change, so saving costs only what is new. Restoring does not
// wait for the pieces: the machine goes on with what it has, and takes in a piece in
// 3 ms.

// maxPieces bounds the pieces of a checkpoint: 16 GB.
const maxPieces = 1 << 18

// savedPiece is a piece of the checkpoint: the number of its store and its own there. One that was
// not loaded yet, or is of no use any more, is zero.
type savedPiece struct {
	h  *siqs.Collection
	at int // as siqs.Collection.AppendPiece wants it
}

// Cut closes the pieces that go with a checkpoint that is taken now, and returns how
// many there are. Those from first on are new or have grown since the last Cut.
func (m *Machine) Cut() (first, count int) {
	for i := range m.saves {
		if h := m.saves[i].h; h != nil && !m.sieves(h) {
			m.saves[i] = savedPiece{}
		}
	}
	first = len(m.saves)
	for _, c := range m.rest {
		h := c.collection
		if h == nil {
			continue
		}
		first = h.CutPieces(first, func(at int) (int, bool) {
			if len(m.saves) == maxPieces {
				return 0, false
			}
			m.saves = append(m.saves, savedPiece{h, at})
			return len(m.saves) - 1, true
		})
	}
	return first, len(m.saves)
}

// sieves reports whether h is under way still.
func (m *Machine) sieves(h *siqs.Collection) bool {
	return slices.ContainsFunc(m.rest, func(c *cofactor) bool { return c.collection == h })
}

// Piece returns piece i of the checkpoint, nil if there is no more use for it.
func (m *Machine) Piece(i int) []byte {
	s := m.saves[i]
	if s.h == nil {
		return nil
	}
	b := s.h.AppendPiece([]byte{wire.Version}, s.at)
	if b == nil {
		return nil
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, wire.Castagnoli))
}

// Missing returns the number of the piece that [Machine.Load] wants next, or false
// if it has them all.
func (m *Machine) Missing() (i int, ok bool) { return m.loaded, m.loaded < m.missing }

// Load takes the piece that [Machine.Missing] asked for. One that is lost or damaged
// costs the work in it: nil does, and an error says so.
func (m *Machine) Load(i int, data []byte) error {
	if i != m.loaded || i >= m.missing {
		return nil
	}
	m.loaded++
	var err error
	if data != nil {
		err = m.load(i, data)
	}
	m.settle()
	if err != nil {
		return fmt.Errorf("factor: load piece %d: %w", i, err)
	}
	return nil
}

// settle gives up what no piece will bring once all are there.
func (m *Machine) settle() {
	for _, c := range m.rest {
		if c.collection != nil && m.loaded == m.missing {
			c.collection.AllLoaded()
		}
	}
}

func (m *Machine) load(i int, data []byte) error {
	if len(data) < 8 || data[0] != wire.Version ||
		crc32.Checksum(data[:len(data)-4], wire.Castagnoli) != binary.BigEndian.Uint32(data[len(data)-4:]) {
		return ErrTurn
	}
	r := wire.Reader{B: data[1 : len(data)-4]}
	n, k := new(big.Int).SetBytes(r.Blob(wire.MaxBytes)), r.Uvarint()
	for _, c := range m.rest {
		if h := c.collection; h != nil && c.postprocessing == nil && c.n.Cmp(n) == 0 && h.Wants(k) {
			at, err := h.Load(&r, k, i)
			m.saves[i] = savedPiece{h, at}
			return err
		}
	}
	return nil
}
