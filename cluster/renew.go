package cluster

import (
	"crypto/tls"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
)

// renewed are the credentials of connections between members, made again when
// [Config.Renew] has other certificates. Connections that exist keep theirs.
type renewed struct {
	renew   func() *TLS // nil for never
	cluster string
	log     *slog.Logger

	mu      sync.Mutex // guards what follows
	from    *TLS       // seen last, good or not
	current credentials.TransportCredentials
}

func newRenewed(cfg Config) *renewed {
	return &renewed{renew: cfg.Renew, cluster: cfg.Cluster, log: cfg.Logger, from: cfg.TLS, current: cfg.TLS.credentials(cfg.Cluster)}
}

// now returns the credentials for a new connection. Certificates that other members
// would refuse are logged once, and the ones before stay.
func (r *renewed) now() credentials.TransportCredentials {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.renew == nil {
		return r.current
	}
	t := r.renew()
	if t == nil || t == r.from {
		return r.current
	}
	r.from = t
	if err := t.check(r.cluster, time.Now()); err != nil {
		r.log.Error("the new certificates of this node are not used", "err", err)
		return r.current
	}
	r.current = t.credentials(r.cluster)
	r.log.Info("new certificates between nodes")
	return r.current
}

// credentials are those of connections in both directions.
func (t *TLS) credentials(cluster string) credentials.TransportCredentials {
	return credentials.NewTLS(&tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{t.Certificate},
		RootCAs:      t.Authorities,
		ServerName:   cluster,
		ClientCAs:    t.Authorities,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		VerifyConnection: func(s tls.ConnectionState) error {
			return s.PeerCertificates[0].VerifyHostname(cluster) // gRPC checks the name of the server only
		},
	})
}
