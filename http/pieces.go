package http

import (
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"fairfactor"
)

// partLength is how many jobs or callers a long answer holds at once.
const partLength = 250

// maxOutBytes is the longest piece whose memory is used again: the answer to the lines of a
// batch that are handled at once has 130 KB.
const maxOutBytes = 512 << 10

// pieces is an answer that is made while it is sent, a piece at a time, within the
// node's [budget]. fasthttp reads it after the handler has returned.
type pieces struct {
	s    *Server
	conn *conn
	name string             // for the log
	next func()             // appends the next piece to out, or sets end
	as   *fairfactor.APIKey // of who asks
	gzip bool               // what is sent is compressed

	out  []byte // unread from done on
	done int
	end  error // what follows, nil if there is more; not [io.EOF] breaks the connection
}

// fill returns when there is something to send, or with the end.
func (x *pieces) fill() (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			x.s.log.Error(x.name+" failed", "err", fmt.Sprintf("panic: %v\n%s", fault, debug.Stack()))
			err = io.ErrUnexpectedEOF
		}
	}()
	for x.done == len(x.out) {
		x.conn.letGo()
		if x.end != nil {
			return x.end
		}
		if x.out, x.done = x.out[:0], 0; cap(x.out) > keptBytes {
			x.lendOut()
		}
		if err := x.s.stillKnown(x.as); err != nil {
			x.refuse(err)
			x.end = io.ErrUnexpectedEOF
			continue
		}
		x.next()
		x.conn.has(len(x.out))
	}
	return nil
}

// outs are the memory of long pieces that were sent.
var outs sync.Pool

// borrowOut takes memory for a piece of about so many bytes.
func (x *pieces) borrowOut(size int) {
	if x.out != nil || size <= keptBytes {
		return
	}
	if out, ok := outs.Get().(*[]byte); ok {
		x.out = *out
	}
	x.out = slices.Grow(x.out, size)
}

// lendOut lets another answer have the memory of what was sent, unless it is very long.
func (x *pieces) lendOut() {
	if cap(x.out) > keptBytes && cap(x.out) <= maxOutBytes {
		out := x.out[:0]
		outs.Put(&out)
	}
	x.out = nil
}

// refuse appends a line that says what is wrong.
func (x *pieces) refuse(err error) {
	x.out = append(appendProblem(x.out, problemOf(err)), '\n')
}

// breaks ends the answer with a line that says why, and breaks it off: it must not look
// complete.
func (x *pieces) breaks(err error) {
	if problemOf(err).kind == broken {
		x.s.log.Error(x.name+" failed", "err", err)
	}
	x.refuse(err)
	x.end = io.ErrUnexpectedEOF
}

// room waits for memory for the next part. A client that has part of its answer already
// waits as long for the rest as the node would wait for it.
func (x *pieces) room() error {
	return x.s.room(x.conn, x.s.limits.write)
}

// room sets memory aside for a part of a long answer.
func (s *Server) room(c *conn, longest time.Duration) error {
	if c == nil {
		return nil
	}
	return s.answers.take(c, partBytes, longest, s.polls.running.Done())
}

// whole is a body that fasthttp lets write itself, which takes fewer writes than to
// read it. Nothing is held back for the client's sake, so it is not for answers to
// what the client is still sending.
type whole struct{ *pieces }

// SupportsBodyWriteTo implements [fasthttp.BodyWriterTo].
func (w whole) SupportsBodyWriteTo() bool { return true }

// Read implements [io.Reader].
func (w whole) Read(p []byte) (int, error) {
	if err := w.fill(); err != nil {
		return 0, err
	}
	n := copy(p, w.out[w.done:])
	w.done += n
	return n, nil
}

// WriteTo implements [io.WriterTo].
func (w whole) WriteTo(to io.Writer) (sent int64, err error) {
	if w.gzip {
		z, err := gzip.NewWriterLevel(to, gzip.StatelessCompression) // it keeps nothing between two pieces
		if err != nil {
			return 0, err
		}
		defer func() {
			if err == nil {
				err = z.Close()
			}
		}()
		to = z
	}
	for {
		if err := w.fill(); err == io.EOF {
			return sent, nil
		} else if err != nil {
			return sent, err
		}
		n, err := to.Write(w.out[w.done:])
		sent += int64(n)
		if w.done += n; err != nil {
			return sent, err
		}
	}
}

// Close implements [io.Closer].
func (w whole) Close() error {
	w.conn.letGo()
	w.out = nil
	return nil
}

// begin makes the pieces the answer to a request.
func (x *pieces) begin(s *Server, r *request, name, media string, next func()) {
	x.s, x.name, x.next, x.as = s, name, next, r.as
	x.conn, _ = r.ctx.Conn().(*conn)
	h := &r.ctx.Response.Header
	h.SetContentType(media)
	h.SetCanonical(cacheName, noStore)
}

// send makes the pieces the body, compressed if the client takes that.
func (x *pieces) send(r *request) {
	h := &r.ctx.Response.Header
	h.AddBytesKV(varyName, acceptEncoding)
	if x.gzip = takesGzip(r.acceptEncoding); x.gzip {
		h.SetContentEncoding("gzip")
	}
	r.ctx.Response.SetBodyStream(whole{x}, -1)
}

// has says that the connection's client has so many bytes to take.
func (c *conn) has(bytes int) {
	if c != nil && (bytes > smallAnswer || c.held.Load() > 0) {
		c.owner.answers.made(c, int64(bytes))
	}
}

// letGo gives back the memory of an answer that was taken, or will never be.
func (c *conn) letGo() {
	if c != nil && c.held.Load() > 0 {
		c.owner.answers.free(c)
	}
}
