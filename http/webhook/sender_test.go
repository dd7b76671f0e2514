package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
	"fairfactor/http/webhook"
)

// shelf is a store of deliveries as the sender sees it: one list, no leases.
type shelf struct {
	mu      sync.Mutex
	due     []fairfactor.Delivery
	settled []fairfactor.Settled
	owed    chan struct{}
	news    chan struct{}
}

func newShelf() *shelf {
	return &shelf{owed: make(chan struct{}, 1), news: make(chan struct{}, 1000)}
}

func (s *shelf) Owed() <-chan struct{} { return s.owed }

func (s *shelf) add(urls ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range urls {
		seq := uint64(len(s.due) + len(s.settled) + 1)
		s.due = append(s.due, fairfactor.Delivery{Claim: seq, Job: fairfactor.Job{
			ID: fairfactor.ID{Nonce: 7, Caller: 1, Seq: seq}, Caller: "a", Number: "15", Order: seq, State: fairfactor.Completed, Finished: time.Now(),
			Factors:  []fairfactor.Factor{{Prime: "3", Exponent: 1}, {Prime: "5", Exponent: 1}},
			Callback: &fairfactor.Callback{URL: u, State: fairfactor.DeliveryPending},
		}})
	}
	select {
	case s.owed <- struct{}{}:
	default:
	}
}

func (s *shelf) ClaimDeliveries(_ context.Context, now time.Time, _ time.Duration, busy []string, perHost, limit int) (list []fairfactor.Delivery, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken, rest := map[string]int{}, []fairfactor.Delivery(nil)
	for _, d := range s.due {
		host := d.Job.Callback.Host()
		if len(list) == limit || taken[host] == perHost || d.Job.Callback.Next.After(now) || strings.Contains(strings.Join(busy, " "), host) {
			rest = append(rest, d)
			continue
		}
		taken[host]++
		list = append(list, d)
	}
	s.due = rest
	return list, nil
}

func (s *shelf) SettleDeliveries(_ context.Context, settled []fairfactor.Settled) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settled = append(s.settled, settled...)
	for range settled {
		s.news <- struct{}{}
	}
	return nil
}

// wait returns what was settled once there are n of them.
func (s *shelf) wait(t *testing.T, n int) []fairfactor.Settled {
	t.Helper()
	limit := time.After(2 * time.Minute)
	for {
		s.mu.Lock()
		settled := append([]fairfactor.Settled(nil), s.settled...)
		s.mu.Unlock()
		if len(settled) >= n {
			return settled
		}
		select {
		case <-s.news:
		case <-limit:
			t.Fatalf("%d settled, want %d", len(settled), n)
		}
	}
}

// names resolves names as a test says.
type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, host string) (addrs []netip.Addr, err error) {
	for _, text := range n[host] {
		addrs = append(addrs, netip.MustParseAddr(text))
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addrs, nil
}

var secrets = []string{"a secret of the new kind", "a secret of the old kind"}

func send(t *testing.T, s *shelf, resolver webhook.Resolver, list ...string) *webhook.Counters {
	t.Helper()
	counters := &webhook.Counters{}
	sender := webhook.New(webhook.Config{
		Store: s, Hosts: hosts(t, list...), Secrets: secrets, Version: "test", Logger: slog.New(slog.DiscardHandler),
		AppendJob: httpd.AppendJob, Resolver: resolver, Counters: counters,
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); sender.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return counters
}

func receiver(t *testing.T, handle http.HandlerFunc) (base, port string) {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return server.URL, u.Port()
}

// verify is what docs/operations.md tells receivers to do.
func verify(header string, body []byte, secret string, now time.Time) error {
	var stamp string
	var given []string
	for _, part := range strings.Split(header, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "t":
			stamp = value
		case "v1":
			given = append(given, value)
		}
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return fmt.Errorf("the time %q is not now", stamp)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s", stamp, body)
	for _, v := range given {
		if sum, err := hex.DecodeString(v); err == nil && hmac.Equal(sum, mac.Sum(nil)) {
			return nil
		}
	}
	return fmt.Errorf("no signature of %q is right", header)
}

func TestDeliveryIsSigned(t *testing.T) {
	s := newShelf()
	type call struct {
		header http.Header
		body   []byte
		method string
	}
	calls := make(chan call, 1)
	base, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls <- call{r.Header, body, r.Method}
		w.WriteHeader(http.StatusNoContent)
	})
	send(t, s, names{}, "127.0.0.1")
	s.add(base + "/hook?x=1")
	settled := s.wait(t, 1)[0]
	got := <-calls
	for _, secret := range secrets {
		if err := verify(got.header.Get("Fairfactor-Signature"), got.body, secret, time.Now()); err != nil {
			t.Error(err)
		}
	}
	if verify(got.header.Get("Fairfactor-Signature"), append(got.body, ' '), secrets[0], time.Now()) == nil ||
		verify(got.header.Get("Fairfactor-Signature"), got.body, "another secret", time.Now()) == nil {
		t.Error("anything is signed")
	}
	var told struct {
		Event    string         `json:"event"`
		Delivery string         `json:"delivery_id"`
		Attempt  int            `json:"attempt"`
		Job      map[string]any `json:"job"`
	}
	if err := json.Unmarshal(got.body, &told); err != nil || told.Event != "job.completed" || told.Attempt != 1 || told.Job["number"] != "15" || told.Job["status"] != "completed" {
		t.Errorf("%v: %s", err, got.body)
	}
	if told.Delivery == "" || told.Delivery != got.header.Get("Fairfactor-Delivery") || got.header.Get("Fairfactor-Event") != told.Event || got.method != "POST" {
		t.Errorf("%s %v %s", got.method, got.header, got.body)
	}
	if settled.State != fairfactor.Delivered || settled.LastError != "" {
		t.Errorf("settled %+v", settled)
	}
}

func TestAnswersOfReceivers(t *testing.T) {
	for status, want := range map[int]fairfactor.DeliveryState{
		200: fairfactor.Delivered, 202: fairfactor.Delivered, 204: fairfactor.Delivered,
		302: fairfactor.DeliveryPending, 400: fairfactor.DeliveryPending, 404: fairfactor.DeliveryPending, 500: fairfactor.DeliveryPending, 503: fairfactor.DeliveryPending,
		410: fairfactor.DeliveryFailed,
	} {
		s, redirected := newShelf(), make(chan string, 10)
		elsewhere, _ := receiver(t, func(_ http.ResponseWriter, r *http.Request) { redirected <- r.URL.Path })
		base, _ := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere+"/secret")
			w.WriteHeader(status)
		})
		send(t, s, names{}, "127.0.0.1")
		before := time.Now()
		s.add(base)
		settled := s.wait(t, 1)[0]
		if settled.State != want || (settled.LastError == "") != (want == fairfactor.Delivered) {
			t.Errorf("%d: %+v", status, settled)
		}
		if pause := settled.Next.Sub(before); want == fairfactor.DeliveryPending && (pause < 2*time.Second || pause > time.Minute) {
			t.Errorf("%d: again after %v", status, pause)
		}
		if len(redirected) > 0 {
			t.Errorf("%d: a redirect was followed to %s", status, <-redirected)
		}
	}
}

// TestReceiverAsksForTime: the next attempt is not before the receiver wants it, in seconds
// or as a time, an hour at most.
func TestReceiverAsksForTime(t *testing.T) {
	for value, least := range map[string]time.Duration{
		"600": 10 * time.Minute, "86400": time.Hour, "1": 2 * time.Second, "soon": 2 * time.Second, "-5": 2 * time.Second, "99999999999999": 2 * time.Second,
		time.Now().Add(20 * time.Minute).UTC().Format(http.TimeFormat):  19 * time.Minute,
		time.Now().Add(-20 * time.Minute).UTC().Format(http.TimeFormat): 2 * time.Second,
	} {
		s := newShelf()
		base, _ := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		send(t, s, names{}, "127.0.0.1")
		before := time.Now()
		s.add(base)
		settled := s.wait(t, 1)[0]
		if pause := settled.Next.Sub(before); settled.State != fairfactor.DeliveryPending || pause < least || pause > least+time.Minute {
			t.Errorf("%s: again after %v, want %v", value, pause, least)
		}
	}
}

// TestWhatIsNotCalled: names that resolve to what is not public, in any form, and hosts
// that are not named.
func TestWhatIsNotCalled(t *testing.T) {
	called := make(chan string, 100)
	_, port := receiver(t, func(_ http.ResponseWriter, r *http.Request) { called <- r.Host })
	s := newShelf()
	dns := names{
		"loop.example": {"127.0.0.1"}, "six.example": {"::1"}, "mapped.example": {"::ffff:127.0.0.1"}, "meta.example": {"169.254.169.254"},
		"both.example": {"93.184.216.34", "127.0.0.1"}, "nat.example": {"64:ff9b::7f00:1"}, "null.example": {"0.0.0.0"},
	}
	send(t, s, dns, "*.example:*", "*:"+port)
	var urls []string
	for name := range dns {
		urls = append(urls, "http://"+name+":"+port+"/")
	}
	urls = append(urls, "http://unknown.example:"+port, "http://127.0.0.1:"+port, "http://[::ffff:127.0.0.1]:"+port, "http://2130706433:"+port, "http://x@loop.example:"+port)
	s.add(urls...)
	for _, settled := range s.wait(t, len(urls)) {
		if settled.State != fairfactor.DeliveryPending || settled.LastError == "" || strings.Contains(settled.LastError, "127.0.0.1") {
			t.Errorf("settled %+v", settled)
		}
	}
	if len(called) > 0 {
		t.Errorf("%s was called", <-called)
	}
	listed := newShelf()
	send(t, listed, dns, "loop.example:*", "127.0.0.0/8")
	listed.add("http://loop.example:" + port)
	if settled := listed.wait(t, 1)[0]; settled.State != fairfactor.Delivered {
		t.Errorf("a network that is listed: %+v", settled)
	}
}

// TestDeadHostHoldsUpOthersNot: while all attempts at one host hang, others get theirs.
func TestDeadHostHoldsUpOthersNot(t *testing.T) {
	s, release := newShelf(), make(chan struct{})
	var mu sync.Mutex
	hanging, most := 0, 0
	dead, _ := receiver(t, func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		hanging++
		most = max(most, hanging)
		mu.Unlock()
		<-release
		mu.Lock()
		hanging--
		mu.Unlock()
	})
	alive, _ := receiver(t, func(http.ResponseWriter, *http.Request) {})
	send(t, s, names{}, "127.0.0.1")
	for range 200 {
		s.add(dead)
	}
	for range 50 {
		s.add(alive)
	}
	s.wait(t, 50)
	close(release)
	s.wait(t, 250)
	if most > 16 {
		t.Errorf("%d attempts at one host at once", most)
	}
}
