package wire

import (
	"encoding/binary"
	"errors"
)

// ErrTurn says that a payload or a result is damaged or of another version.
var ErrTurn = errors.New("factor: damaged turn or result")

// Reader takes values off the front of b; once something is missing it is bad
// for good and gives zeros.
type Reader struct {
	B    []byte
	Bad  bool
	Poll func() bool // of long input: asked now and then whether to give up; nil: never
}

// Stopped asks poll; the reader is bad once it reports true.
func (r *Reader) Stopped() bool {
	if r.Poll != nil && r.Poll() {
		r.Bad = true
	}
	return r.Bad
}

// Uvarint takes a number.
func (r *Reader) Uvarint() uint64 {
	v, k := binary.Uvarint(r.B)
	if k <= 0 {
		r.Bad, r.B = true, nil
		return 0
	}
	r.B = r.B[k:]
	return v
}

// Byte takes a byte.
func (r *Reader) Byte() byte {
	if len(r.B) == 0 {
		r.Bad = true
		return 0
	}
	v := r.B[0]
	r.B = r.B[1:]
	return v
}

// Blob returns a slice of the input of at most most bytes.
func (r *Reader) Blob(most int) []byte {
	k := r.Uvarint()
	if k > uint64(most) || k > uint64(len(r.B)) {
		r.Bad, r.B = true, nil
		return nil
	}
	v := r.B[:k]
	r.B = r.B[k:]
	return v
}

// Ascending takes what AppendAscending wrote: at most most numbers below bound,
// ascending, with repetitions.
func (r *Reader) Ascending(most, bound int) []int {
	count := r.Uvarint()
	if count > uint64(most) || count > uint64(len(r.B)) {
		r.Bad = true
		return nil
	}
	list := make([]int, 0, count)
	last := uint64(0)
	for range count {
		last += r.Uvarint()
		if last >= uint64(bound) || r.Bad {
			r.Bad = true
			return nil
		}
		list = append(list, int(last))
	}
	return list
}
