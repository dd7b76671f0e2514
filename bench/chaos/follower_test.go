package chaos

import (
	"context"
	"strings"
	"testing"

	"fairfactor/bench/internal/client"
)

// What a follower is told is compared with the store, event by event.
func TestFollower(t *testing.T) {
	accepted := message{"accepted", "1-2-1", `{"request_id":"a"}`}
	ended := message{"completed", "1-3-1", `{"request_id":"a"}`}
	tests := map[string]struct {
		messages []message
		fault    string
	}{
		"all is told":      {[]message{{id: "1-1-0"}, accepted, {"running", "1-2-1", "{}"}, ended, {id: "1-4-0"}}, ""},
		"an end is not":    {[]message{accepted}, "as ended: []"},
		"an end is twice":  {[]message{accepted, ended, {"completed", "1-4-1", `{"request_id":"a"}`}}, `["completed" "completed"]`},
		"an event again":   {[]message{accepted, accepted, ended}, "came after one at 1-2-1"},
		"another end":      {[]message{accepted, {"failed", "1-3-1", `{"request_id":"a"}`}}, `as ended: ["failed"]`},
		"out of order":     {[]message{ended, {"accepted", "1-4-1", `{"request_id":"a"}`}}, "accepted after it had ended"},
		"not accepted":     {[]message{ended}, "accepted 0 times"},
		"a gap":            {[]message{accepted, {"gap", "1-2-2", "{}"}, ended}, `the event "gap"`},
		"a job of no one":  {[]message{accepted, ended, {"failed", "1-4-1", `{"request_id":"b"}`}}, "1 jobs were told as ended"},
		"what is no event": {[]message{accepted, {"completed", "", "x"}, ended}, `the event "completed" with the id ""`},
	}
	for name, test := range tests {
		f, v := newFollower(nil), &verdict{}
		for _, m := range test.messages {
			f.take(m)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // nothing more will come
		f.judge(ctx, []stored{{Job: client.Job{ID: "a", Status: "completed"}}}, v)
		if found := strings.Join(v.Examples, "; "); (v.Mistold > 0) != (test.fault != "") || !strings.Contains(found, test.fault) || v.broken() != v.Mistold {
			t.Errorf("%s: %d faults: %s", name, v.Mistold, found)
		}
	}
}
