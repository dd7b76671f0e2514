package cluster_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor/cluster"
)

// New certificates count from the next handshake on, in both directions, and those
// that other members would refuse never do.
func TestCertificatesAreRenewed(t *testing.T) {
	first, second, expired := certificates(t, "fairfactor", time.Now()), certificates(t, "fairfactor", time.Now()), certificates(t, "fairfactor", time.Now().Add(-2*cluster.CertificateLife))
	var said lines
	var now atomic.Pointer[cluster.TLS]
	c := config(nil)
	c.TLS, c.Renew, c.Logger = identity(t, first, first), now.Load, said.logger()
	n := start(t, c)
	shakes := func(dir string) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		peer := config(nil)
		peer.TLS = identity(t, dir, dir)
		return cluster.Handshake(ctx, peer, n.System().Address())
	}
	if err := shakes(first); err != nil {
		t.Errorf("before: %v", err)
	}
	now.Store(identity(t, second, second))
	if before, after := shakes(first), shakes(second); before == nil || after != nil {
		t.Errorf("renewed: a peer with the old authority gets %v, one with the new authority %v", before, after)
	}
	now.Store(identity(t, expired, expired))
	if err := shakes(second); err != nil || !said.has("certificates of this node are not used") {
		t.Errorf("expired: %v, and the log has to say so", err)
	}
	dialing := config(nil) // as a client it takes the new ones too
	dialing.TLS, dialing.Renew = identity(t, first, first), func() *cluster.TLS { return now.Load() }
	now.Store(identity(t, second, second))
	if err := cluster.Handshake(t.Context(), dialing, n.System().Address()); err != nil {
		t.Errorf("dialled with renewed certificates: %v", err)
	}
}
