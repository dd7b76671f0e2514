package pebble

import (
	"encoding/binary"

	"fairfactor"
	"fairfactor/store/rules"
)

// change makes one change part of the group or says why not; a change that is
// refused leaves no trace.
func (st *staging) change(ch *fairfactor.Change) error {
	a, effect, err := st.decide(ch)
	if err != nil {
		return err
	}
	if !a.Known && !st.makeRoom() {
		return fairfactor.ErrTooManyCallers
	}
	group := st.have.group
	if ch.Op == fairfactor.Accept || ch.Op == fairfactor.AcceptEnded {
		group = st.s.group + 1
	}
	if effect.Now.State != 0 {
		if err := st.count(group); err != nil {
			return err
		}
	}
	switch ch.Op {
	case fairfactor.Accept, fairfactor.AcceptEnded:
		err = st.add(ch.Job, &effect)
	case fairfactor.Finish:
		err = st.finish(ch.Job, &effect)
	case fairfactor.Checkpoint:
		err = st.checkpoint(ch)
	case fairfactor.Requeue:
		err = st.requeue(ch.Job)
	}
	if err != nil {
		return err
	}
	st.journal.Add(ch)
	if effect.Now.State != 0 {
		st.index(ch.Job, &effect, group)
		st.s.know(jobKeyOf(ch.Job), brief{Job: effect.Now, group: group})
	}
	if ch.Learn {
		st.learned(ch)
	}
	if !a.Known {
		st.s.kept++
	}
	if effect.Now.State == 0 {
		st.stir(a)
	}
	st.judge(ch)
	a.Take(&effect)
	a.follow(&effect)
	if effect.Queued != 0 {
		st.s.backlogged.set(a.Number, a.Queued > 0)
	}
	st.dispatched = max(st.dispatched, effect.Dispatched)
	st.touch(a)
	return nil
}

// decide asks the rules about a change.
func (st *staging) decide(ch *fairfactor.Change) (a *account, e rules.Effect, err error) {
	a, err = st.account(ch)
	st.at = a
	switch {
	case err != nil:
	case a == nil:
		e, err = rules.Decide(ch, nil, st)
	default:
		e, err = rules.Decide(ch, &a.Account, st)
	}
	return a, e, err
}

func jobKeyOf(j *fairfactor.Job) jobKey { return jobKey{j.ID.Caller, j.ID.Seq} }

// add adds a job at the end of its caller's queue, or to those that ended.
func (st *staging) add(j *fairfactor.Job, e *rules.Effect) error {
	kind, ended := byte(kindQueued), e.Now.State.Final()
	if ended {
		kind = kindEnded
	}
	if err := st.record(kind, j.Order, j, e.Now.State, st.s.group+1); err != nil {
		return err
	}
	if j.Key != "" {
		st.remember(j)
	}
	st.accepted.add(jobKeyOf(j))
	if ended {
		st.end(j)
	} else {
		st.await(j)
	}
	return nil
}

// end lists a job among those that ended.
func (st *staging) end(j *fairfactor.Job) {
	st.owe(j)
	if at := micros(j.Finished); st.finished.n == 0 || at < st.earliest {
		st.earliest = at
	}
	st.finished.add(jobKeyOf(j))
	st.secret = append(st.secret, jobKeyOf(j))
}

// finish moves a job from the queue to those that ended.
func (st *staging) finish(j *fairfactor.Job, e *rules.Effect) error {
	if err := st.record(kindEnded, j.ID.Seq, j, j.State, st.have.group); err != nil {
		return err
	}
	st.key = slot(st.key[:0], kindQueued, j.ID.Caller, j.Order)
	st.batch.SingleDelete(st.key, nil)
	if e.Was.Saved {
		st.key = slot(st.key[:0], kindCheckpoint, j.ID.Caller, j.Order)
		st.batch.Delete(st.key, nil)
		st.batch.DeleteRange(pieceKey(nil, j.ID.Caller, j.Order, 0), pieceKey(nil, j.ID.Caller, j.Order+1, 0), nil)
	}
	if j.Order != j.ID.Seq {
		st.key = slot(st.key[:0], kindRequeued, j.ID.Caller, j.ID.Seq)
		st.batch.Delete(st.key, nil)
	}
	st.end(j)
	st.forgetDeadline(j)
	return nil
}

// checkpoint saves how far an unfinished job is.
func (st *staging) checkpoint(ch *fairfactor.Change) error {
	j := ch.Job
	record, err := appendRecord(nil, j, fairfactor.Pending, st.have.group)
	if err != nil {
		return err
	}
	st.key = slot(st.key[:0], kindCheckpoint, j.ID.Caller, j.Order)
	value := binary.AppendUvarint(st.value[:0], uint64(len(record)))
	value = append(append(value, record...), ch.Checkpoint...)
	st.value = seal(st.key, value)
	st.batch.Set(st.key, st.value, nil)
	for i := range ch.Pieces {
		st.key = pieceKey(st.key[:0], j.ID.Caller, j.Order, ch.Pieces[i].Number)
		st.value = seal(st.key, append(st.value[:0], ch.Pieces[i].Data...))
		st.batch.Set(st.key, st.value, nil)
	}
	return nil
}

// requeue puts a failed job back at the end of its caller's queue.
func (st *staging) requeue(j *fairfactor.Job) error {
	if err := st.record(kindQueued, j.Order, j, fairfactor.Pending, st.have.group); err != nil {
		return err
	}
	st.key = slot(st.key[:0], kindEnded, j.ID.Caller, j.ID.Seq)
	st.batch.Delete(st.key, nil)
	st.key = slot(st.key[:0], kindRequeued, j.ID.Caller, j.ID.Seq)
	st.value = seal(st.key, binary.AppendUvarint(st.value[:0], j.Order))
	st.batch.Set(st.key, st.value, nil)
	st.secret = append(st.secret, jobKeyOf(j))
	st.await(j)
	st.disown(j)
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

// remember writes down a job's idempotency key.
func (st *staging) remember(j *fairfactor.Job) {
	st.key = idempotencyKey(st.key[:0], j.ID.Caller, j.Key)
	value := binary.AppendUvarint(st.value[:0], j.ID.Nonce)
	value = binary.AppendUvarint(value, j.ID.Seq)
	value = binary.AppendVarint(value, micros(j.Submitted))
	st.value = seal(st.key, value)
	st.batch.Set(st.key, st.value, nil)
	st.secret = append(st.secret, jobKeyOf(j))
}

// Stored implements [rules.Jobs]: it leaves what it returns, with the group of
// the job, in st.have.
func (st *staging) Stored(ch *fairfactor.Change) (rules.Job, error) {
	have, ok := st.s.known.get(jobKeyOf(ch.Job))
	if !ok {
		var err error
		if have, err = st.read(ch); err != nil {
			return rules.Job{}, err
		}
	}
	st.have = have
	return have.Job, nil
}

// read reads a job from the store, where the change should find it first.
func (st *staging) read(ch *fairfactor.Change) (have brief, err error) {
	if ch.Op == fairfactor.Requeue {
		st.key = slot(st.key[:0], kindEnded, ch.Number, ch.Job.ID.Seq)
	} else {
		st.key = slot(st.key[:0], kindQueued, ch.Number, ch.Job.Order)
	}
	have, ok, err := getBrief(st.s.db, st.key)
	if err == nil && ok && have.Seq == ch.Job.ID.Seq {
		if ch.Op != fairfactor.Requeue {
			err = st.readSaved(&have)
		}
		return have, err
	}
	if err != nil {
		return brief{}, err
	}
	// The job is not where it should be, so the change will be refused: what
	// remains is to say why.
	j, ok, err := locate(st.s.db, jobKeyOf(ch.Job), "", 0)
	if err != nil || !ok {
		return brief{}, err
	}
	return brief{group: j.group, Job: rules.Job{
		State: j.State, Nonce: j.ID.Nonce, Seq: j.ID.Seq, Order: j.Order, CPU: j.CPU, Turns: j.Turns,
	}}, nil
}

// readSaved goes on to what an unfinished job was at its last checkpoint, if it
// has one.
func (st *staging) readSaved(have *brief) error {
	if st.at.saved == 0 {
		return nil
	}
	st.key = slot(st.key[:0], kindCheckpoint, st.at.Number, have.Order)
	value, ok, err := get(st.s.db, st.key)
	if err != nil || !ok {
		return err
	}
	record, _, err := splitCheckpoint(st.key, value)
	if err != nil {
		return err
	}
	r := reader{b: record}
	*have, _ = readBrief(&r)
	have.Saved = true
	if r.bad {
		return damaged(st.key, "the job's record has an unknown form")
	}
	return nil
}
