package memory

// Whole is all there is, in bytes.
func (l *Ledger) Whole() int64 { return l.whole }

// Turns is how many bytes turns may use now, a quarter of the whole or more.
func (l *Ledger) Turns() int64 { return l.turns.Load() }

// Stats is what is booked.
type Stats struct {
	Whole, Held int64 // bytes: all there is, and of that what jobs hold
	Waiting     int   // jobs that wait
}

// Stats returns what is booked; nothing if there is no ledger.
func (l *Ledger) Stats() Stats {
	if l == nil {
		return Stats{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{Whole: l.whole, Held: l.held, Waiting: l.waits}
}
