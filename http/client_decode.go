package http

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"fairfactor"
)

// jobAnswer is a job as the API writes it; what a 202 leaves out stays zero.
type jobAnswer struct {
	ID        string          `json:"request_id"`
	Caller    string          `json:"caller_id"`
	Number    string          `json:"number"`
	Status    string          `json:"status"`
	Result    factorsAnswer   `json:"result"`
	Found     factorsAnswer   `json:"found"` // instead of the result, when the job did not complete
	Probable  []string        `json:"probable"`
	Submitted time.Time       `json:"submitted_at"`
	Started   time.Time       `json:"started_at"`
	Finished  time.Time       `json:"finished_at"`
	Attempts  int             `json:"attempts"`
	Turn      uint64          `json:"turn"`
	CPU       int64           `json:"cpu_us"`
	Error     string          `json:"error"`
	Progress  *progressAnswer `json:"progress"`
}

// factorsAnswer maps primes to their exponents.
type factorsAnswer map[string]int

type progressAnswer struct {
	Phase     string        `json:"phase"`
	Percent   float64       `json:"percent"`
	Left      float64       `json:"left_seconds"`
	Found     factorsAnswer `json:"found"`
	Remaining []string      `json:"remaining"`
}

func (a *jobAnswer) job() (fairfactor.Job, error) {
	id, err := fairfactor.ParseID(a.ID)
	if err != nil {
		return fairfactor.Job{}, err
	}
	state, ok := fairfactor.ParseState(a.Status)
	if !ok {
		return fairfactor.Job{}, fmt.Errorf("job %s has the unknown status %.40q", id, a.Status)
	}
	primes := a.Result
	if state != fairfactor.Completed {
		primes = a.Found
	}
	factors, err := primes.factors(a.Probable)
	if err != nil {
		return fairfactor.Job{}, fmt.Errorf("job %s: %w", id, err)
	}
	job := fairfactor.Job{
		ID: id, Caller: a.Caller, Number: a.Number, Order: id.Seq, State: state, Factors: factors,
		Submitted: a.Submitted, Started: a.Started, Finished: a.Finished,
		Attempts: a.Attempts, Turn: a.Turn, CPU: time.Duration(a.CPU) * time.Microsecond, Reason: a.Error,
	}
	if g := a.Progress; g != nil {
		found, err := g.Found.factors(nil)
		if err != nil {
			return fairfactor.Job{}, fmt.Errorf("progress of job %s: %w", id, err)
		}
		job.Progress = &fairfactor.Progress{Phase: g.Phase, Percent: g.Percent, Left: durationOf(g.Left), Found: found, Remaining: g.Remaining}
	}
	return job, nil
}

// factors returns the primes in ascending order.
func (a factorsAnswer) factors(probable []string) ([]fairfactor.Factor, error) {
	if len(a) == 0 {
		return nil, nil
	}
	factors := make([]fairfactor.Factor, 0, len(a))
	for prime, exponent := range a {
		// The canonical form is what makes a longer number a larger one below.
		if canonical, err := fairfactor.ParseNumber(prime, len(prime)); err != nil || canonical != prime || exponent < 1 {
			return nil, fmt.Errorf("%.40q to the power of %d can't be a factor", prime, exponent)
		}
		factors = append(factors, fairfactor.Factor{Prime: prime, Exponent: exponent, Probable: slices.Contains(probable, prime)})
	}
	slices.SortFunc(factors, func(f, g fairfactor.Factor) int {
		return cmp.Or(cmp.Compare(len(f.Prime), len(g.Prime)), cmp.Compare(f.Prime, g.Prime))
	})
	return factors, nil
}

type callerAnswer struct {
	Name      string    `json:"caller_id"`
	Weight    int       `json:"weight"`
	Queued    uint64    `json:"queued"`
	Running   uint64    `json:"running"`
	Completed uint64    `json:"completed"`
	Failed    uint64    `json:"failed"`
	Cancelled uint64    `json:"cancelled"`
	CPU       float64   `json:"cpu_seconds"`
	Turns     uint64    `json:"turns"`
	Oldest    time.Time `json:"oldest_submitted_at"`
}

func (a *callerAnswer) caller() fairfactor.Caller {
	return fairfactor.Caller{
		Name: a.Name, Weight: a.Weight, Queued: a.Queued, Running: a.Running, Completed: a.Completed, Failed: a.Failed,
		Cancelled: a.Cancelled, CPU: durationOf(a.CPU), Turns: a.Turns, Oldest: a.Oldest,
	}
}

type fairnessAnswer struct {
	Quantum    float64 `json:"quantum_us"`
	Bound      float64 `json:"bound_us"`
	Lag        float64 `json:"lag_us"`
	MaxLag     float64 `json:"max_lag_us"`
	Jain       float64 `json:"jain"`
	Violations uint64  `json:"violations"`
	Active     int     `json:"active"`
	Waiting    int     `json:"waiting"`
	Open       int     `json:"open"`
	HandedOut  uint64  `json:"handed_out"`
	Epoch      uint64  `json:"epoch"`
}

func (a *fairnessAnswer) fairness() fairfactor.Fairness {
	return fairfactor.Fairness{
		Quantum: durationOf(a.Quantum / 1e6), Bound: durationOf(a.Bound / 1e6), Lag: durationOf(a.Lag / 1e6), MaxLag: durationOf(a.MaxLag / 1e6),
		Jain: a.Jain, Violations: a.Violations, Active: a.Active, Waiting: a.Waiting, Open: a.Open, HandedOut: a.HandedOut, Epoch: a.Epoch,
	}
}

type nodeAnswer struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Address string         `json:"address"`
	Gossip  string         `json:"gossip"`
	State   string         `json:"state"`
	Self    bool           `json:"self"`
	Workers []workerAnswer `json:"workers"`
}

// workerAnswer has null for each member while the worker is idle.
type workerAnswer struct {
	Caller string    `json:"caller_id"`
	Job    string    `json:"request_id"`
	Number string    `json:"number"`
	Since  time.Time `json:"since"`
}

func (a *nodeAnswer) node() fairfactor.Node {
	n := fairfactor.Node{ID: a.ID, Name: a.Name, Address: a.Address, Gossip: a.Gossip, State: a.State, Self: a.Self}
	for _, w := range a.Workers {
		n.Workers = append(n.Workers, fairfactor.Worker(w))
	}
	return n
}

// durationOf turns a JSON number of seconds into a duration, to the microsecond.
func durationOf(s float64) time.Duration {
	const most = float64(1<<63-1) / 1e9
	if !(s > -most && s < most) {
		return 0
	}
	return time.Duration(s * 1e9).Round(time.Microsecond)
}
