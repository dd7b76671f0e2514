//go:build !linux

package http

import "net"

// boundUnsent does nothing here: the system bounds what it keeps in its own way.
func boundUnsent(net.Conn) {}
