package webhook

import (
	"cmp"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"fairfactor"
)

// Hosts says where callbacks may go: hosts by name, and addresses that are not public.
type Hosts struct {
	patterns []pattern
	networks []netip.Prefix // that may be connected to though they are not public
}

// pattern is a host that may be called.
type pattern struct {
	host string // lower case; begins with a dot if all names below it are meant, * for any name
	port string // empty for the port that belongs to the scheme, * for any
}

// ParseHosts reads what --webhook-hosts says: names such as example.com,
// example.com:8443, example.com:* or *.example.com, * for any public host, and addresses
// and networks that may be called though they are not public, such as 127.0.0.1:9000 or
// 10.0.0.0/8.
func ParseHosts(list []string) (*Hosts, error) {
	h := &Hosts{}
	for _, text := range list {
		if network, err := netip.ParsePrefix(text); err == nil {
			h.networks = append(h.networks, network.Masked())
			continue
		}
		p, err := parsePattern(text)
		if err != nil {
			return nil, err
		}
		if addr, err := netip.ParseAddr(p.host); err == nil {
			addr = addr.Unmap()
			h.networks = append(h.networks, netip.PrefixFrom(addr, addr.BitLen()))
			p.host = addr.String()
		}
		h.patterns = append(h.patterns, p)
	}
	return h, nil
}

func parsePattern(text string) (pattern, error) {
	bad := fairfactor.Errorf(fairfactor.Invalid, "--webhook-hosts %.80q is not a host, host:port, address or network, such as hooks.example.com or 10.0.0.0/8", text)
	if addr, err := netip.ParseAddr(text); err == nil { // IPv6 without brackets
		return pattern{host: addr.String()}, nil
	}
	rest, below := strings.CutPrefix(text, "*.")
	rest, anyPort := strings.CutSuffix(rest, ":*")
	u, err := url.Parse("http://" + rest)
	if err != nil || u.Host == "" || u.Path != "" || u.User != nil || u.RawQuery != "" || u.Hostname() == "" {
		return pattern{}, bad
	}
	p := pattern{host: strings.ToLower(u.Hostname()), port: u.Port()}
	if anyPort {
		p.port = "*"
	}
	if below {
		p.host = "." + p.host
	}
	if strings.Contains(p.host, "*") && p.host != "*" {
		return pattern{}, bad
	}
	return p, nil
}

// Check refuses a URL that no callback may have here. Its error is invalid.
func (h *Hosts) Check(text string) error {
	if h == nil || len(h.patterns)+len(h.networks) == 0 {
		return fairfactor.Errorf(fairfactor.Invalid, "this node calls no webhooks: its operator has named no hosts with --webhook-hosts")
	}
	if len(text) > fairfactor.MaxCallbackBytes {
		return fairfactor.Errorf(fairfactor.Invalid, "callback_url has %d bytes: send at most %d", len(text), fairfactor.MaxCallbackBytes)
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return fairfactor.Errorf(fairfactor.Invalid, "callback_url has a character at byte %d that no URL has: write it as %%20 and the like", i)
		}
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fairfactor.Errorf(fairfactor.Invalid, "callback_url is not a URL: write it like https://example.com/ended")
	case u.Scheme != "http" && u.Scheme != "https":
		return fairfactor.Errorf(fairfactor.Invalid, "callback_url must begin with https:// or http://")
	case u.User != nil:
		return fairfactor.Errorf(fairfactor.Invalid, "callback_url must have no user or password: the signature says who calls")
	case u.Fragment != "" || u.Opaque != "" || u.Hostname() == "":
		return fairfactor.Errorf(fairfactor.Invalid, "callback_url must have a host, and no fragment")
	}
	if _, err := strconv.ParseUint(cmp.Or(u.Port(), "80"), 10, 16); err != nil || u.Port() == "0" {
		return fairfactor.Errorf(fairfactor.Invalid, "the port of callback_url must be a number between 1 and 65535")
	}
	if !h.allows(strings.ToLower(u.Hostname()), u.Port(), u.Scheme) {
		return fairfactor.Errorf(fairfactor.Invalid, "the host %.80s of callback_url is not one that this node may call: its operator names them with --webhook-hosts", u.Host)
	}
	return nil
}

// allows reports whether a host may be called, whatever its addresses are.
func (h *Hosts) allows(host, port, scheme string) bool {
	usual := map[string]string{"http": "80", "https": "443"}[scheme]
	port = cmp.Or(port, usual)
	addr, err := netip.ParseAddr(host)
	if err == nil {
		host = addr.Unmap().WithZone("").String()
	} else if numeric(host) {
		return false // some resolvers take 2130706433 or 0x7f.1 for an address
	}
	for _, p := range h.patterns {
		if p.port != "*" && port != cmp.Or(p.port, usual) {
			continue
		}
		switch {
		case p.host == host, p.host == "*":
			return true
		case err != nil && p.host[0] == '.' && strings.HasSuffix(host, p.host) && len(host) > len(p.host):
			return true
		}
	}
	return err == nil && h.listed(addr)
}

// numeric reports whether the last label of a host is a number, as in an address of
// another form (WHATWG URL, "ends in a number").
func numeric(host string) bool {
	last := strings.TrimSuffix(host, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	if strings.HasPrefix(last, "0x") {
		return true
	}
	return last == "" || strings.Trim(last, "0123456789") == ""
}

// Reaches reports whether an address may be connected to: it is public, or listed.
func (h *Hosts) Reaches(addr netip.Addr) bool {
	return public(addr) || h.listed(addr)
}

func (h *Hosts) listed(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, network := range h.networks {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// special are networks without public hosts, or whose addresses stand for others
// (IANA's registries of special-purpose addresses).
var special = parsed(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// global6 is what of IPv6 has public hosts.
var global6 = netip.MustParsePrefix("2000::/3")

func parsed(list ...string) (networks []netip.Prefix) {
	for _, text := range list {
		networks = append(networks, netip.MustParsePrefix(text))
	}
	return networks
}

// public reports whether an address is one of the internet.
func public(addr netip.Addr) bool {
	if addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap()
	if addr.Is6() && !global6.Contains(addr) {
		return false
	}
	if !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() {
		return false
	}
	for _, network := range special {
		if network.Contains(addr) {
			return false
		}
	}
	return true
}
