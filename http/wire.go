package http

import (
	"strconv"
	"time"
	"unicode/utf8"

	"fairfactor"
)

// The JSON that the service speaks is written by hand: the members keep their
// order, a result keeps its primes ascending, and an answer needs no more
// memory than its text. The functions here are the only place that knows the
// members' names.

// timeFormat is RFC 3339 in UTC with microseconds.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// appendReceipt appends the answer to a submission: where the job is and how
// it does.
func appendReceipt(b []byte, j *fairfactor.Job) []byte {
	b = append(b, `{"request_id":"`...)
	b = appendID(b, j.ID)
	b = append(b, `","status":"`...)
	b = append(b, j.State.String()...)
	b = append(b, `","caller_id":`...)
	b = appendString(b, j.Caller)
	b = append(b, `,"number":`...)
	b = appendString(b, j.Number)
	return append(b, '}')
}

// appendJob appends everything there is to know of a job. The member result is
// null until the job has completed; found lists the primes of a job that ended
// without completing; probable lists the primes that are not proven; progress
// is there while the job runs and something is known.
func appendJob(b []byte, j *fairfactor.Job) []byte {
	b = append(b, `{"request_id":"`...)
	b = appendID(b, j.ID)
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
	if j.State == fairfactor.Running && j.Progress != nil {
		b = append(b, `,"progress":`...)
		b = appendProgress(b, j.Progress)
	}
	return append(b, '}')
}

// appendFound appends what an ended job says of its primes beside its result.
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

func appendProgress(b []byte, p *fairfactor.Progress) []byte {
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

// appendPage appends a page of jobs; next is null on the last one.
func appendPage(b []byte, page *fairfactor.Page) []byte {
	b = append(b, `{"jobs":[`...)
	for i := range page.Jobs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJob(b, &page.Jobs[i])
	}
	b = append(b, `],"next":`...)
	b = appendStringOrNull(b, page.Next)
	return append(b, '}')
}

// appendCaller appends a caller's account; now is for the age of its oldest
// unfinished job.
func appendCaller(b []byte, c *fairfactor.Caller, now time.Time) []byte {
	b = append(b, `{"caller_id":`...)
	b = appendString(b, c.Name)
	b = append(b, `,"weight":`...)
	b = strconv.AppendInt(b, int64(c.Weight), 10)
	b = append(b, `,"queued":`...)
	b = strconv.AppendUint(b, c.Queued, 10)
	b = append(b, `,"running":`...)
	b = strconv.AppendUint(b, c.Running, 10)
	b = append(b, `,"completed":`...)
	b = strconv.AppendUint(b, c.Completed, 10)
	b = append(b, `,"failed":`...)
	b = strconv.AppendUint(b, c.Failed, 10)
	b = append(b, `,"cancelled":`...)
	b = strconv.AppendUint(b, c.Cancelled, 10)
	b = append(b, `,"cpu_seconds":`...)
	b = appendFloat(b, c.CPU.Seconds())
	b = append(b, `,"turns":`...)
	b = strconv.AppendUint(b, c.Turns, 10)
	b = append(b, `,"oldest_waiting_seconds":`...)
	if c.Oldest.IsZero() {
		b = append(b, '0')
	} else {
		b = appendFloat(b, max(now.Sub(c.Oldest), 0).Seconds())
	}
	b = append(b, `,"oldest_submitted_at":`...)
	b = appendTime(b, c.Oldest)
	return append(b, '}')
}

func appendFairness(b []byte, f *fairfactor.Fairness) []byte {
	b = append(b, `{"quantum_us":`...)
	b = strconv.AppendInt(b, f.Quantum.Microseconds(), 10)
	b = append(b, `,"bound_us":`...)
	b = strconv.AppendInt(b, f.Bound.Microseconds(), 10)
	b = append(b, `,"lag_us":`...)
	b = strconv.AppendInt(b, f.Lag.Microseconds(), 10)
	b = append(b, `,"max_lag_us":`...)
	b = strconv.AppendInt(b, f.MaxLag.Microseconds(), 10)
	b = append(b, `,"jain":`...)
	b = appendFloat(b, f.Jain)
	b = append(b, `,"violations":`...)
	b = strconv.AppendUint(b, f.Violations, 10)
	b = append(b, `,"active":`...)
	b = strconv.AppendInt(b, int64(f.Active), 10)
	b = append(b, `,"waiting":`...)
	b = strconv.AppendInt(b, int64(f.Waiting), 10)
	b = append(b, `,"open":`...)
	b = strconv.AppendInt(b, int64(f.Open), 10)
	b = append(b, `,"handed_out":`...)
	b = strconv.AppendUint(b, f.HandedOut, 10)
	b = append(b, `,"epoch":`...)
	b = strconv.AppendUint(b, f.Epoch, 10)
	return append(b, '}')
}

func appendNode(b []byte, n *fairfactor.Node) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, n.ID)
	b = append(b, `,"name":`...)
	b = appendString(b, n.Name)
	b = append(b, `,"address":`...)
	b = appendString(b, n.Address)
	b = append(b, `,"gossip":`...)
	b = appendString(b, n.Gossip)
	b = append(b, `,"state":`...)
	b = appendString(b, n.State)
	b = append(b, `,"self":`...)
	b = strconv.AppendBool(b, n.Self)
	b = append(b, `,"workers":[`...)
	for i := range n.Workers {
		if i > 0 {
			b = append(b, ',')
		}
		w := &n.Workers[i]
		b = append(b, `{"caller_id":`...)
		b = appendStringOrNull(b, w.Caller)
		b = append(b, `,"request_id":`...)
		b = appendStringOrNull(b, w.Job)
		b = append(b, `,"number":`...)
		b = appendStringOrNull(b, w.Number)
		b = append(b, `,"since":`...)
		b = appendTime(b, w.Since)
		b = append(b, '}')
	}
	return append(b, ']', '}')
}

func appendID(b []byte, id fairfactor.ID) []byte { return append(b, id.String()...) }

// appendTime appends a time as a string, or null for the zero time.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, timeFormat)
	return append(b, '"')
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
