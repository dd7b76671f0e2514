package main

import (
	"net/netip"
	"os"

	"fairfactor"
	httpd "fairfactor/http"
)

// web is what the flags of serve say about the clients of the API.
func (c *config) web() (w httpd.Config, err error) {
	if w.GroupBy, err = httpd.ParseGroupBy(c.groupBy); err != nil {
		return w, fairfactor.Errorf(fairfactor.Invalid, "--group-by %s", fairfactor.MessageOf(err))
	}
	for _, text := range c.proxies {
		network, err := netip.ParsePrefix(text)
		if address, wrong := netip.ParseAddr(text); wrong == nil {
			network, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			return w, fairfactor.Errorf(fairfactor.Invalid, "--trusted-proxies %q is neither a network, such as 10.0.0.0/8, nor an address", text)
		}
		w.TrustedProxies = append(w.TrustedProxies, network.Masked())
	}
	for _, name := range c.hosts {
		if err := httpd.CheckHost(name); err != nil {
			return w, fairfactor.Errorf(fairfactor.Invalid, "--host %s", fairfactor.MessageOf(err))
		}
	}
	for _, origin := range c.origins {
		if err := httpd.CheckOrigin(origin); err != nil {
			return w, fairfactor.Errorf(fairfactor.Invalid, "--cors-origin %s", fairfactor.MessageOf(err))
		}
	}
	if err := httpd.CheckBasePath(c.basePath); err != nil {
		return w, fairfactor.Errorf(fairfactor.Invalid, "--base-path %s", fairfactor.MessageOf(err))
	}
	if w.Certificates, err = c.certificateRoles(); err != nil {
		return w, err
	}
	w.Hosts, w.Origins, w.BasePath = c.names(), c.origins, c.basePath
	return w, nil
}

// names are those of --host, and the machine's own.
func (c *config) names() []string {
	names := append([]string{}, c.hosts...)
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	if c.advertise != "" {
		names = append(names, c.advertise)
	}
	return names
}
