package http_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

const ndjson = "Content-Type: application/x-ndjson"

// line is one line of a batch's answer.
type line struct {
	ID     string `json:"request_id"`
	Status any    `json:"status"`
	Number string `json:"number"`
	Caller string `json:"caller_id"`
	Type   string `json:"type"`
	Detail string `json:"detail"`
	Retry  int    `json:"retry_after"`
}

func (s *service) batch(body string) []line {
	s.t.Helper()
	a := s.do("POST", "/compute/batch", body, "X-Caller-ID: alice", ndjson)
	if a.status != 200 || a.header.Get("Content-Type") != "application/x-ndjson" {
		s.t.Fatalf("batch: %d %v %.300s", a.status, a.header, a.body)
	}
	return linesOf(s.t, a.body)
}

func linesOf(t *testing.T, body string) (all []line) {
	t.Helper()
	for text := range strings.Lines(body) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil || !strings.HasSuffix(text, "\n") {
			t.Fatalf("line %d is not JSON: %v %.200q", len(all)+1, err, text)
		}
		all = append(all, l)
	}
	return all
}

func TestBatchAnswersLineByLine(t *testing.T) {
	s := start(t)
	long := strings.Repeat(" ", 64<<10)
	body := `{"number":"7"}` + "\n" +
		`{"number":"x"}` + "\r\n" +
		"\n" +
		`{"number":"8"}` + long[:100] + "\n" +
		`{"number":"9"}` + long + "\n" +
		"\xff\n" +
		`{"number":"10","number":"11"}` + "\n" +
		`{"number":12}` // the last line needs no end
	got := s.batch(body)
	want := []line{
		{Status: "pending", Number: "7"},
		{Status: 422.0, Type: "bad-number", Number: "x"},
		{Status: 400.0, Type: "bad-request"},
		{Status: "pending", Number: "8"},
		{Status: 413.0, Type: "too-large"},
		{Status: 400.0, Type: "bad-request"},
		{Status: 400.0, Type: "bad-request"},
		{Status: "pending", Number: "12"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		g := got[i]
		if g.Status != w.Status || g.Number != w.Number || strings.TrimPrefix(g.Type, "urn:fairfactor:problem:") != w.Type || (w.Type == "") != (g.ID != "" && g.Caller == "alice") {
			t.Errorf("line %d: %+v, want %+v", i+1, g, w)
		}
	}
	for _, empty := range []string{"", "\n"} {
		if got := s.batch(empty); len(got) != len(empty) {
			t.Errorf("a batch of %d bytes: %+v", len(empty), got)
		}
	}
}

// TestBatchesOfAnyShape sends random lines, cut into random chunks, and holds
// each answer against the line it is for.
func TestBatchesOfAnyShape(t *testing.T) {
	jobs := newMemory()
	jobs.instant = true
	s := startWith(t, jobs)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for round := range 6 {
		n := []int{1, 999, 1000, 1001, 3000, 10}[round]
		var body strings.Builder
		want := make([]string, n) // number, or empty for a refusal
		for i := range want {
			switch rng.IntN(10) {
			case 0:
				body.WriteString(`{"number":"-1"}`)
			case 1:
				body.WriteString(strings.Repeat("x", rng.IntN(200)))
			case 2:
				if rng.IntN(20) == 0 {
					body.WriteString(strings.Repeat("y", 60<<10+rng.IntN(10<<10)))
				}
			default:
				want[i] = fmt.Sprint(1 + rng.Uint64N(1<<60))
				fmt.Fprintf(&body, `{"number":%q}`, want[i])
			}
			body.WriteByte('\n')
		}
		got := s.sendChunks(rng, body.String())
		if len(got) != n {
			t.Fatalf("%d lines for %d", len(got), n)
		}
		for i := range want {
			if got[i].Type == "" && got[i].Number != want[i] || (got[i].Type == "") != (want[i] != "") {
				t.Fatalf("line %d of %d: %+v, want %q", i+1, n, got[i], want[i])
			}
		}
	}
}

// sendChunks sends a batch in pieces while it reads the answer.
func (s *service) sendChunks(rng *rand.Rand, body string) []line {
	s.t.Helper()
	r, w := io.Pipe()
	go func() {
		for len(body) > 0 {
			n := min(1+rng.IntN(20<<10), len(body))
			if _, err := io.WriteString(w, body[:n]); err != nil {
				return
			}
			body = body[n:]
		}
		w.Close()
	}()
	a, err := s.try("POST", "/compute/batch", r, "X-Caller-ID: alice", ndjson)
	if err != nil || a.status != 200 {
		s.t.Fatalf("%v %+v", err, a)
	}
	return linesOf(s.t, a.body)
}

// TestBatchIsAConversation sends a line only after the answer to the one before.
func TestBatchIsAConversation(t *testing.T) {
	s := start(t)
	r, w := io.Pipe()
	req, err := http.NewRequest("POST", s.url+"/compute/batch?caller_id=alice", r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	go io.WriteString(w, `{"number":"100"}`+"\n")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answers := bufio.NewReader(resp.Body)
	for i := range 20 {
		text, err := answers.ReadString('\n')
		if err != nil || !strings.Contains(text, fmt.Sprintf(`"number":"%d"`, 100+i)) {
			t.Fatalf("line %d: %v %s", i, err, text)
		}
		if _, err := fmt.Fprintf(w, `{"number":"%d"}`+"\n", 101+i); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	if text, err := io.ReadAll(answers); err != nil || strings.Count(string(text), "\n") != 1 {
		t.Errorf("the end: %v %q", err, text)
	}
}

func TestBatchRefusals(t *testing.T) {
	s := start(t)
	for _, row := range []struct {
		query   string
		headers []string
		status  int
		kind    string
	}{
		{"", []string{ndjson}, 400, "bad-caller"},
		{"?caller_id=a%20b", []string{ndjson}, 400, "bad-caller"},
		{"?caller_id=alice", []string{ndjson, "Idempotency-Key: k"}, 400, "bad-request"},
		{"?caller_id=alice", []string{"Content-Type: application/json"}, 415, "unsupported-media-type"},
	} {
		s.do("POST", "/compute/batch"+row.query, `{"number":"7"}`, row.headers...).problem(t, fmt.Sprint(row), row.status, row.kind)
	}
	if n := s.jobs.count(); n != 0 {
		t.Errorf("%d jobs came of refused batches", n)
	}
	s.jobs.maxQueue = 3
	got := s.batch(strings.Repeat(`{"number":"7"}`+"\n", 5))
	for i, l := range got {
		if i < 3 && l.Status != "pending" || i >= 3 && (l.Status != 429.0 || l.Retry != 2) {
			t.Errorf("line %d with room for 3: %+v", i+1, l)
		}
	}
	s.jobs.fail(fairfactor.Errorf(fairfactor.Unavailable, "the store is away"))
	for i, l := range s.batch(strings.Repeat(`{"number":"7"}`+"\n", 5)) {
		if l.Status != 503.0 || l.Detail != "the store is away" {
			t.Errorf("line %d without a store: %+v", i+1, l)
		}
	}
}

func TestTooManyBatches(t *testing.T) {
	s := startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server { return httpd.NewImpatient(cfg, 10, 10*time.Second) })
	r, w := io.Pipe()
	first := make(chan *answer, 1)
	go func() {
		a, err := s.try("POST", "/compute/batch", r, "X-Caller-ID: alice", ndjson)
		if err != nil {
			t.Errorf("the first batch: %v", err)
		}
		first <- a
	}()
	if _, err := io.WriteString(w, `{"number":"7"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first batch is open", func() bool { return s.jobs.count() == 1 })
	a := s.do("POST", "/compute/batch", `{"number":"8"}`, "X-Caller-ID: bob", ndjson)
	a.problem(t, "a second batch", 429, "limit")
	if a.header.Get("Retry-After") == "" {
		t.Errorf("header %v", a.header)
	}
	w.Close()
	if a := <-first; a == nil || len(linesOf(t, a.body)) != 1 {
		t.Errorf("the first batch: %+v", a)
	}
	eventually(t, "there is room again", func() bool {
		return s.do("POST", "/compute/batch", `{"number":"8"}`, "X-Caller-ID: bob", ndjson).status == 200
	})
}

// TestBatchOfKnownLengthFillsItsGroups: however it arrives, a batch whose length is known is
// submitted by as many lines at once as may be, and one whose length is not by what is there.
func TestBatchOfKnownLengthFillsItsGroups(t *testing.T) {
	jobs := newMemory()
	s := startWith(t, jobs)
	const lines = 2500
	body := strings.Repeat(`{"number":"600851475143"}`+"\n", lines)
	if got := s.batch(body); len(got) != lines {
		t.Errorf("%d answers for %d lines", len(got), lines)
	}
	jobs.mu.Lock()
	groups := jobs.sizes
	jobs.sizes = nil
	jobs.mu.Unlock()
	if want := []int{1000, 1000, 500}; !slices.Equal(groups, want) {
		t.Errorf("submitted by %v, want %v", groups, want)
	}

	r, w := io.Pipe()
	defer w.Close()
	answered := make(chan *answer, 1)
	go func() {
		a, err := s.try("POST", "/compute/batch", r, "X-Caller-ID: alice", ndjson)
		if err != nil {
			t.Errorf("a batch of unknown length: %v", err)
		}
		answered <- a
	}()
	if _, err := io.WriteString(w, body[:len(body)/lines]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first line is submitted before the next one comes", func() bool {
		jobs.mu.Lock()
		defer jobs.mu.Unlock()
		return len(jobs.sizes) == 1
	})
	w.Close()
	<-answered
}

func TestTooLongBatch(t *testing.T) {
	jobs := newMemory()
	s := startWith(t, jobs)
	const over = 64<<20 + 1
	req := "POST /compute/batch?caller_id=a HTTP/1.1\r\nHost: node\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n"
	conn := dial(t, s.addr)
	if _, err := fmt.Fprintf(conn, req, over); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// The server looks at the first 8 KiB of a body before it answers.
	if _, err := io.WriteString(conn, strings.Repeat(" ", 8<<10)); err != nil {
		t.Fatal(err)
	}
	a, err := readWhole(bufio.NewReader(conn), "POST")
	if err != nil {
		t.Fatal(err)
	}
	a.problem(t, "a length over the limit", 413, "too-large")

	// Without a length the limit is seen on the way: long lines are the fastest.
	body := io.LimitReader(bufio.NewReaderSize(endless(strings.Repeat("z", 1<<20)+"\n"), 1<<21), over+1<<20)
	a, err = s.try("POST", "/compute/batch", body, "X-Caller-ID: alice", ndjson)
	if err != nil {
		t.Fatalf("a stream over the limit: %v", err)
	}
	all := linesOf(t, a.body)
	if last := all[len(all)-1]; len(all) < 60 || last.Status != 413.0 || !strings.Contains(last.Detail, "not read") {
		t.Errorf("%d lines, the last is %+v", len(all), last)
	}
}

// endless repeats a text.
type endless string

func (e endless) Read(p []byte) (n int, err error) {
	for n+len(e) <= len(p) {
		n += copy(p[n:], e)
	}
	return n, nil
}

// TestKeysInABatch: a line with a key gives the same job again, within the batch and
// when the batch is sent again.
func TestKeysInABatch(t *testing.T) {
	s := start(t)
	body := `{"number":"7","key":"a"}` + "\n" +
		`{"key":"b ~","expression":"2*4"}` + "\n" +
		`{"number":"7","key":"a"}` + "\n" +
		`{"number":"9","key":"a"}` + "\n" +
		`{"number":"9"}` + "\n" +
		`{"number":"x","key":"c"}` + "\n" +
		`{"number":"11","key":"c"}` + "\n"
	first := s.batch(body)
	for i, want := range []line{
		{Status: "pending", Number: "7"},
		{Status: "pending", Number: "8"},
		{Status: "pending", Number: "7"},
		{Status: 422.0, Number: "9", Type: "urn:fairfactor:problem:key-in-use"},
		{Status: "pending", Number: "9"},
		{Status: 422.0, Number: "x", Type: "urn:fairfactor:problem:bad-number"},
		{Status: "pending", Number: "11"},
	} {
		if g := first[i]; g.Status != want.Status || g.Number != want.Number || g.Type != want.Type {
			t.Errorf("line %d: %+v, want %+v", i+1, g, want)
		}
	}
	if first[2].ID != first[0].ID {
		t.Errorf("one key gave the jobs %s and %s", first[0].ID, first[2].ID)
	}
	for i, l := range s.batch(body) {
		if same := l.ID == first[i].ID; same == (i == 4) {
			t.Errorf("line %d again: job %s, the first time %s", i+1, l.ID, first[i].ID)
		}
	}
	single := s.post(`{"number":"8"}`, "Idempotency-Key: b ~", "X-Caller-ID: alice")
	if single.text("request_id") != first[1].ID {
		t.Errorf("the key of a line, sent with a single number: %s, want job %s", single.body, first[1].ID)
	}
}

func TestBadKeysInABatch(t *testing.T) {
	s := start(t)
	long := strings.Repeat("k", fairfactor.MaxKeyBytes)
	for text, detail := range map[string]string{
		`{"number":"7","key":""}`:              "the key is empty",
		`{"number":"7","key":7}`:               "key must be a string",
		`{"number":"7","key":null}`:            "key must be a string",
		`{"number":"7","key":"\u00fc"}`:        "that is not printable ASCII",
		`{"number":"7","key":"a\n"}`:           "that is not printable ASCII",
		`{"number":"7","key":"` + long + `k"}`: "the key has 129 bytes: send at most 128",
		`{"number":"7","key":"a","key":"a"}`:   `the line gives the member "key" twice`,
		`{"key":"a"}`:                          "the line needs the member number or expression",
	} {
		if l := s.batch(text)[0]; l.Status != 400.0 || !strings.Contains(l.Detail, detail) {
			t.Errorf("%.60s: %+v, want %q", text, l, detail)
		}
	}
	if l := s.batch(`{"number":"7","key":"` + long + `"}`)[0]; l.Status != "pending" {
		t.Errorf("the longest key: %+v", l)
	}
	s.post(`{"number":"7","key":"a"}`).problem(t, "the member in a single submission", 400, "bad-request")
}
