package factor

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/big"
	"slices"
)

// A checkpoint of a sieve grows to 15 MB at 80 digits, and to some 50 MB at 95, which
// is an estimate from the number of relations. So that saving it costs what is new only, the relations are in pieces of up to 64 KB,
// numbered from 0, that are written once and never change but for the last ones.
// Restoring does not wait for them: the machine goes on with what it has, and takes
// in a piece in 3 ms.

// maxPieces bounds the pieces of a checkpoint: 16 GB.
const maxPieces = 1 << 18

// save is a piece of the checkpoint: which piece of which ledger it is. One that was
// not loaded yet, or is of no use any more, is zero.
type save struct {
	h  *harvest
	at int
}

// Cut closes the pieces that go with a checkpoint that is taken now, and returns how
// many there are. Those from first on are new or have grown since the last Cut.
func (m *Machine) Cut() (first, count int) {
	for i := range m.saves {
		if h := m.saves[i].h; h != nil && !m.sieves(h) {
			m.saves[i] = save{}
		}
	}
	first = len(m.saves)
	for _, c := range m.rest {
		h := c.harvest
		if h == nil {
			continue
		}
		for at := h.cut; at < len(h.pieces) && len(m.saves) < maxPieces; at++ {
			p := h.pieces[at]
			if p.number < 0 {
				p.number = len(m.saves)
				m.saves = append(m.saves, save{h, at})
			}
			if len(p.log) > p.saved {
				first = min(first, p.number)
				p.saved = len(p.log)
			}
			p.full = p.full || len(p.log) > pieceSize/2
		}
		for h.cut < len(h.pieces) && h.pieces[h.cut].full {
			h.cut++
		}
	}
	return first, len(m.saves)
}

// sieves reports whether h is under way still.
func (m *Machine) sieves(h *harvest) bool {
	return slices.ContainsFunc(m.rest, func(c *cofactor) bool { return c.harvest == h })
}

// Piece returns piece i of the checkpoint, nil if there is no more use for it.
func (m *Machine) Piece(i int) []byte {
	s := m.saves[i]
	if s.h == nil {
		return nil
	}
	log := s.h.pieces[s.at].log
	n := s.h.base.n.Bytes()
	b := make([]byte, 0, len(log)+len(n)+16)
	b = append(b, version)
	b = appendBlob(b, n)
	b = binary.AppendUvarint(b, s.h.base.k)
	b = append(b, log...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// Missing returns the number of the piece that [Machine.Load] wants next; false if
// there is none.
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
		if c.harvest != nil && m.loaded == m.missing {
			c.harvest.owed, c.harvest.absent = 0, 0
		}
	}
}

func (m *Machine) load(i int, data []byte) error {
	if len(data) < 8 || data[0] != version ||
		crc32.Checksum(data[:len(data)-4], castagnoli) != binary.BigEndian.Uint32(data[len(data)-4:]) {
		return ErrTurn
	}
	r := reader{b: data[1 : len(data)-4]}
	n, k := new(big.Int).SetBytes(r.blob(maxBytes)), r.uvarint()
	for _, c := range m.rest {
		if h := c.harvest; h != nil && c.solving == nil && c.n.Cmp(n) == 0 && h.base.k == k {
			m.saves[i] = save{h, len(h.pieces)}
			return h.load(&r, i)
		}
	}
	return nil
}
