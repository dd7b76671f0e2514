package http

import (
	"bytes"
	"errors"
	"io"
)

// Limits of a batch's body.
const (
	maxLineBytes  = 64 << 10 // a longer line is refused, the rest goes on
	maxBatchBytes = 64 << 20 // of a whole batch; what follows is not read

	firstBufferBytes = 8 << 10          // what fasthttp has read when the batch begins
	lastBufferBytes  = maxLineBytes + 2 // a line, its end, and a byte to see that there is more
)

// lines cuts a stream into lines. It holds one buffer, which grows up to the
// longest line, and reads only when it has no whole line left.
type lines struct {
	from  io.Reader
	buf   []byte // unread is buf[start:]
	start int
	taken int   // bytes read so far
	err   error // why there is no more to read; io.EOF at the end
}

var (
	errLineTooLong  = errors.New("line too long")
	errBatchTooLong = errors.New("batch too long")
)

// next returns the next line without its end, valid until the next call. It
// returns errLineTooLong for a line that it skipped, and another error if there
// is no further line: io.EOF at the end of the stream. The last line may lack
// its newline.
func (l *lines) next() ([]byte, error) {
	for seen := l.start; ; {
		if i := bytes.IndexByte(l.buf[seen:], '\n'); i >= 0 {
			line := l.buf[l.start : seen+i]
			l.start = seen + i + 1
			return fits(line)
		}
		if l.err != nil {
			return l.last()
		}
		if len(l.buf)-l.start > maxLineBytes {
			return nil, l.skip()
		}
		before := l.start
		seen = len(l.buf) - before
		l.read()
		seen += l.start
	}
}

func fits(line []byte) ([]byte, error) {
	if len(line) > maxLineBytes {
		return nil, errLineTooLong
	}
	return line, nil
}

// last returns what stands after the last newline, if the stream ended well.
func (l *lines) last() ([]byte, error) {
	rest := l.buf[l.start:]
	l.start = len(l.buf)
	if len(rest) == 0 || !errors.Is(l.err, io.EOF) {
		return nil, l.err
	}
	return fits(rest)
}

// skip drops a line that is too long, up to its end.
func (l *lines) skip() error {
	for {
		l.start = len(l.buf)
		if l.err != nil {
			return errLineTooLong
		}
		l.read()
		if i := bytes.IndexByte(l.buf[l.start:], '\n'); i >= 0 {
			l.start += i + 1
			return errLineTooLong
		}
	}
}

// waiting reports whether next would have to read.
func (l *lines) waiting() bool {
	return l.err == nil && bytes.IndexByte(l.buf[l.start:], '\n') < 0
}

// read takes more of the stream into the buffer, once.
func (l *lines) read() {
	if l.start > 0 {
		l.buf = l.buf[:copy(l.buf, l.buf[l.start:])]
		l.start = 0
	}
	if len(l.buf) == cap(l.buf) {
		larger := make([]byte, len(l.buf), min(max(2*cap(l.buf), firstBufferBytes), lastBufferBytes))
		copy(larger, l.buf)
		l.buf = larger
	}
	n, err := l.from.Read(l.buf[len(l.buf):cap(l.buf)])
	l.buf = l.buf[:len(l.buf)+n]
	l.taken += n
	switch {
	case l.taken > maxBatchBytes:
		l.err = errBatchTooLong
	case err != nil:
		l.err = err
	}
}
