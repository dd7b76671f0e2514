package pebble

import (
	"encoding/binary"
	"errors"
	"time"

	"fairfactor"
)

// Newest returns the time of the newest job that was there when the store was
// opened, accepted or ended, to about the time that a group took; zero if there was
// none. A clock that is far ahead of it may be wrong.
func (s *Store) Newest() time.Time {
	if s.newest == 0 {
		return time.Time{}
	}
	return time.UnixMicro(s.newest).UTC()
}

// loadNewest reads the last roll of each kind. What is damaged is left out: it will
// be reported where it is asked for.
func (s *Store) loadNewest() error {
	it, err := s.db.NewIter(iterBounds(kindBounds(kindFinished)))
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	if it.Last() && len(it.Key()) == finishedKeyLen {
		s.newest = int64(binary.BigEndian.Uint64(it.Key()[1:]) ^ 1<<63)
	}
	if err := undamaged(it.Error()); err != nil {
		return err
	}
	return undamaged(s.loadNewestAccepted())
}

func (s *Store) loadNewestAccepted() error {
	it, err := s.db.NewIter(iterBounds(kindBounds(kindAccepted)))
	if err != nil {
		return err
	}
	defer it.Close()
	if !it.Last() {
		return it.Error()
	}
	value, err := it.ValueAndErr()
	if err != nil {
		return err
	}
	r, err := decodeAccepted(it.Key(), value)
	if err != nil || len(r.keys) == 0 {
		return err
	}
	j, ok, err := locate(s.db, r.keys[len(r.keys)-1], "", 0)
	if ok && !j.Submitted.IsZero() {
		s.newest = max(s.newest, micros(j.Submitted))
	}
	return err
}

// undamaged returns an error of reading unless it is damage.
func undamaged(err error) error {
	if e := new(fairfactor.Error); err != nil && !errors.As(err, &e) {
		err = readError(err)
	}
	if fairfactor.CodeOf(err) == fairfactor.Internal {
		return nil
	}
	return err
}
