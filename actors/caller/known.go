package caller

import (
	"time"

	"fairfactor"
)

// KnownDigits is the least length of a number that is looked up among those that are
// known, and made known: the first turn of a random number of 31 digits takes a
// quarter of a millisecond, hard ones up to ten times that. Shorter ones are factored
// sooner than they are looked up, and pay nothing.
const KnownDigits = 31

// ShareDigits is the least length of a number that is factored for one job at a time:
// the first turn of a random number of 50 digits takes 5 ms, a hard one some 60 ms in
// all, far longer than to ask the number's actor and to look up what is known.
const ShareDigits = 50

// KnownCPU is the least CPU that a result must have taken to be made known.
const KnownCPU = time.Millisecond

// worthKnowing reports whether primes that a job found should be made known; job is
// nil in a change of a setting.
func worthKnowing(job *fairfactor.Job) bool {
	return job != nil && job.CPU >= KnownCPU && !job.Known && len(job.Number) >= KnownDigits && job.State.Final()
}

// recall ends a job at its acceptance with what is known of its number, if that is
// all. If it is not, the job begins with the primes that are known. The caller is
// charged a quantum.
func (c *Caller) recall(s *step, known *fairfactor.Known) bool {
	if !known.Complete {
		s.job.Factors = known.Factors
		return false
	}
	ended := *s.job
	ended.State, ended.Known, ended.Factors = fairfactor.Completed, true, known.Factors
	ended.Started, ended.Finished = ended.Submitted, ended.Submitted
	s.known, s.ended = true, &ended
	c.recalled++
	c.cfg.Counters.Known.Add(1)
	return true
}
