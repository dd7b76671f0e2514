package fairfactor

import (
	"encoding/base32"
	"encoding/binary"
)

// ID names a job. It says where the job is stored: the number of its caller and its
// sequence number there, after 48 random bits that make it impossible to guess. So
// a job is found by its id alone, without an index.
type ID struct {
	Nonce  uint64 // 48 random bits
	Caller uint64 // number of the caller, from 1, below 2^40; see [Claim]
	Seq    uint64 // sequence number within the caller, from 1, below 2^40
}

// IDLen is the length of an id as text.
const IDLen = 26

// idText is Crockford's base 32 in lower case: no i, l, o, u.
var idText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Bytes returns the id as 16 bytes: nonce, caller, sequence number, big-endian.
func (id ID) Bytes() (b [16]byte) {
	binary.BigEndian.PutUint64(b[0:], id.Nonce<<16|id.Caller>>24)
	binary.BigEndian.PutUint64(b[8:], id.Caller<<40|id.Seq)
	return b
}

// String returns the id as 26 characters of a-z and 0-9.
func (id ID) String() string {
	var text [IDLen]byte
	return string(id.Append(text[:0]))
}

// Append appends what [ID.String] returns.
func (id ID) Append(b []byte) []byte {
	raw := id.Bytes()
	return idText.AppendEncode(b, raw[:])
}

// ParseID parses what [ID.String] returned; anything else is not_found, because
// there can be no job with that id.
func ParseID(s string) (ID, error) {
	var raw [20]byte
	if len(s) != IDLen {
		return ID{}, Errorf(NotFound, "there is no job %.40q", s)
	}
	if n, err := idText.Decode(raw[:], []byte(s)); err != nil || n != 16 {
		return ID{}, Errorf(NotFound, "there is no job %.40q", s)
	}
	hi, lo := binary.BigEndian.Uint64(raw[0:]), binary.BigEndian.Uint64(raw[8:])
	id := ID{Nonce: hi >> 16, Caller: hi&0xffff<<24 | lo>>40, Seq: lo & (1<<40 - 1)}
	var text [IDLen]byte
	if id.Caller == 0 || id.Seq == 0 || string(id.Append(text[:0])) != s {
		return ID{}, Errorf(NotFound, "there is no job %.40q", s)
	}
	return id, nil
}
