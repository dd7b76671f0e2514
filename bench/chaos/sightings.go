package chaos

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"sync"

	"fairfactor/bench/internal/verify"
)

// sightings compares what nodes say of a job with what any of them said before:
// once accepted, a job is known everywhere; once it has ended, it never looks
// different again. A read counts as later than another if it began when that had
// its answer.
type sightings struct {
	mu       sync.Mutex
	ends     map[string]uint64 // guarded by mu; by id, the hash of the end that was seen first
	reads    int               // guarded by mu
	wrong    int               // guarded by mu
	examples []string          // guarded by mu
}

// ended is the hash of the end of a job as seen up to now, zero if none was.
func (s *sightings) ended(id string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ends[id]
}

// see notes an answer to a read of an accepted job that began when ended was known.
func (s *sightings) see(id string, before uint64, status int, raw []byte) {
	if status != http.StatusOK && status != http.StatusNotFound {
		return // it says nothing of the job
	}
	now := endIn(raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if status == http.StatusNotFound || before != 0 && now != before {
		if s.wrong++; len(s.examples) < verify.MaxExamples {
			s.examples = append(s.examples, fmt.Sprintf("job %s, seen as ended: %t, is now %d %.300s", id, before != 0, status, raw))
		}
		return
	}
	if now != 0 {
		if s.ends == nil {
			s.ends = map[string]uint64{}
		}
		s.ends[id] = now
	}
}

// endIn is the hash of what an answer says of the end of a job; zero if the job has
// not ended.
func endIn(raw []byte) uint64 {
	var job struct {
		Status     string
		Number     string
		Result     map[string]int
		Finished   string `json:"finished_at"`
		Started    string `json:"started_at"`
		Turn       uint64
		Attempts   int
		CPU        int64 `json:"cpu_us"`
		Error      json.RawMessage
		ID, Caller string
	}
	if json.Unmarshal(raw, &job) != nil || job.Status == "pending" || job.Status == "running" {
		return 0
	}
	text, err := json.Marshal(job)
	if err != nil {
		return 0
	}
	h := fnv.New64a()
	h.Write(text)
	return h.Sum64() | 1
}
