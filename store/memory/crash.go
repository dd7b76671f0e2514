package memory

// Crash forgets what a store that one process owns may lose with it, see
// [fairfactor.Store]: claims after which nothing was written. All else is durable as
// soon as Apply has made it.
func (s *Store) Crash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, c := range s.callers {
		if c.account.Epoch = c.written; !c.account.Known {
			delete(s.callers, name)
		}
	}
	for n := len(s.numbers) - 1; n > 0 && !s.numbers[n].account.Known; n-- {
		s.numbers = s.numbers[:n]
	}
}
