//go:build unix && !linux

package http

// hangUpEvents is empty: POLLHUP and POLLERR are told without being asked for.
const hangUpEvents = 0
