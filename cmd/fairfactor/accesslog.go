package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"sync"
	"time"

	"fairfactor"
)

// accessLog is the file of --access-log. Lines are written together, at the latest
// after a second, so that a request does not wait for a system call of its own.
type accessLog struct {
	to    io.Writer
	close func() error

	mu    sync.Mutex // guards lines
	lines *bufio.Writer
}

const (
	accessLogBytes = 64 << 10
	accessLogEvery = time.Second
)

// openAccessLog opens a file to append to, or standard output for -. It returns nil
// without a name.
func openAccessLog(name string) (*accessLog, error) {
	l := &accessLog{to: os.Stdout, close: func() error { return nil }}
	switch name {
	case "":
		return nil, nil
	case "-":
	default:
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
		if err != nil {
			return nil, fairfactor.Wrap(fairfactor.Invalid, err, "the file of --access-log can't be written")
		}
		l.to, l.close = file, file.Close
	}
	l.lines = bufio.NewWriterSize(l.to, accessLogBytes)
	return l, nil
}

// Write implements [io.Writer].
func (l *accessLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.lines.Write(line)
	return n, l.unless(err)
}

// flush writes what waits.
func (l *accessLog) flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unless(l.lines.Flush())
}

// unless drops the lines that could not be written: later ones may be again.
func (l *accessLog) unless(err error) error {
	if err != nil {
		l.lines.Reset(l.to)
	}
	return err
}

// run writes what waits once a second, until ctx ends.
func (l *accessLog) run(ctx context.Context, failed func(error)) {
	tick := time.NewTicker(accessLogEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := l.flush(); err != nil {
				failed(err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// Close writes what waits and closes the file.
func (l *accessLog) Close() error {
	err := l.flush()
	if e := l.close(); err == nil {
		err = e
	}
	return err
}
