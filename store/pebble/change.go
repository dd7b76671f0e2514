package pebble

import (
	"encoding/binary"

	"fairfactor"
)

// change makes one change part of the group or says why not; a change that is
// refused leaves no trace.
func (st *staging) change(ch *fairfactor.Change) error {
	a, err := st.account(ch)
	if err != nil {
		return err
	}
	if ch.Op == fairfactor.Weigh {
		if ch.Weight < 1 || ch.Weight > fairfactor.MaxWeight {
			return fairfactor.Errorf(fairfactor.Invalid, "weight is %d: it must be between 1 and %d", ch.Weight, fairfactor.MaxWeight)
		}
		a.weight = uint64(ch.Weight)
		st.touch(a)
		return nil
	}
	j := ch.Job
	if j == nil || j.ID.Caller != ch.Number || j.ID.Seq == 0 || j.ID.Seq > maxNumber || j.Order > maxNumber || j.ID.Nonce >= 1<<48 {
		return fairfactor.Errorf(fairfactor.Invalid, "the change has no job of caller %q", ch.Caller)
	}
	switch ch.Op {
	case fairfactor.Accept:
		err = st.accept(a, j)
	case fairfactor.Finish:
		err = st.finish(a, j)
	case fairfactor.Checkpoint:
		err = st.checkpoint(a, j, ch.Checkpoint, ch.Pieces)
	case fairfactor.Requeue:
		err = st.requeue(a, j)
	default:
		err = fairfactor.Errorf(fairfactor.Invalid, "there is no operation %d", ch.Op)
	}
	if err != nil {
		return err
	}
	st.place = max(st.place, j.Turn)
	st.touch(a)
	return nil
}

// accept adds a job at the end of its caller's queue.
func (st *staging) accept(a *account, j *fairfactor.Job) error {
	if j.State.Final() {
		return fairfactor.Errorf(fairfactor.Invalid, "a job can't be accepted as %s", j.State)
	}
	if j.Order != j.ID.Seq || j.Order <= a.last {
		return fairfactor.Errorf(fairfactor.Conflict, "sequence number %d of job %s is in use", j.ID.Seq, j.ID)
	}
	group := st.s.group + 1
	if err := st.record(kindQueued, j.Order, j, fairfactor.Pending, group); err != nil {
		return err
	}
	if j.Key != "" {
		st.remember(j)
	}
	p := place{j.ID.Caller, j.ID.Seq}
	st.s.know(p, staged{brief: briefOf(j, fairfactor.Pending, group)})
	st.accepted.add(p)
	a.spend(brief{}, j)
	a.last = j.Order
	a.queued++
	return nil
}

// finish moves a job from the queue to those that ended.
func (st *staging) finish(a *account, j *fairfactor.Job) error {
	if !j.State.Final() {
		return fairfactor.Errorf(fairfactor.Invalid, "a job can't end as %s", j.State)
	}
	have, err := st.unfinished(a, j)
	if err != nil {
		return err
	}
	if err := st.record(kindEnded, j.ID.Seq, j, j.State, have.group); err != nil {
		return err
	}
	st.key = slot(st.key[:0], kindQueued, a.number, j.Order)
	st.batch.SingleDelete(st.key, nil)
	if have.saved {
		st.key = slot(st.key[:0], kindCheckpoint, a.number, j.Order)
		st.batch.Delete(st.key, nil)
		st.batch.DeleteRange(pieceKey(nil, a.number, j.Order, 0), pieceKey(nil, a.number, j.Order+1, 0), nil)
		a.saved--
	}
	if j.Order != j.ID.Seq {
		st.key = slot(st.key[:0], kindRequeued, a.number, j.ID.Seq)
		st.batch.Delete(st.key, nil)
	}
	p := place{j.ID.Caller, j.ID.Seq}
	st.s.know(p, staged{brief: briefOf(j, j.State, have.group)})
	if at := micros(j.Finished); st.finished.n == 0 || at < st.earliest {
		st.earliest = at
	}
	st.finished.add(p)
	st.landing = append(st.landing, p)
	a.spend(have.brief, j)
	a.queued--
	*a.tally(j.State)++
	switch {
	case a.queued == 0:
		a.head = a.last + 1
	case j.Order == a.head:
		a.head++
	}
	return nil
}

// checkpoint saves how far an unfinished job is.
func (st *staging) checkpoint(a *account, j *fairfactor.Job, saved []byte, pieces []fairfactor.Piece) error {
	have, err := st.unfinished(a, j)
	if err != nil {
		return err
	}
	record, err := appendRecord(nil, j, fairfactor.Pending, have.group)
	if err != nil {
		return err
	}
	st.key = slot(st.key[:0], kindCheckpoint, a.number, j.Order)
	value := binary.AppendUvarint(st.value[:0], uint64(len(record)))
	value = append(append(value, record...), saved...)
	st.value = seal(st.key, value)
	st.batch.Set(st.key, st.value, nil)
	for i := range pieces {
		st.key = pieceKey(st.key[:0], a.number, j.Order, pieces[i].Number)
		st.value = seal(st.key, append(st.value[:0], pieces[i].Data...))
		st.batch.Set(st.key, st.value, nil)
	}
	if !have.saved {
		a.saved++
	}
	st.s.know(place{j.ID.Caller, j.ID.Seq}, staged{brief: briefOf(j, fairfactor.Pending, have.group), saved: true})
	a.spend(have.brief, j)
	return nil
}

// requeue puts a failed job back at the end of its caller's queue.
func (st *staging) requeue(a *account, j *fairfactor.Job) error {
	have, err := st.ended(j)
	if err != nil {
		return err
	}
	if have.state != fairfactor.Failed {
		return fairfactor.Errorf(fairfactor.Conflict, "job %s has not failed", j.ID)
	}
	if j.Order <= a.last {
		return fairfactor.Errorf(fairfactor.Conflict, "order %d of job %s is in use", j.Order, j.ID)
	}
	if err := st.record(kindQueued, j.Order, j, fairfactor.Pending, have.group); err != nil {
		return err
	}
	st.key = slot(st.key[:0], kindEnded, a.number, j.ID.Seq)
	st.batch.Delete(st.key, nil)
	st.key = slot(st.key[:0], kindRequeued, a.number, j.ID.Seq)
	st.value = seal(st.key, binary.AppendUvarint(st.value[:0], j.Order))
	st.batch.Set(st.key, st.value, nil)
	st.s.know(place{j.ID.Caller, j.ID.Seq}, staged{brief: briefOf(j, fairfactor.Pending, have.group)})
	a.last = j.Order
	a.failed--
	a.queued++
	return nil
}

// record writes a job's record; v is its order or sequence number, see slot.
func (st *staging) record(kind byte, v uint64, j *fairfactor.Job, state fairfactor.State, group uint64) error {
	value, err := appendRecord(st.value[:0], j, state, group)
	if err != nil {
		return err
	}
	st.key = slot(st.key[:0], kind, j.ID.Caller, v)
	st.value = seal(st.key, value)
	st.batch.Set(st.key, st.value, nil)
	return nil
}

func briefOf(j *fairfactor.Job, state fairfactor.State, group uint64) brief {
	return brief{state: state, nonce: j.ID.Nonce, seq: j.ID.Seq, order: j.Order, group: group, cpu: j.CPU, turns: j.Turns}
}

// remember writes down a job's idempotency key.
func (st *staging) remember(j *fairfactor.Job) {
	st.key = idempotencyKey(st.key[:0], j.ID.Caller, j.Key)
	value := binary.AppendUvarint(st.value[:0], j.ID.Nonce)
	value = binary.AppendUvarint(value, j.ID.Seq)
	value = binary.AppendVarint(value, micros(j.Submitted))
	st.value = seal(st.key, value)
	st.batch.Set(st.key, st.value, nil)
}

// unfinished returns an unfinished job as it is now, conflict if it has ended
// and not_found if there is none.
func (st *staging) unfinished(a *account, j *fairfactor.Job) (staged, error) {
	have, ok := st.s.known.get(place{j.ID.Caller, j.ID.Seq})
	if !ok {
		var err error
		if have, ok, err = st.queued(a, j); err != nil {
			return staged{}, err
		}
	}
	switch {
	case !ok:
		return staged{}, st.missing(j)
	case have.nonce != j.ID.Nonce:
		return staged{}, fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", j.ID)
	case have.state.Final() || have.order != j.Order:
		return staged{}, fairfactor.Errorf(fairfactor.Conflict, "job %s has ended already", j.ID)
	}
	return have, nil
}

// queued reads an unfinished job from the store.
func (st *staging) queued(a *account, j *fairfactor.Job) (have staged, ok bool, err error) {
	st.key = slot(st.key[:0], kindQueued, a.number, j.Order)
	have.brief, ok, err = getBrief(st.s.db, st.key)
	if ok && have.seq != j.ID.Seq {
		return staged{}, false, nil
	}
	if err != nil || !ok || a.saved == 0 {
		return have, ok, err
	}
	st.key = slot(st.key[:0], kindCheckpoint, a.number, j.Order)
	value, saved, err := get(st.s.db, st.key)
	if err != nil || !saved {
		return have, ok, err
	}
	record, _, err := splitCheckpoint(st.key, value)
	if err != nil {
		return have, ok, err
	}
	r := reader{b: record}
	have.brief, _ = readBrief(&r)
	have.saved = true
	if r.bad {
		return have, ok, damaged(st.key, "the job's record has an unknown form")
	}
	return have, ok, nil
}

// missing says why a job is not in the queue under its order.
func (st *staging) missing(j *fairfactor.Job) error {
	if _, err := find(st.s.db, j.ID, ""); err != nil {
		return err
	}
	return fairfactor.Errorf(fairfactor.Conflict, "job %s has ended already", j.ID)
}

// ended returns a job that should have ended, as it is now.
func (st *staging) ended(j *fairfactor.Job) (staged, error) {
	have, ok := st.s.known.get(place{j.ID.Caller, j.ID.Seq})
	if !ok {
		var err error
		st.key = slot(st.key[:0], kindEnded, j.ID.Caller, j.ID.Seq)
		if have.brief, ok, err = getBrief(st.s.db, st.key); err != nil {
			return staged{}, err
		}
	}
	if !ok {
		if _, err := find(st.s.db, j.ID, ""); err != nil {
			return staged{}, err
		}
		return staged{}, fairfactor.Errorf(fairfactor.Conflict, "job %s has not failed", j.ID)
	}
	if have.nonce != j.ID.Nonce {
		return staged{}, fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", j.ID)
	}
	return have, nil
}
