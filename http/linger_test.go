package http_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	httpd "fairfactor/http"
)

// TestLeftoversAreBounded has many readers that read again as soon as they may, and wants
// no more read than the bucket had and what has flowed into it, and none to wait long.
func TestLeftoversAreBounded(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, readers := range []int{1, 8, 300, 2000} {
		read := httpd.Leftovers()
		next := make([]time.Duration, readers)
		var total, cut int64
		const end = 3 * time.Second
		for now := time.Duration(0); now < end; now += 100 * time.Microsecond {
			for i := range next {
				for next[i] <= now {
					n := 1 + rng.IntN(httpd.LingerRead)
					wait, on := read(n, now)
					if wait < 0 || on && wait > httpd.LingerWait {
						t.Fatalf("%d readers: a wait of %v", readers, wait)
					}
					if !on {
						cut++
						next[i] = now + 100*time.Millisecond // it comes back
						continue
					}
					total += int64(max(n, httpd.LingerLeast))
					next[i] = now + max(wait, 100*time.Microsecond)
				}
			}
		}
		most := int64(httpd.LingerSaved) + httpd.LingerRate*int64(end+httpd.LingerWait)/int64(time.Second) + httpd.LingerRead
		if total > most {
			t.Errorf("%d readers: %d bytes, at most %d", readers, total, most)
		}
		if least := int64(httpd.LingerSaved) + httpd.LingerRate*int64(end)/int64(time.Second); total < least*9/10 && cut == 0 {
			t.Errorf("%d readers: %d bytes, but %d may be read", readers, total, least)
		}
		if (cut > 0) != (readers == 2000) {
			t.Errorf("%d readers were cut off %d times", readers, cut)
		}
	}
}

// TestALargeBodyIsNotReadInAFlood: the answer of one that sends too much can be read when it
// has sent all, unless others have used up what may be read for that.
func TestALargeBodyIsNotReadInAFlood(t *testing.T) {
	s := start(t)
	body := strings.Repeat(" ", 10_000_000)
	request := fmt.Sprintf("POST /compute?caller_id=a HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	send := func() (sent int, a *answer, err error) {
		conn := dial(t, s.addr)
		if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if sent, err = conn.Write([]byte(request)); err != nil {
			return sent, nil, err
		}
		a, err = readWhole(bufio.NewReader(conn), "POST")
		return sent, a, err
	}
	_, a, err := send()
	if err != nil {
		t.Fatal(err)
	}
	a.problem(t, "10 MB", 413, "too-large")
	s.server.SpendLeftovers(60)
	if sent, _, err := send(); err == nil {
		t.Errorf("%d bytes were read although others had used up what may be", sent)
	}
	s.submit("91")
}
