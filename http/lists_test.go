package http_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// listed is a page of any list.
type listed struct {
	Jobs    []map[string]any `json:"jobs"`
	Callers []map[string]any `json:"callers"`
	Next    *string          `json:"next"`
}

// crowded is a service with so many finished jobs, each of a caller of its own.
func crowded(t *testing.T, n int, build func(httpd.Config) *httpd.Server) *service {
	t.Helper()
	jobs := newMemory()
	jobs.instant = true
	for i := range n {
		if _, err := jobs.Submit(deadline(), fmt.Sprintf("caller-%04d", i), []fairfactor.Submission{{Number: "1000000007"}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	return startServer(t, jobs, build)
}

// TestLongListsAreWhole: a list that is made in parts is the same as one that is asked
// for in small pages, plain and compressed, and ends where it should.
func TestLongListsAreWhole(t *testing.T) {
	s := crowded(t, 1090, httpd.New)
	for _, c := range []struct{ path, cursor string }{{"/compute?", "cursor"}, {"/callers?", "after"}} {
		for _, limit := range []int{100, 250, 251, 500, 750, 999, 1000} {
			var all listed
			next, pages := "", 0
			for {
				page := s.page(t, fmt.Sprintf("%slimit=%d%s", c.path, limit, next), limit%2 == 0)
				all.Jobs, all.Callers = append(all.Jobs, page.Jobs...), append(all.Callers, page.Callers...)
				if got, rest := len(page.Jobs)+len(page.Callers), 1090-pages*limit; got != min(limit, rest) {
					t.Fatalf("%s limit %d, page %d has %d entries", c.path, limit, pages, got)
				}
				if pages++; page.Next == nil {
					break
				}
				next = "&" + c.cursor + "=" + *page.Next
			}
			seen := map[any]bool{}
			for _, entry := range append(all.Jobs, all.Callers...) {
				seen[entry["caller_id"]] = true
			}
			if want := (1090 + limit - 1) / limit; len(seen) != 1090 || pages != want {
				t.Errorf("%s limit %d: %d pages, %d different entries", c.path, limit, pages, len(seen))
			}
		}
	}
	if page := s.page(t, "/callers?limit=1000&prefix=caller-00", false); len(page.Callers) != 100 || page.Next != nil {
		t.Errorf("a prefix: %d callers, next %v", len(page.Callers), page.Next)
	}
	if page := s.page(t, "/callers?limit=1000&prefix=caller-0", false); len(page.Callers) != 1000 || page.Next == nil {
		t.Errorf("a prefix that fills the page: %d callers, next %v", len(page.Callers), page.Next)
	}
}

func (s *service) page(t *testing.T, path string, compressed bool) (page listed) {
	t.Helper()
	req, err := http.NewRequest("GET", s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if compressed {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body := io.Reader(resp.Body)
	if coding := resp.Header.Get("Content-Encoding"); compressed != (coding == "gzip") {
		t.Fatalf("%s is encoded as %q", path, coding)
	} else if compressed {
		if body, err = gzip.NewReader(resp.Body); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(body)
	if err == nil {
		err = json.Unmarshal(text, &page)
	}
	if err != nil || resp.StatusCode != 200 || !bytes.HasSuffix(text, []byte("}\n")) {
		t.Fatalf("GET %s: %d, %v: %.200s", path, resp.StatusCode, err, text)
	}
	return page
}

// TestReadersAreServedNextToThoseWhoDoNotRead: clients that ask for pages and never read
// them fill the memory for answers; those that have waited longest are cut off as soon
// as another one needs it, and the memory stays in its bounds.
func TestReadersAreServedNextToThoseWhoDoNotRead(t *testing.T) {
	const memory, slack = 1 << 20, 1.2
	s := crowded(t, 1000, func(cfg httpd.Config) *httpd.Server {
		cfg.AnswerMemory = memory
		return httpd.NewImpatient(cfg, 1000, time.Minute).Bound(300*time.Millisecond, time.Minute)
	})
	page := "GET /compute?limit=1000 HTTP/1.1\r\nHost: node\r\n\r\n"
	deaf := make([]net.Conn, 40)
	for i := range deaf {
		deaf[i] = dial(t, s.addr)
		if err := deaf[i].(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		request := strings.Repeat(page, 30)
		if i%4 == 1 {
			request = "GET /compute/export HTTP/1.1\r\nHost: node\r\n\r\n"
		} else if i%4 == 2 {
			request = strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: node\r\n\r\n", 30)
		}
		if _, err := io.WriteString(deaf[i], request); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the memory is full, and some are cut off", func() bool {
		return s.metric("fairfactor_http_answer_bytes") > memory/2 && s.metric("fairfactor_http_answers_cut_total") > 5
	})
	for range 5 {
		if got := s.page(t, "/compute?limit=1000", false); len(got.Jobs) != 1000 {
			t.Errorf("a page of %d jobs", len(got.Jobs))
		}
		if now := s.metric("fairfactor_http_answer_bytes"); now > slack*memory {
			t.Errorf("%.0f bytes of answers, %d may be", now, memory)
		}
	}
	if a := s.do("GET", "/livez", ""); a.status != 200 {
		t.Errorf("a short answer: %d", a.status)
	}
	for _, conn := range deaf {
		conn.Close()
	}
	eventually(t, "all is given back", func() bool { return s.metric("fairfactor_http_answer_bytes") == 0 })
}

// TestLongAnswersWaitTheirTurn: what does not fit waits until what is there is read, or
// is refused when that takes too long; an answer whose client hangs up waits no more.
func TestLongAnswersWaitTheirTurn(t *testing.T) {
	var server *httpd.Server
	s := crowded(t, 1000, func(cfg httpd.Config) *httpd.Server {
		cfg.AnswerMemory = 1 // one at a time
		server = httpd.NewImpatient(cfg, 100, time.Minute).Bound(time.Hour, time.Hour)
		return server
	})
	ask := func() net.Conn {
		conn := dial(t, s.addr)
		if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "GET /compute?limit=1000 HTTP/1.1\r\nHost: node\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	first := ask()
	eventually(t, "the first is stuck", func() bool {
		held := s.metric("fairfactor_http_answer_bytes")
		return held > 0 && held < 200<<10
	})
	second, third := ask(), ask()
	eventually(t, "two wait", func() bool { return s.metric("fairfactor_http_answers_waiting") == 2 })
	third.Close()
	eventually(t, "one has hung up", func() bool { return s.metric("fairfactor_http_answers_waiting") == 1 })
	var both sync.WaitGroup
	for _, conn := range []net.Conn{first, second} {
		both.Go(func() {
			a, err := readWhole(bufio.NewReader(conn), "GET")
			if err != nil || a.status != 200 || strings.Count(a.body, `"request_id"`) != 1000 {
				t.Errorf("an answer that waited: %v %.200v", err, a)
			}
		})
	}
	both.Wait()
	server.Bound(time.Hour, time.Millisecond)
	ask()
	eventually(t, "the first is stuck again", func() bool { return s.metric("fairfactor_http_answer_bytes") > 0 })
	a := s.do("GET", "/compute?limit=1000", "")
	a.problem(t, "an answer that waited too long", 503, "unavailable")
	if a.header.Get("Retry-After") == "" {
		t.Errorf("header %v", a.header)
	}
}
