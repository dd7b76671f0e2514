package wire

import "encoding/binary"

// AppendAscending appends numbers that do not descend.
func AppendAscending[T int | uint32](p []byte, list []T) []byte {
	p = binary.AppendUvarint(p, uint64(len(list)))
	last := T(0)
	for _, v := range list {
		p = binary.AppendUvarint(p, uint64(v-last))
		last = v
	}
	return p
}

// AppendBlob appends the length of b and b.
func AppendBlob(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}
