package factor

import (
	"math/big"
	"time"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/wire"
)

// Turn is one bounded piece of work, usually 20 ms of CPU and at most about
// 100 ms, that any [Runner] anywhere can do.
type Turn struct {
	// ID is unique within the number's [Machine], ascending from 0.
	ID uint64
	// Payload is all that Run needs. It is opaque and self-contained.
	Payload []byte
	// Predict is the CPU that the turn will probably take.
	Predict time.Duration
}

// Result is what running a turn gave.
type Result struct {
	ID uint64
	// Data is opaque; [Decode] and [Machine.Apply] read it.
	Data []byte
}

// ErrTurn says that a payload or a result is damaged or of another version.
var ErrTurn = wire.ErrTurn

// First returns the first turn of n: trial division, perfect powers,
// primality, and the quick methods, which answer
// almost everything up to 42 digits. n is in canonical decimal digits; anything else gives a
// turn that fails. First is what [Machine.Next] hands out first for n.
func First(n string) Turn {
	t := Turn{Predict: Predict(len(n))}
	if w, ok := arith.ParseUint128(n); ok {
		p := make([]byte, 2, 2+16)
		p[0], p[1] = wire.Version, wire.KindSplit
		t.Payload = w.AppendBytes(p)
		return t
	}
	if b, ok := parseBig(n); ok {
		t.Payload = splitPayload(b)
	}
	return t
}

// splitPayload is the payload of the quick methods on n.
func splitPayload(n *big.Int) []byte {
	return append([]byte{wire.Version, wire.KindSplit}, n.Bytes()...)
}
