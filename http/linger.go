package http

import (
	"sync"
	"time"
)

// Limits of what a client may still send after an answer that ended its connection.
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 16 << 20

	lingerRead  = 8 << 10                // bytes of one read
	lingerLeast = 4 << 10                // that a read counts as, however little it brings
	lingerRate  = 16 << 20               // bytes a second of all connections
	lingerSaved = 2 * lingerBytes        // that may be read at once after a time without
	lingerWait  = 250 * time.Millisecond // the longest that a connection waits for its turn
)

// leftovers bounds what the node reads only to throw it away: the rest of requests that it
// has refused already. Without a bound, clients that send large bodies or endless headers
// would keep it as busy as their network can. It is a bucket that fills at lingerRate; a
// read takes what it brought, and then waits until the bucket is no longer overdrawn. So one
// client that sends too much gets its answer at once, and many wait for one another.
type leftovers struct {
	mu    sync.Mutex
	taken int64         // guarded by mu: bytes that are not yet made up for
	at    time.Duration // guarded by mu: when taken was right
}

// read counts a read of n bytes at a time, which only grows, and returns for how long the
// reader must wait before its next one. Above lingerWait it shall read no more.
func (l *leftovers) read(n int, now time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now > l.at {
		l.taken = max(l.taken-int64((now-l.at)*lingerRate/time.Second), 0)
		l.at = now
	}
	over := l.taken - lingerSaved
	if over > lingerRate*int64(lingerWait)/int64(time.Second) {
		return lingerWait + 1 // it takes no more, so those that wait are not held up by it
	}
	l.taken += int64(max(n, lingerLeast))
	over = max(l.taken-lingerSaved, 0)
	return time.Duration(over) * time.Second / lingerRate
}

var lingerBuffers = sync.Pool{New: func() any { return new([lingerRead]byte) }}

// linger lets the client read the last answer: if the connection were closed
// while bytes are still coming in, the system would reset it, and the answer
// could be lost on the way.
func (c *conn) linger() {
	if c.secure != nil && c.secure.CloseWrite() != nil {
		return
	}
	half, ok := c.raw().(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || c.Conn.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	buffer := lingerBuffers.Get().(*[lingerRead]byte)
	defer lingerBuffers.Put(buffer)
	for total := 0; total < lingerBytes; {
		n, err := c.Conn.Read(buffer[:])
		if err != nil {
			return // how it ends does not matter
		}
		total += n
		if wait := c.owner.leftovers.read(n, c.elapsed()); wait > lingerWait || wait > 0 && !c.owner.pause(wait) {
			return
		}
	}
}

// pause waits, and reports whether the listener is still open then.
func (l *connections) pause(wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.done:
		return false
	}
}
