package http

import (
	"net"

	"golang.org/x/sys/unix"
)

// unsentBytes is how much of an answer the system keeps that could not be sent yet.
// Without it that grows to some megabytes a connection, which no budget of the node
// sees but its cgroup does. The throughput does not suffer: what was sent and is on its
// way is not bounded by it.
const unsentBytes = 64 << 10

// boundUnsent bounds what the system keeps for a client that does not read.
func boundUnsent(nc net.Conn) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return // it is closed already
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentBytes) // without it, it costs memory
	})
}
