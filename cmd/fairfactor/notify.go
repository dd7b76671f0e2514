package main

import (
	"log/slog"
	"net"
	"os"
)

// notify tells the service manager that started the node how it is: "READY=1" or
// "STOPPING=1", see sd_notify(3). Without one it does nothing.
func notify(log *slog.Logger, state string) {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"}) // "@" is an abstract one there too
	if err == nil {
		_, err = c.Write([]byte(state))
		c.Close()
	}
	if err != nil {
		log.Warn("the service manager can't be told", "err", err)
	}
}
