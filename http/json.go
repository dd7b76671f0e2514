package http

import (
	"strconv"
	"time"
	"unicode/utf8"

	"fairfactor"
)

// Jobs and receipts are written by hand, because they are most of what the
// service writes: an answer needs no more memory than its text, and a result
// keeps its primes ascending. The other answers are in answers.go. Server and
// command line write with the same functions.

// endedAtOnce reports whether a job ended when it was accepted: its factors were known, or
// processes had died of its number.
func endedAtOnce(j *fairfactor.Job) bool { return j.Known || j.Quarantined() && j.Started.IsZero() }

// AppendReceipt appends the answer to a submission: where the job is and how
// it does. Of one that has ended, see endedAtOnce, it is all there is.
func AppendReceipt(b []byte, j *fairfactor.Job) []byte {
	if endedAtOnce(j) {
		return AppendJob(b, j)
	}
	b = append(b, `{"request_id":"`...)
	b = j.ID.Append(b)
	b = append(b, `","status":"`...)
	b = append(b, j.State.String()...)
	b = append(b, `","caller_id":`...)
	b = appendString(b, j.Caller)
	b = append(b, `,"number":`...)
	b = appendString(b, j.Number)
	return append(b, '}')
}

// appendKnown says if others had found the factors.
func appendKnown(b []byte, j *fairfactor.Job) []byte {
	if j.Known {
		b = append(b, `,"known":true`...)
	}
	return b
}

// appendDeaths lists the processes that died with a job, of one that is unfinished or
// quarantined.
func appendDeaths(b []byte, j *fairfactor.Job) []byte {
	if j.Deaths.Count() == 0 {
		return b
	}
	if j.Quarantined() {
		b = append(b, `,"quarantined":true`...)
	}
	b = append(b, `,"deaths":[`...)
	for i, process := range j.Deaths.Processes {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, process)
	}
	return append(b, ']')
}

// AppendJob appends everything there is to know of a job. The member result is
// null until the job has completed; found lists the primes of a job that ended
// without completing; probable lists the primes that are not proven; deadline is there
// if the job has one; progress is there while the job runs and something is known.
func AppendJob(b []byte, j *fairfactor.Job) []byte {
	b = append(b, `{"request_id":"`...)
	b = j.ID.Append(b)
	b = append(b, `","caller_id":`...)
	b = appendString(b, j.Caller)
	b = append(b, `,"number":`...)
	b = appendString(b, j.Number)
	b = append(b, `,"status":"`...)
	b = append(b, j.State.String()...)
	b = append(b, `","result":`...)
	if j.State == fairfactor.Completed {
		b = appendFactors(b, j.Factors)
	} else {
		b = append(b, "null"...)
	}
	if j.State.Final() {
		b = appendFound(b, j)
	}
	b = append(b, `,"submitted_at":`...)
	b = appendTime(b, j.Submitted)
	b = append(b, `,"started_at":`...)
	b = appendTime(b, j.Started)
	b = append(b, `,"finished_at":`...)
	b = appendTime(b, j.Finished)
	b = append(b, `,"attempts":`...)
	b = strconv.AppendInt(b, int64(j.Attempts), 10)
	b = append(b, `,"turn":`...)
	b = strconv.AppendUint(b, j.Turn, 10)
	b = append(b, `,"cpu_us":`...)
	b = strconv.AppendInt(b, j.CPU.Microseconds(), 10)
	b = append(b, `,"error":`...)
	b = appendStringOrNull(b, j.Reason)
	b = appendKnown(b, j)
	b = appendDeaths(b, j)
	if len(j.Curves) > 0 {
		b = appendCurves(append(b, `,"ecm":`...), j.Curves)
	}
	if j.Callback != nil {
		b = appendCallback(b, j.Callback)
	}
	if !j.Deadline.IsZero() {
		b = append(b, `,"deadline":`...)
		b = appendTime(b, j.Deadline)
	}
	if j.Trace != nil {
		b = append(j.Trace.Append(append(b, `,"traceparent":"`...)), '"')
	}
	if j.State == fairfactor.Running && j.Progress != nil {
		b = append(b, `,"progress":`...)
		b = appendProgress(b, j.Progress, j.Curves)
	}
	return append(b, '}')
}

// appendCallback appends what became of the message to a callback.
func appendCallback(b []byte, c *fairfactor.Callback) []byte {
	b = appendString(append(b, `,"callback":{"url":`...), c.URL)
	b = appendString(append(b, `,"state":`...), c.State.String())
	b = strconv.AppendInt(append(b, `,"attempts":`...), int64(c.Attempts), 10)
	b = appendStringOrNull(append(b, `,"last_error":`...), c.LastError)
	b = appendTime(append(b, `,"next":`...), c.Next)
	return append(b, '}')
}

// appendFound appends what an ended job says of its primes besides its result.
func appendFound(b []byte, j *fairfactor.Job) []byte {
	if j.State != fairfactor.Completed && len(j.Factors) > 0 {
		b = append(b, `,"found":`...)
		b = appendFactors(b, j.Factors)
	}
	any := false
	for i := range j.Factors {
		if !j.Factors[i].Probable {
			continue
		}
		if any {
			b = append(b, ',')
		} else {
			b = append(b, `,"probable":[`...)
			any = true
		}
		b = appendString(b, j.Factors[i].Prime)
	}
	if any {
		b = append(b, ']')
	}
	return appendProofs(b, j)
}

// appendProofs appends how large primes were proven, if that is known of any.
func appendProofs(b []byte, j *fairfactor.Job) []byte {
	any := false
	for i := range j.Factors {
		if j.Factors[i].Proof == 0 {
			continue
		}
		if any {
			b = append(b, ',')
		} else {
			b = append(b, `,"proofs":{`...)
			any = true
		}
		b = append(appendString(b, j.Factors[i].Prime), ':')
		b = appendString(b, j.Factors[i].Proof.String())
	}
	if any {
		b = append(b, '}')
	}
	return b
}

// appendFactors appends {"prime":exponent,...} in the order given, which is
// ascending.
func appendFactors(b []byte, factors []fairfactor.Factor) []byte {
	b = append(b, '{')
	for i := range factors {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, factors[i].Prime)
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(factors[i].Exponent), 10)
	}
	return append(b, '}')
}

// appendCurves appends {"B1":curves,...}, ascending.
func appendCurves(b []byte, curves []fairfactor.Curves) []byte {
	b = append(b, '{')
	for i, c := range curves {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(append(b, '"'), c.B1, 10)
		b = strconv.AppendUint(append(b, `":`...), c.Count, 10)
	}
	return append(b, '}')
}

func appendProgress(b []byte, p *fairfactor.Progress, curves []fairfactor.Curves) []byte {
	b = append(b, `{"phase":`...)
	b = appendString(b, p.Phase)
	b = append(b, `,"percent":`...)
	b = appendFloat(b, p.Percent)
	b = append(b, `,"left_seconds":`...)
	if p.Left > 0 {
		b = appendFloat(b, p.Left.Seconds())
	} else {
		b = append(b, "null"...)
	}
	if p.Limited {
		b = append(b, `,"limited":true`...)
	}
	if p.Memory > 0 {
		b = strconv.AppendInt(append(b, `,"memory_bytes":`...), p.Memory, 10)
	}
	if len(curves) > 0 {
		b = appendCurves(append(b, `,"ecm":`...), curves)
	}
	b = append(b, `,"found":`...)
	b = appendFactors(b, p.Found)
	b = append(b, `,"remaining":[`...)
	for i, c := range p.Remaining {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, c)
	}
	return append(b, ']', '}')
}

// appendTime appends a time in RFC 3339, in UTC with microseconds, or null for
// the zero time. [time.Time.AppendFormat] takes three times as long.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 { // no time of ours
		return append(b, "null"...)
	}
	hour, minute, second := t.Clock()
	b = append(b, '"')
	b = appendDigits(b, year, 4)
	b = appendDigits(append(b, '-'), int(month), 2)
	b = appendDigits(append(b, '-'), day, 2)
	b = appendDigits(append(b, 'T'), hour, 2)
	b = appendDigits(append(b, ':'), minute, 2)
	b = appendDigits(append(b, ':'), second, 2)
	b = appendDigits(append(b, '.'), t.Nanosecond()/1000, 6)
	return append(b, 'Z', '"')
}

// appendDigits appends n, which is not negative, with leading zeros.
func appendDigits(b []byte, n, width int) []byte {
	end := len(b) + width
	for range width {
		b = append(b, '0')
	}
	for i := end - 1; n > 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return b
}

// appendFloat appends a number with at most six decimals, which is a
// microsecond of a second. What is not finite has no JSON and becomes 0.
func appendFloat(b []byte, f float64) []byte {
	if f != f || f > 1e300 || f < -1e300 {
		return append(b, '0')
	}
	b = strconv.AppendFloat(b, f, 'f', 6, 64)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return b
}

func appendStringOrNull(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendString(b, s)
}

// appendString appends s as a JSON string. Bytes that are not UTF-8 become the
// replacement character, so that the answer is JSON whatever a client sent.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[start:i]...)
			b = appendEscape(b, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			b = append(b, s[start:i]...)
			b = append(b, "\uFFFD"...)
			start = i + 1
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func appendEscape(b []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
