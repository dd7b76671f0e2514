package pebble

import (
	"fmt"

	"fairfactor"
)

// logger passes Pebble's log on.
type logger struct{ s *Store }

func (l logger) Infof(format string, args ...any) {
	l.s.log.Debug("pebble", "event", fmt.Sprintf(format, args...))
}

func (l logger) Errorf(format string, args ...any) {
	l.s.log.Error("pebble", "err", fmt.Sprintf(format, args...))
}

// Fatalf is called when a write of the log or of the manifest failed.
func (l logger) Fatalf(format string, args ...any) {
	said := saidError{text: fmt.Sprintf(format, args...)}
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			said.cause = err
		}
	}
	l.s.die(said)
}

// saidError is an error that Pebble put into words of its own.
type saidError struct {
	text  string
	cause error // nil if it did not say
}

func (e saidError) Error() string { return e.text }
func (e saidError) Unwrap() error { return e.cause }

// die ends the service of the store, see Options.Fatal.
func (s *Store) die(err error) {
	if s.failed.Swap(true) {
		return
	}
	if !s.opened.Load() {
		s.background(err) // ends Open
		return
	}
	s.log.Error("data directory can't be written, the node must start again", "err", err.Error())
	s.fatal(fairfactor.Wrap(fairfactor.Unavailable, err, "the data directory can't be written"))
}

// refusal returns the error for a change after the log failed, else nil.
func (s *Store) refusal() error {
	if s.failed.Load() {
		return fairfactor.Errorf(fairfactor.Unavailable, "the data directory can't be written: the node must start again")
	}
	return nil
}
