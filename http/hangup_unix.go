//go:build unix

package http

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// hungUp returns the connections whose clients have closed them, or their half
// of them. It takes one system call, however many there are.
func hungUp(conns []*conn) (gone []*conn) {
	if len(conns) == 0 {
		return nil
	}
	asked, of := make([]unix.PollFd, 0, len(conns)), make([]*conn, 0, len(conns))
	for _, c := range conns {
		sys, ok := c.raw().(syscall.Conn)
		if !ok {
			continue
		}
		raw, err := sys.SyscallConn()
		if err != nil {
			continue
		}
		// A descriptor that is closed and given to another connection before the
		// question gives an answer about that one. All that comes of it is that a
		// request whose connection is closed already ends.
		_ = raw.Control(func(fd uintptr) {
			asked, of = append(asked, unix.PollFd{Fd: int32(fd), Events: hangUpEvents}), append(of, c)
		})
	}
	if n, err := unix.Poll(asked, 0); err != nil || n == 0 {
		return nil
	}
	for i := range asked {
		if asked[i].Revents != 0 {
			gone = append(gone, of[i])
		}
	}
	return gone
}
