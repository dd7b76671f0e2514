package http

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// submitterOf returns who submits: the header X-Caller-ID or ?caller_id=, or both
// if they agree. The name may be a part of the request.
func submitterOf(r *request) ([]byte, error) {
	if r.otherCaller != nil {
		return nil, refuse(badCaller, "the header X-Caller-ID appears twice, with different callers: send it once", shown("caller_id", string(r.caller)), shown("other", string(r.otherCaller)))
	}
	asked, has, err := queryValue(r, "caller_id")
	if err != nil {
		return nil, err
	}
	caller := r.caller
	if has {
		if len(caller) > 0 && asked != string(caller) {
			return nil, refuse(badCaller, "the header X-Caller-ID and the parameter caller_id name different callers: send one of them", shown("caller_id", string(caller)), shown("other", asked))
		}
		caller = []byte(asked)
	}
	if string(caller) == "." || string(caller) == ".." {
		return nil, refuse(badCaller, "a caller can't be named . or .. because proxies take these out of paths", shown("caller_id", string(caller)))
	}
	// What is looked at as a string is gone when checkCaller returns.
	_, err = checkCaller(unsafe.String(unsafe.SliceData(caller), len(caller)))
	return caller, err
}

func checkCaller(name string) (string, error) {
	caller, err := fairfactor.ParseCaller(name)
	if err != nil {
		return "", problemAs(badCaller, err, shown("caller_id", strings.Clone(name)))
	}
	return caller, nil
}

// queryValue returns a parameter of the query, which may be there once, or more
// often with the same value.
func queryValue(r *request, name string) (value string, has bool, err error) {
	if len(r.ctx.URI().QueryString()) == 0 {
		return "", false, nil
	}
	for _, v := range r.ctx.QueryArgs().PeekMulti(name) {
		if has && string(v) != value {
			return "", false, refuse(badRequest, "the parameter "+name+" appears twice, with different values: send it once", fact{name: "parameter", text: name})
		}
		value, has = string(v), true
	}
	return value, has, nil
}

// queryLimit returns ?limit=, or def without it.
func queryLimit(r *request, def int) (int, error) {
	text, has, err := queryValue(r, "limit")
	if err != nil || !has {
		return def, err
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > fairfactor.MaxPage {
		return 0, refuse(badRequest, "limit must be a whole number between 1 and "+strconv.Itoa(fairfactor.MaxPage), shown("limit", text))
	}
	return limit, nil
}

// waitOf returns how long the client wants to wait for a job to end, at most
// [maxWait], and whether it said so in a Prefer header. Nonsense in ?wait= is
// refused; in Prefer it is ignored (RFC 7240, section 2).
func waitOf(r *request) (wait time.Duration, preferred bool, err error) {
	text, has, err := queryValue(r, "wait")
	if err != nil {
		return 0, false, err
	}
	if has {
		seconds, ok := parseSeconds(text)
		if !ok {
			return 0, false, refuse(badRequest, fmt.Sprintf("wait must be a whole number of seconds: above %d it counts as that", int(maxWait.Seconds())), shown("wait", text), count("max_seconds", int(maxWait.Seconds())))
		}
		return seconds, false, nil
	}
	if r.prefers <= 1 {
		wait, ok := preferredWait(string(r.prefer))
		return wait, ok, nil
	}
	for _, line := range r.ctx.Request.Header.PeekAll("Prefer") {
		if wait, ok := preferredWait(string(line)); ok {
			return wait, true, nil
		}
	}
	return 0, false, nil
}

// preferredWait finds wait=N in the value of a Prefer header. The first one
// counts.
func preferredWait(line string) (time.Duration, bool) {
	for preference := range strings.SplitSeq(line, ",") {
		preference, _, _ = strings.Cut(preference, ";")
		name, value, _ := strings.Cut(preference, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		value = strings.TrimSpace(value)
		if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		return parseSeconds(value)
	}
	return 0, false
}

// parseSeconds reads a whole number of seconds; more than [maxWait] is maxWait.
func parseSeconds(text string) (time.Duration, bool) {
	if text == "" || len(text) > 9 {
		return 0, false
	}
	seconds := 0
	for i := 0; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		seconds = seconds*10 + int(text[i]-'0')
	}
	return min(time.Duration(seconds)*time.Second, maxWait), true
}

// preferenceApplied tells the client that its Prefer: wait was heard, and how
// much of it.
func preferenceApplied(resp *fasthttp.Response, wait time.Duration) {
	resp.Header.Set("Preference-Applied", "wait="+strconv.Itoa(int(wait.Seconds())))
}
