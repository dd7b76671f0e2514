package pebble

import (
	"encoding/binary"
	"math/bits"
	"time"

	"fairfactor"
	"fairfactor/store/rules"
)

// recordVersion is the first byte of a job's record. A reader refuses
// versions it does not know.
const recordVersion = 1

// Fields that most records lack; a record begins with the set of those it has.
const (
	hasOrder = 1 << iota // the order differs from the sequence number
	hasKey
	hasSubmitted
	hasStarted
	hasFinished
	hasAttempts
	hasTurn
	hasCPU
	hasTurns
	hasFactors
	hasReason
	isKnown // others had found the factors; there is no more to it
	hasDeadline
	hasCallback
	hasDeaths
	hasTrace
	hasCurves
)

// lastField is the highest bit that this version knows.
const lastField = hasCurves

// brief is the part of a record that deciding about a change needs; it comes
// first in the record.
type brief struct {
	rules.Job        // Saved is not in the record: the code that looks for a checkpoint sets it
	group     uint64 // that accepted the job
}

// stored is a job with the group that accepted it.
type stored struct {
	fairfactor.Job
	group uint64
}

// appendRecord appends a job's record: version, state, fields, nonce, sequence
// number, group, then the fields. It fails if the number or a prime is not a
// string of decimal digits.
func appendRecord(b []byte, j *fairfactor.Job, state fairfactor.State, group uint64) ([]byte, error) {
	fields := fieldsOf(j, state)
	b = append(b, recordVersion, byte(state))
	b = binary.AppendUvarint(b, fields)
	b = append(b, byte(j.ID.Nonce>>40))
	b = put40(b, j.ID.Nonce)
	b = binary.AppendUvarint(b, j.ID.Seq)
	b = binary.AppendUvarint(b, group)
	if fields&hasOrder != 0 {
		b = binary.AppendUvarint(b, j.Order)
	}
	if fields&hasCPU != 0 {
		b = binary.AppendVarint(b, int64(j.CPU))
	}
	if fields&hasTurns != 0 {
		b = binary.AppendUvarint(b, j.Turns)
	}
	b, ok := appendDigits(b, j.Number)
	if !ok {
		return nil, fairfactor.Errorf(fairfactor.Invalid, "number %.40q of job %s is not a string of decimal digits", j.Number, j.ID)
	}
	if fields&hasKey != 0 {
		b = appendString(b, j.Key)
	}
	b = appendTimes(b, j, fields)
	if fields&hasAttempts != 0 {
		b = binary.AppendVarint(b, int64(j.Attempts))
	}
	if fields&hasTurn != 0 {
		b = binary.AppendUvarint(b, j.Turn)
	}
	if fields&hasReason != 0 {
		b = appendString(b, j.Reason)
	}
	if fields&hasDeadline != 0 {
		b = binary.AppendVarint(b, micros(j.Deadline))
	}
	if fields&hasCallback != 0 {
		b = appendString(b, j.Callback.URL)
	}
	if fields&hasDeaths != 0 {
		b = appendString(b, rules.DeathsText(j.Deaths))
	}
	if fields&hasTrace != 0 {
		b = append(append(append(b, j.Trace.ID[:]...), j.Trace.Parent[:]...), j.Trace.Flags)
	}
	if fields&hasCurves != 0 {
		b = appendString(b, rules.CurvesText(j.Curves))
	}
	if fields&hasFactors != 0 {
		return appendFactors(b, j)
	}
	return b, nil
}

func fieldsOf(j *fairfactor.Job, state fairfactor.State) (fields uint64) {
	set := func(bit uint64, have bool) {
		if have {
			fields |= bit
		}
	}
	set(hasOrder, j.Order != j.ID.Seq)
	set(hasKey, j.Key != "")
	set(hasSubmitted, !j.Submitted.IsZero())
	set(hasStarted, !j.Started.IsZero())
	set(hasFinished, !j.Finished.IsZero() && state.Final())
	set(hasAttempts, j.Attempts != 0)
	set(hasTurn, j.Turn != 0)
	set(hasCPU, j.CPU != 0)
	set(hasTurns, j.Turns != 0)
	set(hasFactors, len(j.Factors) != 0)
	set(hasReason, j.Reason != "")
	set(isKnown, j.Known)
	set(hasDeadline, !j.Deadline.IsZero())
	set(hasCallback, j.Callback != nil)
	set(hasDeaths, j.Deaths.Count() != 0)
	set(hasTrace, j.Trace != nil)
	set(hasCurves, len(j.Curves) != 0)
	return fields
}

// appendTimes appends the times there are, each as microseconds after the one
// before it.
func appendTimes(b []byte, j *fairfactor.Job, fields uint64) []byte {
	last := int64(0)
	for _, f := range [...]struct {
		bit uint64
		at  time.Time
	}{{hasSubmitted, j.Submitted}, {hasStarted, j.Started}, {hasFinished, j.Finished}} {
		if fields&f.bit != 0 {
			b = binary.AppendVarint(b, micros(f.at)-last)
			last = micros(f.at)
		}
	}
	return b
}

// The exponent of a prime is stored as twice that, and 1 if it is probable. A prime of at
// least provenDigits has how it was proven above that: its exponent is small.
const (
	proofShift   = 20
	provenDigits = 25
)

func appendFactors(b []byte, j *fairfactor.Job) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(j.Factors)))
	for _, f := range j.Factors {
		e := uint64(f.Exponent) << 1
		if f.Probable {
			e |= 1
		}
		e |= uint64(f.Proof) << proofShift
		b = binary.AppendUvarint(b, e)
		var ok bool
		if b, ok = appendDigits(b, f.Prime); !ok {
			return nil, fairfactor.Errorf(fairfactor.Invalid, "prime %.40q of job %s is not a string of decimal digits", f.Prime, j.ID)
		}
	}
	return b, nil
}

// appendDigits appends a string of decimal digits, two to a byte, behind its
// length.
func appendDigits(b []byte, digits string) ([]byte, bool) {
	b = binary.AppendUvarint(b, uint64(len(digits)))
	for i := 0; i < len(digits); i += 2 {
		hi, lo := digits[i]-'0', byte(0)
		if i+1 < len(digits) {
			lo = digits[i+1] - '0'
		}
		if hi > 9 || lo > 9 {
			return b, false
		}
		b = append(b, hi<<4|lo)
	}
	return b, true
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// readBrief reads the head of a record and returns the rest of it.
func readBrief(r *reader) (h brief, fields uint64) {
	if v := r.byte(); v != recordVersion {
		r.bad = true
	}
	h.State = fairfactor.State(r.byte())
	fields = r.uvarint()
	h.Nonce = uint64(r.byte())<<40 | r.uint40()
	h.Seq = r.uvarint()
	h.group = r.uvarint()
	h.Order = h.Seq
	if fields&hasOrder != 0 {
		h.Order = r.uvarint()
	}
	if fields&hasCPU != 0 {
		h.CPU = time.Duration(r.varint())
	}
	if fields&hasTurns != 0 {
		h.Turns = r.uvarint()
	}
	if h.State < fairfactor.Pending || h.State > fairfactor.Cancelled || bits.Len64(fields) > bits.Len64(lastField) {
		r.bad = true
	}
	return h, fields
}

// decodeBrief returns the head of the record under key.
func decodeBrief(key, value []byte) (brief, error) {
	value, err := unseal(key, value)
	if err != nil {
		return brief{}, err
	}
	r := reader{b: value}
	h, _ := readBrief(&r)
	if r.bad {
		return brief{}, damaged(key, "the job's record has an unknown form")
	}
	return h, nil
}

// decodeJob returns the job whose record, without a seal, is stored under key.
func decodeJob(key, value []byte, caller uint64, name string) (stored, error) {
	var r reader
	return r.job(key, value, caller, name)
}

// job is decodeJob with a reader that may have read others.
func (r *reader) job(key, value []byte, caller uint64, name string) (stored, error) {
	r.b, r.bad = value, false
	h, fields := readBrief(r)
	j := stored{group: h.group, Job: fairfactor.Job{
		ID:     fairfactor.ID{Nonce: h.Nonce, Caller: caller, Seq: h.Seq},
		Caller: name, Order: h.Order, State: h.State, CPU: h.CPU, Turns: h.Turns,
		Known: fields&isKnown != 0,
	}}
	if fields&hasFactors != 0 {
		r.room(2 * len(r.b)) // two digits a byte
	}
	j.Number = r.digits()
	if fields&hasKey != 0 {
		j.Key = r.string()
	}
	last := int64(0)
	for _, f := range [...]struct {
		bit uint64
		at  *time.Time
	}{{hasSubmitted, &j.Submitted}, {hasStarted, &j.Started}, {hasFinished, &j.Finished}} {
		if fields&f.bit != 0 {
			last += r.varint()
			*f.at = time.UnixMicro(last).UTC()
		}
	}
	if fields&hasAttempts != 0 {
		j.Attempts = int(r.varint())
	}
	if fields&hasTurn != 0 {
		j.Turn = r.uvarint()
	}
	if fields&hasReason != 0 {
		j.Reason = r.string()
	}
	if fields&hasDeadline != 0 {
		j.Deadline = time.UnixMicro(r.varint()).UTC()
	}
	if fields&hasCallback != 0 {
		j.Callback = &fairfactor.Callback{URL: r.string()}
	}
	if fields&hasDeaths != 0 {
		var ok bool
		if j.Deaths, ok = rules.ParseDeaths(r.string()); !ok {
			r.bad = true
		}
	}
	if fields&hasTrace != 0 {
		j.Trace = r.trace()
	}
	if fields&hasCurves != 0 {
		var ok bool
		if j.Curves, ok = rules.ParseCurves(r.string()); !ok {
			r.bad = true
		}
	}
	if fields&hasFactors != 0 {
		j.Factors = r.factors()
	}
	if r.bad || len(r.b) != 0 {
		return stored{}, damaged(key, "the job's record has an unknown form")
	}
	return j, nil
}
