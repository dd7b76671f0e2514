package cluster

import (
	"context"
	"net"
	"strconv"
	"strings"

	"fairfactor"
)

// endpoint is a host and port that a node binds, and the host at which others
// reach it.
type endpoint struct {
	host      string // to bind
	port      int    // zero for any
	advertise string // host for others
}

// parseEndpoint parses host:port as given with flag.
func parseEndpoint(flag, hostport, advertise string) (endpoint, error) {
	host, service, err := net.SplitHostPort(hostport)
	if err != nil {
		return endpoint{}, fairfactor.Wrap(fairfactor.Invalid, err, flag+" must be host:port, not \""+hostport+"\"")
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return endpoint{}, fairfactor.Wrap(fairfactor.Invalid, err, flag+" must end in a port from 0 to 65535, not \""+service+"\"")
	}
	e := endpoint{host: host, port: int(port), advertise: advertise}
	if e.host == "" {
		e.host = "0.0.0.0"
	}
	if e.advertise == "" {
		e.advertise = e.host
		if ip := net.ParseIP(e.host); ip != nil && ip.IsUnspecified() {
			e.advertise = outwardHost()
		}
	}
	return e, nil
}

// outwardHost returns an address of this machine that others may reach: the
// first private IPv4 address, else the first of any kind, else loopback.
func outwardHost() string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "127.0.0.1"
	}
	best := ""
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || !n.IP.IsGlobalUnicast() {
			continue
		}
		if n.IP.To4() != nil && n.IP.IsPrivate() {
			return n.IP.String()
		}
		if best == "" {
			best = n.IP.String()
		}
	}
	if best == "" {
		return "127.0.0.1"
	}
	return best
}

// loopback tells whether only this machine can reach e.
func (e endpoint) loopback() bool {
	ip := net.ParseIP(e.host)
	return e.host == "localhost" || ip != nil && ip.IsLoopback()
}

// ip resolves a host name: memberlist takes addresses only.
func ip(ctx context.Context, flag, host string) (string, error) {
	if net.ParseIP(host) != nil {
		return host, nil
	}
	addrs, err := net.DefaultResolver.LookupIP(ctx, "ip", host)
	if err != nil || len(addrs) == 0 {
		return "", fairfactor.Wrap(fairfactor.Invalid, err, "the name \""+host+"\" given with "+flag+" has no address")
	}
	for _, a := range addrs {
		if a.To4() != nil {
			return a.String(), nil
		}
	}
	return addrs[0].String(), nil
}

// freePort returns a port that was free a moment ago. Only a node that binds one
// host and advertises another needs it: protoactor has to be told the whole
// advertised address before it binds.
func freePort(host string) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// bracketed returns host with the brackets that an IPv6 address needs in front of a
// port: protoactor doesn't add them.
func bracketed(host string) string {
	if a := net.ParseIP(host); a != nil && a.To4() == nil {
		return "[" + host + "]"
	}
	return host
}

// bindError explains why the address given with flag could not be bound.
func bindError(flag, hostport string, err error) error {
	if strings.Contains(err.Error(), "address already in use") { // the libraries keep the text, not the error
		return fairfactor.Wrap(fairfactor.Unavailable, err,
			"the address "+hostport+" is in use: stop what listens there, or choose another with "+flag)
	}
	return fairfactor.Wrap(fairfactor.Unavailable, err, "can't listen on "+hostport+": choose another address with "+flag)
}
