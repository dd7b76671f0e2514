package http_test

import (
	"strings"
	"testing"
	"time"

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

// callback sets what became of the message to a job's callback.
func (m *memory) callback(id fairfactor.ID, c fairfactor.Callback) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c.URL = m.jobs[id].Callback.URL
	m.jobs[id].Callback = &c
}

// TestPageDelivery: the page tells of a job's delivery, also when it comes after the end.
func TestPageDelivery(t *testing.T) {
	t.Parallel()
	s := startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server {
		cfg.Callbacks = func(string) error { return nil }
		return httpd.New(cfg)
	})
	if a := s.post(`{"number":"91","callback_url":"https://hooks.example.com:8443/x?token=abc"}`); a.status != 202 {
		t.Fatal(a.body)
	}
	id := s.newest()
	w := open(t, s.url+"/#/jobs/"+id.String())
	w.reads(".life", "Verified not yet", "Delivered to hooks.example.com:8443 when the job has ended")
	s.jobs.callback(id, fairfactor.Callback{State: fairfactor.DeliveryPending})
	s.jobs.finish(id, fairfactor.Completed, sevenThirteen, "")
	w.reads(".life", "Delivery to hooks.example.com:8443 is under way")
	s.jobs.callback(id, fairfactor.Callback{State: fairfactor.DeliveryPending, Attempts: 2, LastError: "the answer was 503", Next: time.Now()})
	w.reads(".life", "Delivery to hooks.example.com:8443, 2 attempts: the answer was 503; the next one at ")
	s.jobs.callback(id, fairfactor.Callback{State: fairfactor.Delivered, Attempts: 3})
	w.reads(".life", "Delivered to hooks.example.com:8443 at the 3rd attempt")
	s.jobs.callback(id, fairfactor.Callback{State: fairfactor.DeliveryFailed, Attempts: 12, LastError: "the answer was 410"})
	w.reload()
	w.reads(".life", "Not delivered given up: hooks.example.com:8443 did not take it, 12 attempts: the answer was 410")
}
