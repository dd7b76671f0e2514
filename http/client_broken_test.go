package http_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// soon is how long a call may take that must end at once.
const soon = 5 * time.Second

var anID = fairfactor.ID{Nonce: 7, Caller: 1, Seq: 1}

// against returns a client of a server with that handler.
func against(t *testing.T, handler http.HandlerFunc) (*httpd.Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return connect(t, server.URL), server
}

// within fails a test whose function takes too long.
func within[T any](t *testing.T, do func() (T, error)) (T, error) {
	t.Helper()
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-time.After(soon):
		t.Fatalf("the call has not ended after %v", soon)
		panic("unreachable")
	}
}

func TestNoNode(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + ln.Addr().String()
	ln.Close()
	c := connect(t, url)
	for name, err := range map[string]error{
		"Job":    second(c.Job(t.Context(), anID)),
		"Wait":   second(c.Wait(t.Context(), anID)),
		"one":    second(c.Submit(t.Context(), "a", []fairfactor.Submission{{Number: "6"}}, nil)),
		"many":   second(c.Submit(t.Context(), "a", []fairfactor.Submission{{Number: "6"}, {Number: "7"}}, nil)),
		"keyed":  second(c.Submit(t.Context(), "a", []fairfactor.Submission{{Number: "6", Key: "k"}, {Number: "7", Key: "l"}}, nil)),
		"Nodes":  second(c.Nodes(t.Context())),
		"Weight": second(c.SetWeight(t.Context(), "a", 1)),
	} {
		message := fairfactor.MessageOf(err)
		if fairfactor.CodeOf(err) != fairfactor.Unavailable || !strings.Contains(message, url) || !strings.Contains(message, "`fairfactor serve`") {
			t.Errorf("%s: %#v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestURLs(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"http://127.0.0.1:5555", "http://127.0.0.1:5555"},
		{"127.0.0.1:5555", "http://127.0.0.1:5555"},
		{"localhost", "http://localhost"},
		{"https://a.example/below/", "https://a.example/below"},
		{"http://me:secret@a.example", "http://me:xxxxx@a.example"},
		{"[::1]:80", "http://[::1]:80"},
	} {
		if client, err := httpd.NewClient(c.url); err != nil || client.String() != c.want {
			t.Errorf("%q: %v %v, want %s", c.url, client, err, c.want)
		}
	}
	for _, url := range []string{"", "ftp://a", "http://", "http://a:port", "http://a/?x=1", "http://a/#x", "http://%zz", "http://me:secret@a/?x"} {
		_, err := httpd.NewClient(url)
		if fairfactor.CodeOf(err) != fairfactor.Invalid || strings.Contains(fairfactor.MessageOf(err), "secret") {
			t.Errorf("%q: %v, want it refused", url, err)
		}
	}
}

func TestClientBelowAPath(t *testing.T) {
	c, server := against(t, func(w http.ResponseWriter, r *http.Request) { http.Error(w, r.URL.Path, http.StatusTeapot) })
	base := connect(t, server.URL+"/below/it/")
	for client, want := range map[*httpd.Client]string{c: "/nodes", base: "/below/it/nodes"} {
		var got string
		server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r.URL.Path
			io.WriteString(w, `{"nodes":[]}`)
		})
		if _, err := client.Nodes(t.Context()); err != nil || got != want {
			t.Errorf("%v: asked for %q, want %q (%v)", client, got, want, err)
		}
	}
}

func TestCodesOfStatuses(t *testing.T) {
	var status int
	var after string
	problem := true
	c, _ := against(t, func(w http.ResponseWriter, _ *http.Request) {
		if problem {
			w.Header().Set("Content-Type", "application/problem+json")
		}
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"type":"x","title":"a title","status":%d,"detail":"a detail","more":[{}]}`, status)
	})
	for _, row := range []struct {
		status int
		after  string
		code   fairfactor.Code
		retry  time.Duration
	}{
		{400, "", fairfactor.Invalid, 0},
		{405, "", fairfactor.Invalid, 0},
		{415, "", fairfactor.Invalid, 0},
		{422, "", fairfactor.Invalid, 0},
		{404, "", fairfactor.NotFound, 0},
		{409, "", fairfactor.Conflict, 0},
		{413, "", fairfactor.Limit, 0},
		{429, "2", fairfactor.Limit, 2 * time.Second},
		{431, "", fairfactor.Limit, 0},
		{408, "", fairfactor.Unavailable, 0},
		{502, "", fairfactor.Unavailable, 0},
		{504, "", fairfactor.Unavailable, 0},
		{503, "30", fairfactor.Unavailable, 30 * time.Second},
		{503, "-1", fairfactor.Unavailable, 0},
		{503, "soon", fairfactor.Unavailable, 0},
		{503, "99999999999999999999", fairfactor.Unavailable, 0},
		{503, "9999999999999", fairfactor.Unavailable, 24 * time.Hour},
		{503, time.Now().Add(48 * time.Hour).UTC().Format(http.TimeFormat), fairfactor.Unavailable, 24 * time.Hour},
		{500, "9", fairfactor.Internal, 0},
		{501, "", fairfactor.Internal, 0},
		{418, "", fairfactor.Internal, 0},
	} {
		status, after = row.status, row.after
		_, err := c.Job(t.Context(), anID)
		if e, ok := err.(*fairfactor.Error); !ok || e.Code != row.code || e.Retry != row.retry || e.Message != "a detail" {
			t.Errorf("%d, Retry-After %q: %#v, want %s %v", row.status, row.after, err, row.code, row.retry)
		}
	}
	problem = false // a proxy, or something else altogether
	for code, s := range map[fairfactor.Code]int{fairfactor.NotFound: 404, fairfactor.Unavailable: 502} {
		status = s
		if _, err := c.Job(t.Context(), anID); fairfactor.CodeOf(err) != code || !strings.Contains(fairfactor.MessageOf(err), "check the URL") {
			t.Errorf("a stranger's %d: %v", s, err)
		}
	}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	const job = `{"request_id":"%s","caller_id":"a","number":"6","status":"%s","result":%s}`
	var answer string
	c, _ := against(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) })
	good := fmt.Sprintf(job, anID, "completed", `{"3":1,"2":1},"unknown":{"a":[1]}`)
	answer = good
	if j, err := c.Job(t.Context(), anID); err != nil || len(j.Factors) != 2 || j.Factors[0].Prime != "2" {
		t.Fatalf("a sound answer: %+v %v", j, err)
	}
	for _, answer = range []string{
		"", "null", "[]", "<html>", good[:len(good)-1], good + "x",
		fmt.Sprintf(job, "short", "completed", "{}"), fmt.Sprintf(job, anID, "done", "{}"), fmt.Sprintf(job, anID, "completed", `{"x":1}`),
		fmt.Sprintf(job, anID, "completed", `{"02":1}`), fmt.Sprintf(job, anID, "completed", `{"2":0}`), fmt.Sprintf(job, anID, "completed", `{"2":"1"}`),
		strings.Repeat(" ", 65<<20),
	} {
		if _, err := c.Job(t.Context(), anID); fairfactor.CodeOf(err) != fairfactor.Internal {
			t.Errorf("%.80q: %v, want internal", answer, err)
		}
	}
}

func TestClientFollowsNoRedirect(t *testing.T) {
	requests := 0
	c, _ := against(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		http.Redirect(w, r, "https://elsewhere.example/compute", http.StatusMovedPermanently)
	})
	receipts, err := c.Submit(t.Context(), "a", []fairfactor.Submission{{Number: "6"}}, nil)
	if err == nil && len(receipts) == 1 {
		err = receipts[0].Err
	}
	if fairfactor.CodeOf(err) != fairfactor.Invalid || !strings.Contains(err.Error(), "https://elsewhere.example") || requests != 1 {
		t.Errorf("%v after %d requests", err, requests)
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	entered := make(chan struct{}, 1)
	c, server := against(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		entered <- struct{}{}
		<-r.Context().Done()
	})
	two := []fairfactor.Submission{{Number: "6"}, {Number: "7"}}
	for name, call := range map[string]func(context.Context) (any, error){
		"Job":   func(ctx context.Context) (any, error) { return c.Job(ctx, anID) },
		"one":   func(ctx context.Context) (any, error) { return c.Submit(ctx, "a", two[:1], nil) },
		"batch": func(ctx context.Context) (any, error) { return c.Submit(ctx, "a", two, nil) },
		"List":  func(ctx context.Context) (any, error) { return c.List(ctx, fairfactor.Query{}) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-entered; cancel() }()
		_, err := within(t, func() (any, error) { return call(ctx) })
		if fairfactor.CodeOf(err) != fairfactor.Canceled || !errors.Is(err, context.Canceled) || !strings.Contains(fairfactor.MessageOf(err), server.URL) {
			t.Errorf("%s: %#v", name, err)
		}
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	// The node holds long polls back, and answers at once without ?wait=.
	answer := func(w http.ResponseWriter, state string) {
		fmt.Fprintf(w, `{"request_id":%q,"caller_id":"a","number":"6","status":%q,"result":null}`, anID, state)
	}
	polling := make(chan string, 1)
	c, _ := against(t, func(w http.ResponseWriter, r *http.Request) {
		wait := r.URL.Query().Get("wait")
		if wait == "" {
			answer(w, "running")
			return
		}
		polling <- wait
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		wait := <-polling
		if seconds, err := strconv.Atoi(wait); err != nil || seconds < 22 || seconds > 30 {
			t.Errorf("asked to wait for %q seconds", wait)
		}
		cancel()
	}()
	job, err := within(t, func() (fairfactor.Job, error) { return c.Wait(ctx, anID) })
	if err != nil || job.State != fairfactor.Running {
		t.Errorf("cancelled: %v %v, want the running job", job.State, err)
	}
	if job, err = within(t, func() (fairfactor.Job, error) { return c.Wait(ctx, anID) }); err != nil || job.State != fairfactor.Running {
		t.Errorf("with a context that has ended: %v %v, want the running job", job.State, err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	job, err = within(t, func() (fairfactor.Job, error) { return c.Wait(ctx, anID) })
	if wait := <-polling; err != nil || job.State != fairfactor.Running || wait != "1" {
		t.Errorf("deadline: %v %v, asked for %q; want the running job", job.State, err, wait)
	}
}

func TestWaitGoesOnUntilTheJobHasEnded(t *testing.T) {
	// A node that drains answers long polls at once; the next one has the end.
	var polls atomic.Int32
	c, _ := against(t, func(w http.ResponseWriter, _ *http.Request) {
		state := "running"
		if polls.Add(1) == 3 {
			state = "cancelled"
		}
		fmt.Fprintf(w, `{"request_id":%q,"caller_id":"a","number":"6","status":%q,"result":null}`, anID, state)
	})
	job, err := within(t, func() (fairfactor.Job, error) { return c.Wait(t.Context(), anID) })
	if err != nil || job.State != fairfactor.Cancelled || polls.Load() != 3 {
		t.Errorf("%v %v after %d polls", job.State, err, polls.Load())
	}
}

// TestBatchThatBreaks cuts the answer to a batch: what was answered is kept,
// the rest gets an error that says so.
func TestBatchThatBreaks(t *testing.T) {
	line := fmt.Sprintf(`{"request_id":%q,"status":"pending","caller_id":"a","number":"6"}`+"\n", anID)
	problem := `{"type":"x","title":"full","status":429,"detail":"too many","retry_after":5}` + "\n"
	for name, row := range map[string]struct {
		body string
		cut  bool // the connection breaks after it
		code fairfactor.Code
	}{
		"ends early":  {line + problem, false, fairfactor.Unavailable},
		"breaks":      {line + problem, true, fairfactor.Unavailable},
		"half a line": {line + problem + line[:20], true, fairfactor.Unavailable},
		"nonsense":    {line + problem + "<html>\n", false, fairfactor.Internal},
		"neither":     {line + problem + "{}\n", false, fairfactor.Internal},
		"endless":     {line + problem + strings.Repeat("x", 2<<20), false, fairfactor.Internal},
	} {
		c, _ := against(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, row.body)
			w.(http.Flusher).Flush()
			if row.cut {
				panic(http.ErrAbortHandler)
			}
		})
		receipts, err := c.Submit(t.Context(), "a", make([]fairfactor.Submission, 5), nil)
		if err != nil || len(receipts) != 5 {
			t.Errorf("%s: %d receipts, %v", name, len(receipts), err)
			continue
		}
		if r := receipts[0]; r.Err != nil || r.Job.ID != anID {
			t.Errorf("%s: first receipt %+v", name, r)
		}
		if e, ok := receipts[1].Err.(*fairfactor.Error); !ok || e.Code != fairfactor.Limit || e.Message != "too many" || e.Retry != 5*time.Second {
			t.Errorf("%s: second receipt %#v", name, receipts[1].Err)
		}
		for i := 2; i < 5; i++ {
			if fairfactor.CodeOf(receipts[i].Err) != row.code {
				t.Errorf("%s: receipt %d is %v, want %s", name, i, receipts[i].Err, row.code)
			}
		}
	}
}

// TestSubmissionIsSentOnce breaks a kept connection under a submission: it may
// have been accepted, so it must not be sent again, and the error says so.
func TestSubmissionIsSentOnce(t *testing.T) {
	var submissions atomic.Int32
	c, _ := against(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			io.WriteString(w, `{"nodes":[]}`)
			return
		}
		io.Copy(io.Discard, r.Body)
		submissions.Add(1)
		panic(http.ErrAbortHandler)
	})
	if _, err := c.Nodes(t.Context()); err != nil { // so that there is a connection to keep
		t.Fatal(err)
	}
	_, err := c.Submit(t.Context(), "a", []fairfactor.Submission{{Number: "6"}}, nil)
	if fairfactor.CodeOf(err) != fairfactor.Unavailable || !strings.Contains(err.Error(), "not known whether") || submissions.Load() != 1 {
		t.Errorf("%v after %d submissions", err, submissions.Load())
	}
}

func TestConnectionsAreKept(t *testing.T) {
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusConflict)
		}
		if r.Method == http.MethodPost {
			io.Copy(io.Discard, r.Body)
			for range 2 {
				fmt.Fprintf(w, `{"request_id":%q,"status":"pending","caller_id":"a","number":"6"}`+"\n", anID)
				w.(http.Flusher).Flush()
			}
			return
		}
		io.WriteString(w, `{"nodes":[],"padding":"`+strings.Repeat("x", 10_000)+`"}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := connect(t, server.URL)
	for range 100 {
		if _, err := c.Nodes(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Cancel(t.Context(), anID); fairfactor.CodeOf(err) != fairfactor.Conflict {
			t.Fatal(err)
		}
		if _, err := c.Submit(t.Context(), "a", make([]fairfactor.Submission, 2), nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("300 calls one after the other used %d connections", n)
	}
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			for range 5 {
				if _, err := c.Nodes(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := opened.Load(); n > 500 {
		t.Errorf("1,000 calls of 200 goroutines used %d connections", n)
	}
}
