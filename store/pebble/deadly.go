package pebble

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"sync"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
	"fairfactor/store/rules"
)

// deadly are the numbers that are deadly, all of them: few, so they are in memory, and each
// has a key for the next start. Changes are made under Store.mu too.
type deadly struct {
	mu  sync.RWMutex
	all map[string]fairfactor.Deadly // guarded by mu: by number
}

func (d *deadly) of(number string) (fairfactor.Deadly, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	x, ok := d.all[number]
	return x, ok
}

func (d *deadly) set(x fairfactor.Deadly) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil {
		d.all = map[string]fairfactor.Deadly{}
	}
	d.all[x.Number] = x
}

func (d *deadly) drop(number string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.all, number)
}

func (d *deadly) list() []fairfactor.Deadly {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Collect(maps.Values(d.all))
}

func deadlyKey(b []byte, number string) []byte {
	n := fairfactor.KeyOfNumber(number)
	return append(append(b, kindDeadly), n[:]...)
}

// deadlyVersion is the first byte of such a record.
const deadlyVersion = 1

func appendDeadly(b []byte, d *fairfactor.Deadly) []byte {
	b = appendString(append(b, deadlyVersion), d.Number)
	b = appendString(b, rules.DeathsText(&d.Deaths))
	b = binary.AppendUvarint(b, d.Job.Nonce)
	b = binary.AppendUvarint(b, d.Job.Caller)
	b = binary.AppendUvarint(b, d.Job.Seq)
	b = appendString(b, d.Caller)
	b = binary.AppendVarint(b, micros(d.Since))
	return binary.AppendVarint(b, micros(d.Used))
}

// decodeDeadly reads what appendDeadly wrote.
func decodeDeadly(key, sealed []byte) (d fairfactor.Deadly, err error) {
	value, err := unseal(key, sealed)
	if err != nil {
		return d, err
	}
	r := reader{b: value}
	version := r.byte()
	d.Number = r.string()
	deaths, ok := rules.ParseDeaths(r.string())
	d.Job = fairfactor.ID{Nonce: r.uvarint(), Caller: r.uvarint(), Seq: r.uvarint()}
	d.Caller = r.string()
	d.Since, d.Used = time.UnixMicro(r.varint()).UTC(), time.UnixMicro(r.varint()).UTC()
	if version != deadlyVersion || !ok || deaths == nil || r.bad || len(r.b) != 0 {
		return fairfactor.Deadly{}, damaged(key, "the record of a deadly number has an unknown form")
	}
	d.Deaths = *deaths
	return d, nil
}

// judge keeps what a change says of whether its number is deadly.
func (st *staging) judge(ch *fairfactor.Change) {
	if rules.Absolved(ch) {
		if _, ok := st.s.deadly.of(ch.Job.Number); ok {
			st.s.deadly.drop(ch.Job.Number)
			st.batch.Delete(deadlyKey(nil, ch.Job.Number), nil)
		}
		return
	}
	d, ok := rules.Condemned(ch)
	if !ok {
		return
	}
	if was, again := st.s.deadly.of(d.Number); again {
		differs := false
		if d, differs = rules.MergeDeadly(was, d); !differs {
			return
		}
	}
	st.s.deadly.set(d)
	key := deadlyKey(nil, d.Number)
	st.batch.Set(key, seal(key, appendDeadly(nil, &d)), nil)
}

// Deadly implements [fairfactor.DeadlyStore].
func (s *Store) Deadly(ctx context.Context) ([]fairfactor.Deadly, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	return rules.Deadliest(s.deadly.list()), nil
}

// TrimDeadly implements [fairfactor.DeadlyStore]. What it forgets is not synced: after a
// crash it is forgotten again.
func (s *Store) TrimDeadly(ctx context.Context, before time.Time) error {
	if err := live(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := rules.Trimmed(s.deadly.list(), before)
	if err := s.refusal(); err != nil || len(gone) == 0 {
		return err
	}
	b := s.db.NewBatch()
	defer b.Close()
	for _, d := range gone {
		s.deadly.drop(d.Number)
		b.Delete(deadlyKey(nil, d.Number), nil)
	}
	if err := s.db.Apply(b, pebbledb.NoSync); err != nil {
		s.die(err)
	}
	return s.refusal()
}

// loadDeadly reads all numbers that are deadly. One that is damaged is left out.
func (s *Store) loadDeadly() error {
	it, err := s.db.NewIter(iterBounds(kindBounds(kindDeadly)))
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return readError(err)
		}
		d, err := decodeDeadly(it.Key(), value)
		if err != nil {
			s.log.Error("the record of a deadly number is damaged, it is left out", "err", err)
			continue
		}
		s.deadly.set(d)
	}
	return readError(it.Error())
}
