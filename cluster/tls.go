package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"time"

	"fairfactor"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// TLS is how members prove to each other that they belong to the cluster: each
// shows a certificate that one of the authorities has signed for the name of the
// cluster. Addresses don't matter: members come and go with theirs, and the holder
// of such a certificate can control every node anyway.
type TLS struct {
	Certificate tls.Certificate
	Authorities *x509.CertPool
}

// LoadTLS reads the PEM files of --tls-cert, --tls-key and --tls-ca. The errors are Invalid and name the file.
func LoadTLS(cert, key, ca string) (*TLS, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fairfactor.Wrap(fairfactor.Invalid, err, "the certificate "+cert+" with the key "+key+" can't be used: see --tls-cert and --tls-key")
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fairfactor.Wrap(fairfactor.Invalid, err, "the authorities' certificates in "+ca+" can't be read: see --tls-ca")
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fairfactor.Errorf(fairfactor.Invalid, "there is no certificate in %s: see --tls-ca", ca)
	}
	return &TLS{Certificate: pair, Authorities: pool}, nil
}

// check returns why other members of the cluster would refuse this node.
func (t *TLS) check(cluster string, now time.Time) error {
	if t == nil {
		return nil
	}
	if len(t.Certificate.Certificate) == 0 || t.Authorities == nil {
		return fairfactor.Errorf(fairfactor.Invalid, "a certificate, its key and the authorities' certificates are all needed: see --tls-cert, --tls-key and --tls-ca")
	}
	var chain []*x509.Certificate
	for _, der := range t.Certificate.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fairfactor.Wrap(fairfactor.Invalid, err, "the certificate given with --tls-cert can't be read")
		}
		chain = append(chain, c)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		if err := verify(chain, t.Authorities, cluster, usage, now); err != nil {
			return fairfactor.Wrap(fairfactor.Invalid, err, "the other nodes would refuse the certificate given with --tls-cert: "+whyRefused(err, cluster))
		}
	}
	return nil
}

// verify checks the first certificate of chain, and its path to an authority.
func verify(chain []*x509.Certificate, authorities *x509.CertPool, cluster string, usage x509.ExtKeyUsage, now time.Time) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: authorities, Intermediates: between, DNSName: cluster, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	return err
}

// whyRefused explains why a handshake failed.
func whyRefused(err error, cluster string) string {
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &name):
		return fmt.Sprintf("it is not for the name of the cluster, %q", cluster)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it has expired or is not valid yet"
	case errors.As(err, &unknown):
		return "no authority in --tls-ca has signed it"
	case errors.As(err, &record):
		return "it sends no TLS"
	}
	return err.Error()
}

// credentialsOf returns the credentials of connections between members, for both
// directions.
func credentialsOf(cfg Config) credentials.TransportCredentials {
	t := cfg.TLS
	if t == nil {
		return insecure.NewCredentials()
	}
	made := newRenewed(cfg)
	return &proven{
		TransportCredentials: made.current, renewed: made,
		log: cfg.Logger, cluster: cfg.Cluster, dialed: new(atomic.Int64), accepted: new(atomic.Int64),
	}
}

// proven are credentials that log refused peers: gRPC silently tries again.
type proven struct {
	credentials.TransportCredentials // for what they say of themselves
	renewed                          *renewed

	log     *slog.Logger
	cluster string
	// Times of the last log line about a connection of each direction, ns since 1970.
	dialed, accepted *atomic.Int64
}

// sayEvery is the least time between two log lines about refused connections of one
// direction.
const sayEvery = time.Second

func (p *proven) refused(said *atomic.Int64, message string, at net.Addr, err error) {
	now := time.Now().UnixNano()
	if last := said.Load(); now-last < int64(sayEvery) || !said.CompareAndSwap(last, now) {
		return
	}
	p.log.Warn(message, "address", at.String(), "why", whyRefused(err, p.cluster), "err", err)
}

// ClientHandshake implements [credentials.TransportCredentials].
func (p *proven) ClientHandshake(ctx context.Context, _ string, c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := p.renewed.now().ClientHandshake(ctx, p.cluster, c)
	if err != nil && ctx.Err() == nil {
		p.refused(p.dialed, "connection to another member refused: it does not prove that it belongs to the cluster", c.RemoteAddr(), err)
	}
	return conn, info, err
}

// ServerHandshake implements [credentials.TransportCredentials].
func (p *proven) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := p.renewed.now().ServerHandshake(c)
	if err != nil {
		p.refused(p.accepted, "connection of a peer refused: it does not prove that it belongs to the cluster", c.RemoteAddr(), err)
	}
	return conn, info, err
}

// Clone implements [credentials.TransportCredentials].
func (p *proven) Clone() credentials.TransportCredentials {
	q := *p
	q.TransportCredentials = p.TransportCredentials.Clone()
	return &q
}
