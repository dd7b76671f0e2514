package client

import (
	"testing"
)

func TestRequestIDIsFoundWithoutDecoding(t *testing.T) {
	const id = "bdt616b6xw0000000400000004"
	for _, c := range []struct{ body, want string }{
		{`{"request_id":"` + id + `","status":"pending"}`, id},
		{`{"status":"pending", "request_id": "` + id + `"}`, id},
		{`{"request_id":"short"}`, ""},
		{`{"request_id":"` + id, ""},
		{`{"request_id":null,"x":"0123456789012345678901234567"}`, ""},
		{`{"status":429}`, ""},
		{``, ""},
	} {
		if got := RequestID([]byte(c.body)); got != c.want {
			t.Errorf("%s: %q, want %q", c.body, got, c.want)
		}
	}
}
