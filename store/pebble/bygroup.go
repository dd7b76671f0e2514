package pebble

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// allFormat is a cursor of a list that follows the order of acceptance: a group and an
// index in its roll.
const allFormat = "g%d.%d"

// listAll lists all callers' jobs, or those with a number, in the order of acceptance,
// last group first. New groups come before the first page, so a cursor stays good while
// writes go on.
func (s *Store) listAll(ctx context.Context, q fairfactor.Query, p *pager) error {
	group, index, err := parseCursor(q.Cursor, allFormat)
	if err != nil {
		return err
	}
	snapshot := s.db.NewSnapshot()
	defer snapshot.Close()
	l := groupList{s: s, db: snapshot, q: &q, pager: p, group: group, index: index}
	if q.Caller != "" {
		a, ok, err := readAccount(snapshot, q.Caller)
		if err != nil || !ok {
			return err
		}
		l.caller = a.Number
	}
	if l.window, err = s.windowOf(snapshot, &q); err != nil || l.end == 0 {
		return err
	}
	if l.group >= l.end {
		l.group, l.index = l.end-1, math.MaxUint64
	}
	defer l.close()
	if err := l.open(); err != nil {
		return err
	}
	p.left = pageLookups
	return l.run(ctx)
}

// groupList walks down the groups that have jobs of a query.
type groupList struct {
	s  *Store
	db *pebbledb.Snapshot
	q  *fairfactor.Query
	window
	caller       uint64 // zero for all
	group, index uint64 // jobs from here on up were on the pages before
	sources      []*source
	pager        *pager
}

// source is an index that says which groups have jobs of a query, and maybe which
// jobs.
type source struct {
	it    *pebbledb.Iterator
	at    int    // of the group in a key
	jobs  bool   // the key names a job
	valid bool   // it has not come to its end
	group uint64 // that it is at
}

func (c *source) settle(valid bool) {
	if c.valid = valid; valid {
		c.group = binary.BigEndian.Uint64(c.it.Key()[c.at:])
	}
}

// open puts an iterator on the last group of each index that the query needs.
func (l *groupList) open() (err error) {
	add := func(prefix []byte, jobs bool) {
		upper := binary.BigEndian.AppendUint64(prefix[:len(prefix):len(prefix)], min(l.group, math.MaxUint64-1)+1)
		var it *pebbledb.Iterator
		if err == nil {
			it, err = l.db.NewIter(iterBounds(prefix, upper))
		}
		if err == nil {
			c := &source{it: it, at: len(prefix), jobs: jobs}
			l.sources = append(l.sources, c)
			c.settle(it.Last())
		}
	}
	states := l.q.States
	switch {
	case l.q.Number != "":
		add(numberKey(nil, l.q.Number, 0, jobKey{})[:numberGroup], true)
	case states == 0:
		add([]byte{kindAccepted}, false)
	default:
		if states.Has(fairfactor.Pending) {
			add([]byte{kindUnfinished}, false)
		}
		if states.Has(fairfactor.Completed) {
			add([]byte{kindCompleted}, false)
		}
		for _, state := range endedIn(l.q) {
			add([]byte{kindEndedAs, byte(state)}, true)
		}
	}
	return readError(err)
}

func (l *groupList) close() {
	for _, c := range l.sources {
		c.it.Close()
	}
}

// run fills the page.
func (l *groupList) run(ctx context.Context) error {
	for {
		if err := live(ctx); err != nil {
			return err
		}
		group, ok, err := l.next()
		if err != nil || !ok || group < l.first {
			return err
		}
		jobs, whole := l.take(group)
		if !whole && len(jobs) == 0 {
			continue
		}
		if whole {
			jobs = nil
		}
		if full, err := l.roll(group, jobs); err != nil || full {
			return err
		}
	}
}

// next returns the last group that an index is at.
func (l *groupList) next() (group uint64, ok bool, err error) {
	for _, c := range l.sources {
		if err := c.it.Error(); err != nil {
			return 0, false, readError(err)
		}
		if c.valid && (!ok || c.group > group) {
			group, ok = c.group, true
		}
	}
	return group, ok, nil
}

// take moves the indexes on that are at a group. It returns the jobs that they name;
// whole is when one names none, but all of the group.
func (l *groupList) take(group uint64) (jobs map[jobKey]bool, whole bool) {
	for _, c := range l.sources {
		for c.valid && c.group == group {
			switch {
			case !c.jobs:
				whole = true
			case len(c.it.Key()) == c.at+18:
				if p := jobKeyAt(c.it.Key()); l.caller == 0 || l.caller == p.caller {
					if jobs == nil {
						jobs = map[jobKey]bool{}
					}
					jobs[p] = true
				}
			}
			c.settle(c.it.Prev())
		}
	}
	return jobs, whole
}

// roll puts the jobs of a group on the page, only the given ones unless that is nil,
// and reports whether the page is complete.
func (l *groupList) roll(group uint64, only map[jobKey]bool) (full bool, err error) {
	key := acceptedKey(nil, group)
	value, closer, err := l.db.Get(key)
	if err == pebbledb.ErrNotFound {
		return false, damaged(key, "the roll is missing")
	}
	if err != nil {
		return false, readError(err)
	}
	r, err := decodeAccepted(key, value)
	closer.Close()
	if err != nil || r.earliest >= l.until {
		return false, err
	}
	from := len(r.keys)
	if group == l.group {
		from = int(min(uint64(from), l.index))
	}
	for i := from - 1; i >= 0; i-- {
		if only != nil && !only[r.keys[i]] {
			continue
		}
		j, ok, err := l.job(r.keys[i])
		if err != nil {
			return false, err
		}
		cursor := ""
		if ok || l.pager.left <= 1 {
			cursor = fmt.Sprintf(allFormat, group, i)
		}
		if ok && l.pager.add(j, cursor) || l.pager.spent(cursor) {
			return true, nil
		}
	}
	return false, nil
}

// job reads the job with a key; ok is whether it suits the query.
func (l *groupList) job(p jobKey) (j stored, ok bool, err error) {
	name, _, err := l.s.name(p.caller)
	if err != nil {
		return j, false, err
	}
	j, ok, err = locate(l.db, p, name, l.q.States)
	return j, ok && err == nil && l.q.Matches(&j.Job), err
}
