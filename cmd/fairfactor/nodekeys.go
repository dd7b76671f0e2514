package main

import (
	"context"
	"net"

	"fairfactor"
	httpd "fairfactor/http"
)

// openKeys reads the API keys. A node that other machines reach starts only with a
// key, or with --open.
func (n *node) openKeys(ctx context.Context) (err error) {
	near := true // only this machine reaches it
	if at, ok := n.listener.Addr().(*net.TCPAddr); ok {
		near = at.IP.IsLoopback()
	}
	if n.cfg.open {
		if !near {
			n.log.Warn("THE API IS OPEN: anyone who reaches the port can use all of it, see fairfactor keys", "http", n.cfg.http)
		}
		return nil
	}
	byCertificate := len(n.web.Certificates) > 0
	n.keys, err = httpd.OpenKeyring(ctx, n.keyStore, httpd.KeyringOptions{Logger: n.log, Always: !near || byCertificate, Shared: n.members != nil})
	if err != nil {
		return err
	}
	if !near && n.keys.Empty() && !byCertificate {
		where := "--data " + n.cfg.data
		if n.members != nil {
			where = "the same --store"
		}
		return fairfactor.Errorf(fairfactor.Invalid,
			"anyone who reaches --http %s could use all of the API, because there are no API keys: make one with fairfactor keys add --role operator and %s, or accept the risk with --open", n.cfg.http, where)
	}
	return nil
}

// readStore replaces --store-file by the URL that it holds.
func (c *config) readStore() (err error) {
	c.store, err = secretOf("store", c.store, c.storeFile)
	c.storeFile = ""
	return err
}
