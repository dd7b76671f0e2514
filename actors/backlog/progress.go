package backlog

import "fairfactor"

// maxPieces bounds the pieces of a checkpoint that are written at once: 4 MB, so
// that the others of the node do not wait long for the disk. Those that are left
// come with the next one.
const maxPieces = 64

// Checkpoints returns what should be saved of the long jobs' progress: what is new
// since the last time. [Backlog.Booked] or [Backlog.Unsaved] says what came of it;
// until then there is no other one of the same job.
func (b *Backlog) Checkpoints() (changes []fairfactor.Change) {
	for o := range b.longs() {
		if o.machine == nil || o.inheriting() || !o.dirty || o.saving {
			continue
		}
		changes = append(changes, b.save(o))
	}
	return changes
}

// save is a checkpoint of a job, of what it has used if there is nothing else. While one
// is on its way, another has no more pieces than that.
func (b *Backlog) save(o *open) fairfactor.Change {
	job := o.job
	job.State, job.Curves = fairfactor.Pending, o.curves()
	change := fairfactor.Change{Op: fairfactor.Checkpoint, Job: &job}
	if o.machine == nil {
		return change
	}
	if !o.saving {
		first, count := o.machine.Cut()
		o.kept = min(o.kept, first)
		o.sent = min(count, o.kept+maxPieces)
		o.saving, o.dirty, o.sending = true, o.sent < count, job.CPU
		for i := o.kept; i < o.sent; i++ {
			if data := o.machine.Piece(i); data != nil {
				change.Pieces = append(change.Pieces, fairfactor.Piece{Number: uint32(i), Data: data})
			}
		}
	}
	change.Checkpoint = o.machine.Checkpoint(o.sent)
	return change
}

// Unsettled reports whether some progress of long jobs is not durable.
func (b *Backlog) Unsettled() bool {
	for o := range b.longs() {
		if o.machine != nil && (o.dirty || o.saving) {
			return true
		}
	}
	return false
}

// Awaits reports whether there are turns of jobs that run: those of quick jobs are not told of
// before they have ended.
func (b *Backlog) Awaits() bool {
	for _, o := range b.open {
		if o.job.State == fairfactor.Running && len(o.offered) > 0 {
			return true
		}
	}
	return false
}

// Booked says that a job's checkpoint is durable, and with it what the job had
// used until then.
func (b *Backlog) Booked(job *fairfactor.Job) {
	s := spent{job.CPU, job.Turns}
	if o := b.open[job.ID.Seq]; o != nil {
		o.booked, o.saving, o.kept = s, false, o.sent
	} else if e := b.ending[job.ID.Seq]; e != nil {
		e.booked = s
	}
}

// Unsaved says that a job's checkpoint could not be stored: the next one has what
// was in it.
func (b *Backlog) Unsaved(seq uint64) {
	if o := b.open[seq]; o != nil {
		o.saving, o.dirty = false, true
	}
}

// Wanted is a piece of a checkpoint.
type Wanted struct {
	Order  uint64 // of the job
	Piece  int
	From   string // the caller that has it, empty for the store
	Number string // of the job
}

// NeedPiece says which piece of a checkpoint to read next, if any; [Backlog.Loaded]
// answers. The job goes on meanwhile.
func (b *Backlog) NeedPiece() (w Wanted, ok bool) {
	if b.loading {
		return w, false
	}
	for o := range b.longs() {
		if o.machine == nil {
			continue
		}
		if piece, ok := o.machine.Missing(); ok && b.afford(o) {
			b.loading = true
			return Wanted{Order: o.job.Order, Piece: piece, From: o.from, Number: o.job.Number}, true
		}
	}
	return w, false
}

// Loaded brings the piece asked for. nil is one that is lost, which costs the work in
// it; so does one that is damaged, and the error says so.
func (b *Backlog) Loaded(order uint64, piece int, data []byte) error {
	b.loading = false
	for o := range b.longs() {
		if o.job.Order == order && o.machine != nil {
			return o.machine.Load(piece, data)
		}
	}
	return nil
}

// Forsaken says that the caller which had the pieces of a job's checkpoint does not have
// them any more.
func (b *Backlog) Forsaken(order uint64) {
	b.loading = false
	for o := range b.longs() {
		for o.job.Order == order && o.machine != nil {
			piece, missing := o.machine.Missing()
			if !missing {
				return
			}
			_ = o.machine.Load(piece, nil) // nothing has no fault
		}
	}
}

// Unloaded says that the piece could not be read; it will be asked for again.
func (b *Backlog) Unloaded() { b.loading = false }
