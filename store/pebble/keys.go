package pebble

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"fairfactor"
	"fairfactor/store/rules"
)

// First bytes of keys, see the package comment.
const (
	kindAccount    = 'c'
	kindName       = 'n'
	kindQueued     = 'q'
	kindCheckpoint = 'p'
	kindPiece      = 'o'
	kindEnded      = 'j'
	kindRequeued   = 'r'
	kindKey        = 'k'
	kindAccepted   = 't'
	kindFinished   = 'f'
	kindGroup      = 'g'
	kindUnfinished = 'u'
	kindCompleted  = 'd'
	kindEndedAs    = 'x'
	kindEndedOf    = 'y'
	kindNumber     = 'h'
	kindResults    = 'z'
	kindDeadline   = 'D'
	kindEvents     = 'e'
	kindOperation  = 'w'
	kindDelivery   = 'W'
	kindDue        = 'H'
	kindRank       = 'b'
	kindIdle       = 'I'
	kindDeadly     = 'X'
)

var (
	keyProgress  = []byte{'m'}
	keyScheduler = []byte{'s'}
	keyVersion   = []byte{'v'}
	keyIndexed   = []byte{'i'}
	keyLag       = []byte{'l'}
	keyLines     = []byte{'L'}
	keyAccounts  = []byte{'A'}
	keyNumbers   = []byte{'N'}
)

// maxNumber bounds callers' numbers, sequence numbers and orders: 40 bits, five
// bytes of a key.
const maxNumber = rules.MaxNumber

// slotLen is the length of a key that names a job.
const slotLen = 11

// put40 appends the lower 40 bits of v, big-endian.
func put40(b []byte, v uint64) []byte {
	return append(b, byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

// get40 reads what put40 wrote.
func get40(b []byte) uint64 {
	return uint64(b[0])<<32 | uint64(binary.BigEndian.Uint32(b[1:5]))
}

// slot appends the key of a job's record: v is its order or its sequence
// number, whichever the kind is keyed by.
func slot(b []byte, kind byte, caller, v uint64) []byte {
	return put40(put40(append(b, kind), caller), v)
}

// pieceKey appends the key of a piece of the checkpoint of the job with that order.
func pieceKey(b []byte, caller, order uint64, number uint32) []byte {
	return binary.BigEndian.AppendUint32(slot(b, kindPiece, caller, order), number)
}

// slotNumber returns the order or sequence number in a key made by slot.
func slotNumber(key []byte) uint64 { return get40(key[6:slotLen]) }

func accountKey(b []byte, name string) []byte { return append(append(b, kindAccount), name...) }
func nameKey(b []byte, caller uint64) []byte  { return put40(append(b, kindName), caller) }
func groupKey(b []byte, group string) []byte  { return append(append(b, kindGroup), group...) }
func acceptedKey(b []byte, group uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, kindAccepted), group)
}

func idempotencyKey(b []byte, caller uint64, key string) []byte {
	return append(put40(append(b, kindKey), caller), key...)
}

// finishedKey orders rolls of finished jobs by time, earlier ones first, also
// before 1970.
func finishedKey(b []byte, micros int64, group uint64) []byte {
	b = binary.BigEndian.AppendUint64(append(b, kindFinished), uint64(micros)^1<<63)
	return binary.BigEndian.AppendUint64(b, group)
}

// finishedKeyLen is the length of a key made by finishedKey.
const finishedKeyLen = 17

// kindBounds returns the range of all keys of a kind.
func kindBounds(kind byte) (lower, upper []byte) { return []byte{kind}, []byte{kind + 1} }

// sumLen is the length of the checksum that ends every value.
const sumLen = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal appends to value the checksum over its key and itself, so a value that
// was damaged or strayed under another key is never taken for good.
func seal(key, value []byte) []byte {
	return binary.LittleEndian.AppendUint32(value, checksum(key, value))
}

// unseal returns the value without its checksum, or an internal error.
func unseal(key, sealed []byte) ([]byte, error) {
	n := len(sealed) - sumLen
	if n < 0 || checksum(key, sealed[:n]) != binary.LittleEndian.Uint32(sealed[n:]) {
		return nil, damaged(key, "the checksum of its value is wrong")
	}
	return sealed[:n], nil
}

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// damaged returns the error for a record that can't be read.
func damaged(key []byte, why string) error {
	return fairfactor.Errorf(fairfactor.Internal, "the data directory is damaged: key %q can't be read: %s", key, why)
}

// micros returns t in microseconds since 1970, the resolution of every stored
// time.
func micros(t time.Time) int64 { return t.UnixMicro() }

// acceptedGroup reads a key made by acceptedKey.
func acceptedGroup(key []byte) uint64 { return binary.BigEndian.Uint64(key[1:]) }
