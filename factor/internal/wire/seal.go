package wire

import (
	"encoding/binary"
	"hash/crc32"
)

// Castagnoli is the check sum of what can not be checked otherwise.
var Castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Seal appends a check sum to a result that the machine can not check: what a
// sound worker made passes on unchanged or not at all.
func Seal(data []byte) []byte {
	return binary.BigEndian.AppendUint32(data, crc32.Checksum(data, Castagnoli))
}

// Unseal returns what was sealed.
func Unseal(data []byte) ([]byte, bool) {
	if len(data) < 6 {
		return nil, false
	}
	body, sum := data[:len(data)-4], binary.BigEndian.Uint32(data[len(data)-4:])
	return body, crc32.Checksum(body, Castagnoli) == sum
}
