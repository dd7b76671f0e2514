package http

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// site is where a server is as its clients see it: under which names and path,
// behind which proxies, and open to which other sites. A browser runs pages of
// strangers, and these must not be able to submit in its user's name or to read
// what the node says: neither straight (Origin) nor under a name of their own
// that leads to the node's address (Host; this is DNS rebinding).
type site struct {
	proxies []netip.Prefix
	hosts   []string
	origins []string
	base    string
}

// CheckHost refuses what can't stand in [Config.Hosts].
func CheckHost(name string) error {
	if name == "*" || name != "" && !strings.ContainsAny(name, "/:@* ") {
		return nil
	}
	return fairfactor.Errorf(fairfactor.Invalid, "%.100q is not the name of a host: write example.com, .example.com for all names below it, or * for any", name)
}

// CheckOrigin refuses what can't stand in [Config.Origins].
func CheckOrigin(origin string) error {
	u, err := url.Parse(origin)
	if origin == "*" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && origin == u.Scheme+"://"+strings.ToLower(u.Host) {
		return nil
	}
	return fairfactor.Errorf(fairfactor.Invalid, "%.100q is not an origin: write it like https://example.com, without a path, or * for any", origin)
}

// CheckBasePath refuses what can't be [Config.BasePath].
func CheckBasePath(path string) error {
	if path == "" || isPrefix([]byte(path)) {
		return nil
	}
	return fairfactor.Errorf(fairfactor.Invalid, "%.100q is not a base path: write it like /factor, with a slash before it and none after it", path)
}

// isPrefix reports whether a path can stand before another one: 2 to 128 bytes,
// segments of letters, digits and -._~ each behind a slash.
func isPrefix(path []byte) bool {
	if len(path) < 2 || len(path) > 128 || path[0] != '/' || path[len(path)-1] == '/' || bytes.Contains(path, []byte("//")) {
		return false
	}
	for _, c := range path {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("/-._~", c) < 0 {
			return false
		}
	}
	return true
}

// below returns the path below the base path.
func (s *site) below(path []byte) []byte {
	if s.base == "" {
		return path
	}
	rest, ok := bytes.CutPrefix(path, []byte(s.base))
	switch {
	case ok && len(rest) == 0:
		return []byte("/")
	case ok && rest[0] == '/':
		return rest
	}
	return path
}

// appendPrefix appends what stands before the path of a Location: what a trusted
// proxy has cut off, or the base path.
func (s *site) appendPrefix(b []byte, r *request) []byte {
	if len(r.forwardedPrefix) > 0 && isPrefix(r.forwardedPrefix) && s.trusted(r) {
		return append(b, r.forwardedPrefix...)
	}
	return append(b, s.base...)
}

// admits refuses requests that a stranger's page made a browser send.
func (s *site) admits(r *request, m method) error {
	if !s.named(r.host) {
		return refuse(wrongHost, fmt.Sprintf("this node is not known by the name %.40q in Host: use its address, or have its operator add the name with --host", r.host), shown("host", string(r.host)))
	}
	if len(r.origin) == 0 || s.allows(r.origin) || string(r.fetchSite) == "same-origin" || m == optionsMethod {
		return nil
	}
	_, host, ok := bytes.Cut(r.origin, []byte("://"))
	if ok && (bytes.EqualFold(host, r.host) || len(r.forwardedHost) > 0 && bytes.EqualFold(host, r.forwardedHost) && s.trusted(r)) {
		return nil
	}
	return refuse(wrongOrigin, fmt.Sprintf("pages of %.40q may not use the node: its operator can allow them with --cors-origin", r.origin), shown("origin", string(r.origin)))
}

// named reports whether a Host may be this node's. A rebinding attacker needs a
// name that he owns, so addresses and names without a dot pass; and no browser
// leaves Host out.
func (s *site) named(host []byte) bool {
	if i := bytes.LastIndexByte(host, ':'); i >= 0 && (host[0] != '[' || i > bytes.IndexByte(host, ']')) {
		host = host[:i]
	}
	if bytes.IndexByte(host, '.') < 0 || isAddress(host) {
		return true
	}
	if len(s.hosts) == 0 && !bytes.HasSuffix(host, []byte(".localhost")) {
		return false
	}
	name := strings.ToLower(strings.TrimSuffix(string(host), "."))
	return strings.HasSuffix(name, ".localhost") || slices.ContainsFunc(s.hosts, func(known string) bool {
		known = strings.ToLower(known)
		return known == "*" || known == name || known[0] == '.' && strings.HasSuffix(name, known)
	})
}

// isAddress reports whether a host is an IP address. The usual ones are told by
// their bytes, without making a string.
func isAddress(host []byte) bool {
	if host[0] == '[' {
		return true // names have no brackets
	}
	for _, c := range host {
		if c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return true // no name ends in a number (RFC 1123, section 2.1)
}

// allows reports whether pages of an origin may use the API.
func (s *site) allows(origin []byte) bool {
	for _, allowed := range s.origins {
		if allowed == "*" || allowed == string(origin) {
			return true
		}
	}
	return false
}

// Header fields of cross-origin requests, beyond those that need no permission.
const (
	corsFields  = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, Traceparent, X-Caller-ID, X-Request-Id"
	corsExposed = "ETag, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
	corsAge     = "600" // seconds for which a browser may keep a permission
)

// options says what may be done with a resource, and to a browser whether a page
// of another site may do it.
func (s *site) options(r *request, res *resource) {
	h := &r.ctx.Response.Header
	h.Set("Allow", res.allow)
	r.ctx.SetStatusCode(fasthttp.StatusNoContent)
	if len(r.origin) > 0 && s.allows(r.origin) {
		h.Set("Access-Control-Allow-Methods", res.allow)
		h.Set("Access-Control-Allow-Headers", corsFields)
		h.Set("Access-Control-Max-Age", corsAge)
	}
}

// share lets a page of an allowed origin read an answer. No credentials are
// allowed: the API knows no cookies.
func (s *site) share(h *fasthttp.ResponseHeader, origin []byte) {
	if len(s.origins) == 0 {
		return
	}
	h.AddBytesKV(varyName, []byte("Origin"))
	if s.allows(origin) {
		h.SetBytesV("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", corsExposed)
	}
}

// trusted reports whether a request comes straight from a trusted proxy.
func (s *site) trusted(r *request) bool {
	if len(s.proxies) == 0 {
		return false
	}
	peer, err := netip.ParseAddr(peerOf(r.ctx.Conn()))
	return err == nil && s.trusts(peer)
}

func (s *site) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// client is the address of the client: the peer's, or, if that is a trusted
// proxy, the rightmost one in X-Forwarded-For that is not. What is left of it was
// written by strangers. If the list is broken, the peer's counts.
func (s *site) client(r *request) string {
	peer := peerOf(r.ctx.Conn())
	if len(r.forwardedFor) == 0 || !s.trusted(r) {
		return peer
	}
	rest, found := string(r.forwardedFor), peer
	for rest != "" {
		i := strings.LastIndexByte(rest, ',')
		hop, ok := forwardedAddress(strings.TrimSpace(rest[i+1:]))
		if !ok {
			return peer
		}
		found = hop.String()
		if !s.trusts(hop) {
			return found
		}
		rest = rest[:max(i, 0)]
	}
	return found
}

// forwardedAddress reads an address of X-Forwarded-For, with or without a port.
func forwardedAddress(text string) (netip.Addr, bool) {
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return a.Unmap().WithZone(""), err == nil
}

func peerOf(nc net.Conn) string {
	if c, ok := nc.(*conn); ok {
		return c.peerAddress()
	}
	return "unknown"
}
