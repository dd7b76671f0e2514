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
func (l logger) Fatalf(format string, args ...any) { l.s.die(fmt.Errorf(format, args...)) }

// die ends the service of the store, see Options.Fatal.
func (s *Store) die(err error) {
	if s.failed.Swap(true) {
		return
	}
	s.log.Error("data directory can't be written, the node must start again", "err", err)
	s.fatal(fairfactor.Wrap(fairfactor.Unavailable, err, "the data directory can't be written"))
}

// refusal returns the error for a change after the log failed, else nil.
func (s *Store) refusal() error {
	if s.failed.Load() {
		return fairfactor.Errorf(fairfactor.Unavailable, "the data directory can't be written: the node must start again")
	}
	return nil
}
