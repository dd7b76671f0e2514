package pebble

import (
	"encoding/binary"
	"math/rand/v2"

	"fairfactor"
)

// Each start begins a new line of the journal, with a number at random, and the directory
// knows where each line begins. A directory that comes back from a backup lacks the
// lines that were begun since, and ends the one of the backup where that was made: so a
// position that was read from groups which are lost is told from one of the groups that have
// taken their numbers since.

// maxLines bounds the lines that are known: readers that come back after more starts are told
// of a gap.
const maxLines = 1000

// line is the groups from one start to the next.
type line struct {
	number uint64
	first  uint64 // group
}

// loadLines reads the lines and begins the one of this start. Damage forgets all before it.
func (s *Store) loadLines() error {
	value, ok, err := get(s.db, keyLines)
	if err := undamaged(err); err != nil {
		return err
	}
	lines := []line{{number: 1, first: 1}} // of a new directory, or one of before there were lines
	if ok || err != nil {
		lines = nil
		for r := (reader{b: value}); len(r.b) > 0; {
			if l := (line{r.uvarint(), r.uvarint()}); !r.bad {
				lines = append(lines, l)
			}
		}
	}
	if !ok && err == nil && s.group == 0 {
		s.events.lines = lines
		return s.commitLines()
	}
	lines = append(lines, line{rand.Uint64N(1<<63-2) + 2, s.group + 1})
	lines = lines[max(len(lines)-maxLines, 0):]
	s.events.lines = lines
	return s.commitLines()
}

func (s *Store) commitLines() error {
	var text []byte
	for _, l := range s.events.lines {
		text = binary.AppendUvarint(binary.AppendUvarint(text, l.number), l.first)
	}
	b := s.db.NewBatch()
	b.Set(keyLines, seal(keyLines, text), nil)
	return s.commit(b)
}

// line is the number of the line of this start.
func (e *events) line() uint64 { return e.lines[len(e.lines)-1].number }

// has reports whether a position is one of this directory's, up to the end.
func (e *events) has(at, end fairfactor.Position) bool {
	for i, l := range e.lines {
		if l.number != at.Line {
			continue
		}
		if i+1 < len(e.lines) {
			end = fairfactor.Position{Group: e.lines[i+1].first}
		}
		return at.Compare(end) <= 0
	}
	return false
}
