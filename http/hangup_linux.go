package http

import "golang.org/x/sys/unix"

// hangUpEvents are asked for: POLLHUP and POLLERR are told without, but not that
// the client has closed its half.
const hangUpEvents = unix.POLLRDHUP
