package pebble

import (
	"encoding/binary"
	"strings"

	"fairfactor"
)

// reader takes a value apart. After the first thing that is not there, bad is
// set and everything reads as zero.
type reader struct {
	b     []byte
	bad   bool
	text  strings.Builder // what digits returned: parts of one string as long as there is room
	least int             // bytes of each such string, at least
}

// room sees to it that there is room for so many digits.
func (r *reader) room(digits int) {
	if r.text.Cap()-r.text.Len() < digits {
		r.text.Reset()
		r.text.Grow(max(digits, r.least))
	}
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint40() uint64 {
	if b := r.take(5); b != nil {
		return get40(b)
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader) string() string { return string(r.take(r.uvarint())) }

// trace reads what appendRecord wrote.
func (r *reader) trace() *fairfactor.Trace {
	b := r.take(16 + 8 + 1)
	if b == nil {
		return nil
	}
	return &fairfactor.Trace{ID: [16]byte(b), Parent: [8]byte(b[16:]), Flags: b[24]}
}

// digits reads what appendDigits wrote. Anything else is bad.
func (r *reader) digits() string {
	n := r.uvarint()
	packed := r.take(n/2 + n&1)
	if packed == nil {
		return ""
	}
	r.room(2 * len(packed))
	from := r.text.Len()
	for _, b := range packed {
		if b > 0x99 || b&15 > 9 {
			r.b, r.bad = nil, true
			return ""
		}
		r.text.WriteByte('0' + b>>4)
		r.text.WriteByte('0' + b&15)
	}
	return r.text.String()[from : from+int(n)]
}

// factors reads what appendFactors wrote.
func (r *reader) factors() []fairfactor.Factor {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	factors := make([]fairfactor.Factor, n)
	for i := range factors {
		e := r.uvarint()
		f := fairfactor.Factor{Probable: e&1 != 0, Prime: r.digits()}
		if len(f.Prime) >= provenDigits {
			f.Proof, e = fairfactor.Proof(e>>proofShift), e&(1<<proofShift-1)
		}
		f.Exponent = int(e >> 1)
		factors[i] = f
	}
	return factors
}
