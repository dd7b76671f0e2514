package qs

import (
	"encoding/binary"
	"math/bits"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/sieve"
)

// runSieve sieves the current polynomial and tests the positions above the
// threshold. It returns a proper factor of n as soon as a relation completes a
// dependency that gives one.
//
//go:norace
func (q *Sieve) runSieve() (d arith.Uint128, found bool) {
	q.fillSieve()
	const top = 0x8080808080808080
	s := q.sieve[:q.parameters.length]
	for i := 0; i+16 <= len(s); i += 16 { // its length is a multiple of 64
		v := s[i : i+16 : i+16]
		if (binary.LittleEndian.Uint64(v)|binary.LittleEndian.Uint64(v[8:]))&top == 0 {
			continue
		}
		for j := i; j < i+16; j++ {
			if s[j] < 128 {
				continue
			}
			if d, found = q.candidate(j); found {
				return d, true
			}
		}
	}
	return arith.Uint128{}, false
}

// startRuns divides the primes that are sieved with into runs.
func (q *Sieve) startRuns() {
	q.runs = q.runs[:0]
	q.logs = arith.Resize(q.logs, len(q.base))
	for i, b := range q.base {
		q.logs[i] = b.log
		if b.root == 0 { // p divides k: both roots are the same
			q.logs[i] = (b.log + 1) / 2
		}
		times := q.parameters.length / int(b.p)
		switch last := len(q.runs) - 1; {
		case i < q.first:
		case last >= 0 && q.runs[last].Times == times:
			q.runs[last].To = i + 1
		default:
			q.runs = append(q.runs, sieve.Run{From: i, To: i + 1, Times: times})
		}
	}
}

// fillSieve adds the logarithm of every prime at its roots. The bytes start so
// that the threshold is 128, the sign bit.
//
//go:norace
func (q *Sieve) fillSieve() {
	s := q.sieve
	s[0] = 128 - q.threshold
	for n := 1; n < q.parameters.length; n *= 2 {
		copy(s[n:q.parameters.length], s[:n])
	}
	q.pos1 = append(q.pos1[:0], q.roots.r1...)
	q.pos2 = append(q.pos2[:0], q.roots.r2...)
	for _, i := range q.chosen {
		q.pos1[i], q.pos2[i], q.logs[i] = 0, 0, 0
	}
	sieve.AddRuns((*[sieve.BlockSize]byte)(s), q.runs, q.roots.p, q.pos1, q.pos2, q.logs, q.parameters.length)
	for _, i := range q.chosen {
		q.logs[i] = q.base[i].log
	}
}

// candidate factors Q at position i of the sieve over the factor base; if at
// most a large prime is left, it is a relation. What the small primes leave must
// be about as small as the sieve says, or it is not worth looking at the others.
func (q *Sieve) candidate(i int) (d arith.Uint128, found bool) {
	root, v, negative := q.at(int64(i) - int64(q.parameters.length/2))
	if v.IsZero() {
		return arith.Uint128{}, false
	}
	list := q.list[:0]
	if negative {
		list = append(list, 0)
	}
	s := v.TrailingZeros()
	v = v.Shr(s)
	for range s {
		list = append(list, 1)
	}
	mask := q.roots.meet(uint16(i))
	small := mask[0] & (1<<q.first - 1)
	for set := small; set != 0; set &= set - 1 {
		k := bits.TrailingZeros32(set)
		v, list = divideOut(v, &q.base[k].exact, uint16(k+1), list)
	}
	if v.Len() > int(q.sieve[i]-(128-q.threshold))+q.room {
		q.list = list
		return arith.Uint128{}, false
	}
	mask[0] ^= small
	for w, set := range mask {
		for ; set != 0; set &= set - 1 {
			k := w*rootBlock + bits.TrailingZeros32(set)
			v, list = divideOut(v, &q.base[k].exact, uint16(k+1), list)
		}
	}
	for _, k := range q.chosen {
		v, list = divideOut(v, &q.base[k].exact, uint16(k+1), list)
		list = append(list, uint16(k+1))
	}
	q.list = list
	if v.Hi != 0 || v.Lo >= q.large {
		return arith.Uint128{}, false
	}
	return q.relation(root, v.Lo, list)
}

// divideOut takes the prime d.p, number index, out of v.
func divideOut(v arith.Uint128, d *arith.Divisor, index uint16, list []uint16) (arith.Uint128, []uint16) {
	for {
		w, ok := v.DivExact(d)
		if !ok {
			return v, list
		}
		v = w
		list = append(list, index)
	}
}
