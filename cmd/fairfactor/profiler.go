package main

import (
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"fairfactor"
)

// profilerAddress is where --pprof offers Go's profiles, nil for nowhere. It must be
// loopback: they show what the node is working on.
func (c *config) profilerAddress() (*net.TCPAddr, error) {
	if c.pprof == "" {
		return nil, nil
	}
	addr, err := net.ResolveTCPAddr("tcp", c.pprof)
	if err != nil || !addr.IP.IsLoopback() {
		return nil, fairfactor.Errorf(fairfactor.Invalid, "--pprof %q is not a loopback address such as 127.0.0.1:6060", c.pprof)
	}
	return addr, nil
}

// startProfiler offers Go's profiles on an address of their own.
func (n *node) startProfiler() error {
	addr, err := n.cfg.profilerAddress()
	if err != nil || addr == nil {
		return err
	}
	listener, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return fairfactor.Wrap(fairfactor.Unavailable, err, "can't listen on "+n.cfg.pprof+": choose another address with --pprof")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	n.profiler = server
	go func() { _ = server.Serve(listener) }() // ends with Close
	n.log.Info("profiles", "url", "http://"+listener.Addr().String()+"/debug/pprof/")
	return nil
}
