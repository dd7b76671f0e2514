package http_test

import (
	"strings"
	"testing"

	"fairfactor"
	httpd "fairfactor/http"
)

// TestCallbackOfASubmission: what the node may call is accepted and shown, in a single
// submission and in a batch.
func TestCallbackOfASubmission(t *testing.T) {
	s := startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server {
		cfg.Callbacks = func(url string) error {
			if !strings.HasPrefix(url, "https://example.com/") {
				return fairfactor.Errorf(fairfactor.Invalid, "not this host")
			}
			return nil
		}
		return httpd.New(cfg)
	})
	const url = "https://example.com/hook?x=1"
	a := s.post(`{"number":"7","callback_url":"` + url + `"}`)
	job := s.do("GET", a.header.Get("Location"), "")
	callback, _ := job.doc["callback"].(map[string]any)
	if a.status != 202 || callback["url"] != url || callback["state"] != "waiting" || callback["attempts"] != 0.0 || callback["last_error"] != nil || callback["next"] != nil || len(callback) != 5 {
		t.Errorf("%s %s", a.body, job.body)
	}
	if plain := s.do("GET", s.post(`{"number":"7"}`).header.Get("Location"), ""); strings.Contains(plain.body, "callback") {
		t.Errorf("a job without a callback: %s", plain.body)
	}
	lines := s.batch(`{"number":"7","callback_url":"` + url + `"}` + "\n" + `{"number":"7","callback_url":"https://evil.test/"}` + "\n")
	if lines[0].Status != "pending" || lines[1].Status != 422.0 || lines[1].Type != "urn:fairfactor:problem:bad-callback" || lines[1].Detail != "not this host" {
		t.Errorf("in a batch: %+v", lines)
	}
	for _, raw := range []string{`7`, `null`, `["` + url + `"]`, `"http://example.com/"`, `""`} {
		s.post(`{"number":"7","callback_url":`+raw+`}`).problem(t, raw, 422, "bad-callback")
	}
}

func TestNoCallbacksByDefault(t *testing.T) {
	s := start(t)
	s.post(`{"number":"7","callback_url":"https://example.com/"}`).problem(t, "no callbacks", 422, "bad-callback")
	if n := s.jobs.count(); n != 0 {
		t.Errorf("%d jobs came of refused callbacks", n)
	}
}
