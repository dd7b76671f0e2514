package pebble

// What is known of a job without looking at the disk makes ending it cheap. An
// entry is always what the last change made of the job: every change makes one,
// and a job that is deleted loses its own. The jobs that a page of a backlog
// brings will end soon, so they are entered too, unless they have changed since
// the page was read.

// know enters what a change made of a job. s.mu is held.
func (s *Store) know(p jobKey, now brief) {
	s.known.put(p, now)
	s.changes++
}

// mark returns a mark for a page that is read from here on.
func (s *Store) mark() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes
}

// paged enters the jobs of a page that was read after mark. A job that was changed
// meanwhile has an entry already, unless so many were used since that it may have
// been forgotten; then the page is left out. A change uses two entries at most,
// one to look and one to write.
func (s *Store) paged(mark uint64, page []pagedJob) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if 2*(s.changes-mark)+uint64(len(page)) > uint64(s.known.size)/2 {
		return
	}
	for _, j := range page {
		if _, ok := s.known.get(j.jobKey); !ok {
			s.known.put(j.jobKey, j.brief)
		}
	}
	s.changes += uint64(len(page))
}

// forget takes a deleted job's entry away, and with it the trust in pages that
// are being read. s.mu is held.
func (s *Store) forget(p jobKey) {
	s.known.drop(p)
	s.changes += uint64(s.known.size)
}

// pagedJob is a job as a page has it.
type pagedJob struct {
	jobKey
	brief
}

// pagedAt returns what the record under an iterator says of a job that was just
// decoded from it, so it is in order.
func pagedAt(caller uint64, record []byte, saved bool) pagedJob {
	r := reader{b: record}
	h, _ := readBrief(&r)
	h.Saved = saved
	return pagedJob{jobKey{caller, h.Seq}, h}
}
