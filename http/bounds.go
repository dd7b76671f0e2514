package http

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// bound is a whole number; zero is null, for none.
type bound uint64

// MarshalJSON implements [json.Marshaler].
func (b bound) MarshalJSON() ([]byte, error) {
	if b == 0 {
		return []byte("null"), nil
	}
	return strconv.AppendUint(nil, uint64(b), 10), nil
}

// cpuSeconds is at most what a duration can hold.
func cpuSeconds(n uint64) time.Duration {
	return time.Duration(min(n, uint64(math.MaxInt64/time.Second))) * time.Second
}

// boundNames are the members that change a caller's bounds.
var boundNames = []string{"max_queue", "max_rate", "max_digits", "max_cpu_seconds_per_day"}

// boundsIn reads which bounds to change; null takes one away. ok is false if there are none.
func boundsIn(values map[string]json.RawMessage) (change fairfactor.BoundsChange, ok bool, err error) {
	var n [4]*uint64
	for i, name := range boundNames {
		raw := values[name]
		if raw == nil {
			continue
		}
		value, err := uint64(0), error(nil)
		if string(raw) != "null" {
			value, err = strconv.ParseUint(string(raw), 10, 53)
		}
		if err != nil || value == 0 && string(raw) != "null" {
			return change, false, refuse(badBound, name+" must be a whole number, 1 or more, or null for no bound of the caller's own", shown(name, string(raw)))
		}
		n[i], ok = &value, true
	}
	change.MaxQueue, change.MaxRate, change.MaxDigits = n[0], n[1], n[2]
	if n[3] != nil {
		change.MaxCPU = new(cpuSeconds(*n[3]))
	}
	if err := fairfactor.CheckBounds(change.Apply(fairfactor.Bounds{})); err != nil {
		return change, false, problemAs(badBound, err)
	}
	return change, ok, nil
}

// appendChange appends the body that asks for a change.
func appendChange(c *fairfactor.BoundsChange) ([]byte, error) {
	body := map[string]bound{}
	for i, n := range [...]*uint64{c.MaxQueue, c.MaxRate, c.MaxDigits} {
		if n != nil {
			body[boundNames[i]] = bound(*n)
		}
	}
	if c.MaxCPU != nil {
		body[boundNames[3]] = bound(*c.MaxCPU / time.Second)
	}
	return json.Marshal(body)
}

// quotaFacts are the members of a problem document that say which bound was reached, by
// the name of the quota: those that set it.
var quotaFacts = map[string]string{"queue": boundNames[0], "rate": boundNames[1], "digits": boundNames[2], "cpu": boundNames[3]}

// quotaOf returns the bound of a caller that err is about, or nil.
func quotaOf(err error) *fairfactor.Quota {
	var e *fairfactor.Error
	if errors.As(err, &e) {
		return e.Quota
	}
	return nil
}

// paceHeaders tell a client which bound it reached, and when it can go on
// (draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4).
func paceHeaders(h *fasthttp.ResponseHeader, q *fairfactor.Quota) {
	name := strconv.Quote(q.Name)
	policy := append([]byte(name), ";q="...)
	policy = strconv.AppendUint(policy, q.Limit, 10)
	if q.Unit != "requests" { // which is the default
		policy = append(policy, `;qu=`+strconv.Quote(q.Unit)...)
	}
	if q.Window > 0 {
		policy = strconv.AppendInt(append(policy, ";w="...), int64(q.Window/time.Second), 10)
	}
	left := append([]byte(name), ";r=0"...)
	if q.Reset > 0 {
		left = strconv.AppendInt(append(left, ";t="...), int64(math.Ceil(q.Reset.Seconds())), 10)
	}
	h.SetCanonical(policyName, policy)
	h.SetCanonical(limitName, left)
}
