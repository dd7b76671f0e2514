package http

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"fairfactor"
)

// CertificateRole is what clients may do whose certificate has a name.
type CertificateRole struct {
	Name    string // common name, or a DNS name
	Role    fairfactor.Role
	Callers string // see [fairfactor.APIKey]
}

// ParseCertificateRole reads NAME=ROLE, or NAME=caller:PATTERN.
func ParseCertificateRole(text string) (c CertificateRole, err error) {
	name, rest, ok := strings.Cut(text, "=")
	role, callers, _ := strings.Cut(rest, ":")
	if !ok || name == "" {
		return c, fairfactor.Errorf(fairfactor.Invalid, "%.100q gives no certificate a role: write NAME=viewer, NAME=operator or NAME=caller:PATTERN", text)
	}
	key, _, err := fairfactor.NewAPIKey(fairfactor.Role(role), callers, "", time.Time{})
	return CertificateRole{name, key.Role, key.Callers}, err
}

// keyOfCertificate is what a client may do that has proven to own a certificate, nil
// for nothing. It stands for an API key.
func keyOfCertificate(roles []CertificateRole, c *x509.Certificate) *fairfactor.APIKey {
	for _, r := range roles {
		if r.Name == c.Subject.CommonName || slices.Contains(c.DNSNames, r.Name) {
			return &fairfactor.APIKey{ID: "certificate " + r.Name, Role: r.Role, Callers: r.Callers}
		}
	}
	return nil
}

// raw is the connection below TLS.
func (c *conn) raw() net.Conn {
	if c.secure != nil {
		return c.secure.NetConn()
	}
	return c.Conn
}

// cut closes a connection at once, without a word of TLS, for which a client that reads
// nothing could let the server wait.
func (c *conn) cut() { c.raw().Close() }

// shakeHands begins TLS, if there is any. The client has as much time for it as for the
// head of a request.
func (c *conn) shakeHands() error {
	if c.secure == nil || c.shaken {
		return nil
	}
	if err := c.Conn.SetDeadline(time.Now().Add(c.owner.limits.read)); err != nil {
		return err
	}
	c.hurryIfLast()
	if err := c.secure.Handshake(); err != nil {
		var record tls.RecordHeaderError
		if errors.As(err, &record) && record.Conn != nil {
			(&conn{Conn: record.Conn}).refuse(refuse(badRequest, "this address speaks HTTPS: begin the URL with https://"))
		}
		return err
	}
	c.shaken = true
	if peers := c.secure.ConnectionState().PeerCertificates; len(peers) > 0 { // the handshake has checked them
		c.as = keyOfCertificate(c.owner.roles, peers[0])
	}
	c.readArmed, c.writeArmed = 0, 0
	return c.Conn.SetDeadline(time.Time{})
}
