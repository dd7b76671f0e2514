package pebble

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// Job implements [fairfactor.Store].
func (s *Store) Job(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Job{}, err
	}
	name, ok, err := s.name(id.Caller)
	if err != nil {
		return fairfactor.Job{}, err
	}
	if !ok {
		return fairfactor.Job{}, missing(id)
	}
	j, err := find(s.db, id, name)
	if fairfactor.CodeOf(err) == fairfactor.NotFound {
		// The job may have moved between two keys while they were read.
		snapshot := s.db.NewSnapshot()
		defer snapshot.Close()
		j, err = find(snapshot, id, name)
	}
	if err == nil {
		err = s.flights.wait(ctx, id, j.group)
	}
	if err == nil {
		err = s.attach(&j.Job)
	}
	if err != nil {
		return fairfactor.Job{}, err
	}
	return j.Job, nil
}

// missing returns the error for a job that is not there.
func missing(id fairfactor.ID) error {
	return fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", id)
}

// find reads a job, wherever it is in its life.
func find(db pebbledb.Reader, id fairfactor.ID, caller string) (stored, error) {
	j, ok, err := locate(db, jobKey{id.Caller, id.Seq}, caller, 0)
	if err == nil && (!ok || j.ID != id) {
		err = missing(id)
	}
	if err != nil {
		return stored{}, err
	}
	return j, nil
}

// locate reads the job with a key if it is there and in one of the wanted states. It
// looks among the ended ones first, which are read most.
func locate(db pebbledb.Reader, p jobKey, caller string, want fairfactor.States) (j stored, ok bool, err error) {
	if want.Ended() {
		key := slot(make([]byte, 0, slotLen), kindEnded, p.caller, p.seq)
		if j, ok, err = getJob(db, key, p.caller, caller); err != nil || ok {
			return j, err == nil && want.Has(j.State), err
		}
	}
	if !want.Has(fairfactor.Pending) {
		return j, false, nil
	}
	if j, ok, err = queuedJob(db, p, p.seq, caller, true); err != nil || ok {
		return j, ok, err
	}
	order, ok, err := requeuedOrder(db, p)
	if err != nil || !ok {
		return j, false, err
	}
	return queuedJob(db, p, order, caller, true)
}

// requeuedOrder returns the order of a job that was queued again.
func requeuedOrder(db pebbledb.Reader, p jobKey) (uint64, bool, error) {
	key := slot(nil, kindRequeued, p.caller, p.seq)
	value, ok, err := get(db, key)
	if err != nil || !ok {
		return 0, false, err
	}
	r := reader{b: value}
	order := r.uvarint()
	if r.bad || len(r.b) != 0 {
		return 0, false, damaged(key, "its value has an unknown form")
	}
	return order, true, nil
}

// queuedJob reads the unfinished job with that order if it is the one at p: as
// it was at its last checkpoint if saved says so, else as it was queued.
func queuedJob(db pebbledb.Reader, p jobKey, order uint64, caller string, saved bool) (j stored, ok bool, err error) {
	key := slot(make([]byte, 0, slotLen), kindQueued, p.caller, order)
	record, ok, err := get(db, key)
	if err != nil || !ok {
		return j, false, err
	}
	if saved {
		checkpoint := slot(make([]byte, 0, slotLen), kindCheckpoint, p.caller, order)
		if value, ok, err := get(db, checkpoint); err != nil {
			return j, false, err
		} else if ok {
			key = checkpoint
			if record, _, err = splitCheckpoint(key, value); err != nil {
				return j, false, err
			}
		}
	}
	j, err = decodeJob(key, record, p.caller, caller)
	return j, err == nil && j.ID.Seq == p.seq, err
}

// splitCheckpoint takes a checkpoint's value apart: the job's record and what
// was saved of its progress.
func splitCheckpoint(key, value []byte) (record, saved []byte, err error) {
	r := reader{b: value}
	record = r.take(r.uvarint())
	if r.bad {
		return nil, nil, damaged(key, "the checkpoint has an unknown form")
	}
	return record, r.b, nil
}

// Keyed implements [fairfactor.Store].
func (s *Store) Keyed(ctx context.Context, caller uint64, keys []string, since time.Time) (map[string]fairfactor.Job, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	found := map[string]fairfactor.Job{}
	for _, key := range keys {
		id, at, ok, err := keyed(s.db, caller, key)
		if err != nil {
			return nil, err
		}
		if !ok || at < micros(since) {
			continue
		}
		if err := s.flights.wait(ctx, id, 0); err != nil {
			return nil, err
		}
		switch job, err := s.Job(ctx, id); {
		case err == nil:
			found[key] = job
		case fairfactor.CodeOf(err) != fairfactor.NotFound:
			return nil, err
		}
	}
	return found, nil
}

// keyed reads the job with an idempotency key and its time of submission.
func keyed(db pebbledb.Reader, caller uint64, text string) (id fairfactor.ID, at int64, ok bool, err error) {
	key := idempotencyKey(nil, caller, text)
	value, ok, err := get(db, key)
	if err != nil || !ok {
		return id, 0, false, err
	}
	r := reader{b: value}
	id = fairfactor.ID{Nonce: r.uvarint(), Caller: caller, Seq: r.uvarint()}
	at = r.varint()
	if r.bad || len(r.b) != 0 {
		return fairfactor.ID{}, 0, false, damaged(key, "its value has an unknown form")
	}
	return id, at, true, nil
}

// get reads a value and checks its seal.
func get(db pebbledb.Reader, key []byte) ([]byte, bool, error) {
	value, closer, err := db.Get(key)
	if errors.Is(err, pebbledb.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, readError(err)
	}
	defer closer.Close()
	opened, err := unseal(key, value)
	if err != nil {
		return nil, false, err
	}
	return append([]byte(nil), opened...), true, nil
}

// getJob reads a job's record.
func getJob(db pebbledb.Reader, key []byte, caller uint64, name string) (stored, bool, error) {
	value, closer, err := db.Get(key)
	if errors.Is(err, pebbledb.ErrNotFound) {
		return stored{}, false, nil
	}
	if err != nil {
		return stored{}, false, readError(err)
	}
	defer closer.Close()
	if value, err = unseal(key, value); err != nil {
		return stored{}, false, err
	}
	j, err := decodeJob(key, value, caller, name)
	return j, err == nil, err
}

// getBrief reads the head of a record.
func getBrief(db pebbledb.Reader, key []byte) (brief, bool, error) {
	value, closer, err := db.Get(key)
	if errors.Is(err, pebbledb.ErrNotFound) {
		return brief{}, false, nil
	}
	if err != nil {
		return brief{}, false, readError(err)
	}
	defer closer.Close()
	h, err := decodeBrief(key, value)
	return h, err == nil, err
}

// name returns the name of a caller.
func (s *Store) name(caller uint64) (string, bool, error) {
	s.cold.Lock()
	name, ok := s.names.get(caller)
	s.cold.Unlock()
	if ok || caller == 0 || caller > maxNumber {
		return name, ok, nil
	}
	value, ok, err := get(s.db, nameKey(nil, caller))
	if err != nil || !ok {
		return "", false, err
	}
	s.cold.Lock()
	s.names.put(caller, string(value))
	s.cold.Unlock()
	return string(value), true, nil
}

// slotsEnd returns the key just after all slots of a caller, for a bound.
func slotsEnd(kind byte, caller uint64) []byte {
	return binary.BigEndian.AppendUint64(slot(nil, kind, caller, maxNumber), 0)
}
