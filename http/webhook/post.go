package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"

	"fairfactor"
)

// Bounds of an attempt.
const (
	attemptTime  = 15 * time.Second
	answerBytes  = 4 << 10
	headerBytes  = 16 << 10
	reasonBytes  = 200 // of an error that is kept
	idleTime     = 30 * time.Second
	hostAttempts = 16 // at once to a host
)

// Resolver finds the addresses of a host.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// errRefusedAddress is for hosts whose addresses are not public.
var errRefusedAddress = errors.New("the host has an address that is not public and not listed in --webhook-hosts")

// newClient returns a client that connects only to what hosts allows, and follows no
// redirects. A connection that is used again is to an address that was checked.
func newClient(hosts *Hosts, resolver Resolver) *http.Client {
	d := net.Dialer{Timeout: attemptTime}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, target string) (net.Conn, error) {
				return dial(ctx, &d, hosts, resolver, network, target)
			},
			DisableCompression: true, MaxConnsPerHost: hostAttempts, MaxIdleConnsPerHost: hostAttempts, MaxIdleConns: 1024,
			IdleConnTimeout: idleTime, MaxResponseHeaderBytes: headerBytes, TLSHandshakeTimeout: attemptTime,
		},
	}
}

// dial resolves a host once and connects to one of its addresses. All of them must be
// allowed: a name that has a private one among them is not what it seems.
func dial(ctx context.Context, d *net.Dialer, hosts *Hosts, resolver Resolver, network, target string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	addrs := []netip.Addr{}
	if addr, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, addr)
	} else if addrs, err = resolver.LookupNetIP(ctx, "ip", host); err != nil {
		return nil, err
	}
	for _, addr := range addrs {
		if !hosts.Reaches(addr) {
			return nil, errRefusedAddress
		}
	}
	err = errors.New("the host has no address")
	for _, addr := range addrs {
		var conn net.Conn
		if conn, err = d.DialContext(ctx, network, net.JoinHostPort(addr.Unmap().String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// result is what came of an attempt.
type result struct {
	delivery fairfactor.Delivery
	status   int           // zero if there was no answer
	text     string        // of the error, empty if it was delivered
	after    time.Duration // that the receiver asks for before the next attempt, zero if it does not
}

// post makes one attempt.
func (s *Sender) post(ctx context.Context, d fairfactor.Delivery) result {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	r := result{delivery: d}
	if err := s.cfg.Hosts.Check(d.Job.Callback.URL); err != nil {
		r.text = fairfactor.MessageOf(err)
		return r
	}
	body := s.body(&d)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Job.Callback.URL, bytes.NewReader(body))
	if err != nil {
		r.text = "the request can't be made"
		return r
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "fairfactor/"+s.cfg.Version)
	request.Header.Set("Fairfactor-Event", eventOf(&d.Job))
	request.Header.Set("Fairfactor-Delivery", d.ID())
	if t := d.Job.Trace; t != nil {
		request.Header.Set("traceparent", t.String())
	}
	request.Header.Set(SignatureHeader, Sign(s.cfg.Now(), body, s.cfg.Secrets))
	answer, err := s.client.Do(request)
	if err != nil {
		r.text = cut(why(err))
		return r
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, answerBytes) // so that the connection can be used again
	switch r.status = answer.StatusCode; {
	case r.status >= 200 && r.status < 300:
	case r.status >= 300 && r.status < 400:
		r.text = fmt.Sprintf("the answer was %d: redirects are not followed", r.status)
	default:
		r.text = fmt.Sprintf("the answer was %d", r.status)
		r.after = retryAfter(answer.Header.Get("Retry-After"), s.cfg.Now())
	}
	return r
}

// why is what a person is told of an error: not where the node tried to connect to.
func why(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, errRefusedAddress):
		return errRefusedAddress.Error()
	case errors.As(err, &dns):
		return "the name of the host can't be resolved"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "there was no answer in time"
	}
	for inner := err; ; {
		next := errors.Unwrap(inner)
		if next == nil {
			return inner.Error()
		}
		inner = next
	}
}

// cut shortens a text to what is kept of it, between two characters.
func cut(text string) string {
	if len(text) <= reasonBytes {
		return text
	}
	end := reasonBytes
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// retryAfter is how long the receiver wants to be left alone, zero if it does not say:
// Retry-After, in seconds or as a time (RFC 9110, section 10.2.3).
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

func eventOf(j *fairfactor.Job) string { return "job." + j.State.String() }
