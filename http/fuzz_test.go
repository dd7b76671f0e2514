package http_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"syscall"
	"testing"
	"time"

	httpd "fairfactor/http"
)

// bodies are seeds: what clients send, and what looks like it.
var bodies = []string{
	`{"number":"123"}`, ` { "number" : "123" } `, `{"number":123}`, `{"number":0}`, `{"number":007}`, `{"number":""}`, `{"number":"1","number":"2"}`,
	`{"number":"12`, `{"number":12`, `{"number":"1"}}`, `{"Number":"1"}`, `{"number":"\u0031"}`, `{"number":1.0}`, `{"number":-1}`, `{}`, `[]`, "\xff", "{\"number\":\"1\"}\x00",
	"\xef\xbb\xbf{\"number\":\"1\"}", `{"number":{"number":"1"}}`, `{"number":"1"}//`, "{\"number\":\n\t\r \"1\"\n}\r\n", "{\"number\":\"1\"\v}",
	`{"expression":"2^67-1"}`, `{"expression":"1","number":"1"}`, `{"expression":1}`,
}

// FuzzPlainNumber holds the quick reader of a submission against the careful
// one: what the quick one takes, the careful one must take for the same number.
func FuzzPlainNumber(f *testing.F) {
	for _, body := range bodies {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) { plainAgreesWithAny(t, body) })
}

func plainAgreesWithAny(t *testing.T, body []byte) {
	t.Helper()
	digits, ok := httpd.PlainNumber(body)
	text, err := httpd.AnyNumber(body)
	if ok && (err != nil || text != string(digits)) {
		t.Fatalf("%q: the quick reader says %q, the careful one %q %v", body, digits, text, err)
	}
	// What the careful one takes is JSON for the standard library too.
	var doc struct {
		Number any `json:"number"`
	}
	if err == nil && json.Unmarshal(body, &doc) != nil {
		t.Fatalf("%q is taken, but it is not JSON", body)
	}
}

// TestPlainNumberTakesWhatClientsSend keeps the quick reader from refusing
// everything, which the comparison above would not see.
func TestPlainNumberTakesWhatClientsSend(t *testing.T) {
	for _, body := range []string{`{"number":"123"}`, ` { "number" : "0123" } `, `{"number":123}`, `{"number":0}`, "{\"number\":\n\t\r \"1\"\n}\r\n"} {
		if _, ok := httpd.PlainNumber([]byte(body)); !ok {
			t.Errorf("%q is left to the careful reader", body)
		}
	}
}

func TestPlainNumberAgreesOnMutations(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 7))
	const letters = `{}[]":,.-+eE0123456789 numberx\u0031` + "\n\t\r\x00\xff\v"
	for range 100_000 {
		body := []byte(bodies[rng.IntN(len(bodies))])
		for range 1 + rng.IntN(3) {
			at := rng.IntN(len(body) + 1)
			switch c := letters[rng.IntN(len(letters))]; {
			case rng.IntN(2) == 0:
				body = append(body[:at:at], append([]byte{c}, body[at:]...)...)
			case at < len(body):
				body[at] = c
			}
		}
		plainAgreesWithAny(t, body)
	}
}

// FuzzConnection sends arbitrary bytes to a server, which must stay alive and
// answer, if at all, in HTTP.
func FuzzConnection(f *testing.F) {
	for _, seed := range []string{
		postRequest, "GET / HTTP/1.1\r\n\r\n", "GET /compute/x?wait=1 HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n", "\x00\x01\x02", "\r\n\r\n\r\n\r\n",
		"POST /compute/batch?caller_id=a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"nu\n\r\n0\r\n\r\n",
		"POST /compute HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET http://[::1/compute HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD /metrics HTTP/1.0\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	server := httpd.NewImpatient(httpd.Config{Jobs: newMemory(), MaxDigits: maxDigits}, 100, 200*time.Millisecond)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	go server.Serve(ln)
	f.Cleanup(func() { ln.Close() })
	f.Fuzz(func(t *testing.T, sent []byte) {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(sent) // the server may have heard enough
		if half, ok := conn.(*net.TCPConn); ok {
			_ = half.CloseWrite()
		}
		if err := readAnswers(conn); err != nil {
			t.Fatalf("%q: %v", sent, err)
		}
		resp, err := http.Get("http://" + ln.Addr().String() + "/livez")
		for tries := 0; err != nil && tries < 20; tries++ { // on a busy machine the server may find this client slow
			resp, err = http.Get("http://" + ln.Addr().String() + "/livez")
		}
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("after %q: %v %+v", sent, err, resp)
		}
		resp.Body.Close()
	})
}

// readAnswers reads until the server closes the connection. What comes must
// begin as an answer does; a connection may also end without one.
func readAnswers(conn net.Conn) error {
	all, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		return err
	}
	if len(all) > 0 && !answerBegins.Match(all) {
		return fmt.Errorf("the answer is %.100q", all)
	}
	return nil
}

var answerBegins = regexp.MustCompile(`^HTTP/1\.1 [1-5][0-9][0-9] [^\r\n]+\r\n`)
