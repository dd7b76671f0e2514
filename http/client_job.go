package http

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"fairfactor"
)

// jobAnswer is a job as the API writes it; what a 202 leaves out stays zero.
type jobAnswer struct {
	ID          string          `json:"request_id"`
	Caller      string          `json:"caller_id"`
	Number      string          `json:"number"`
	Status      string          `json:"status"`
	Result      factorsAnswer   `json:"result"`
	Found       factorsAnswer   `json:"found"` // instead of the result, when the job did not complete
	Probable    []string        `json:"probable"`
	Proofs      proofsAnswer    `json:"proofs"`
	Submitted   time.Time       `json:"submitted_at"`
	Started     time.Time       `json:"started_at"`
	Finished    time.Time       `json:"finished_at"`
	Attempts    int             `json:"attempts"`
	Turn        uint64          `json:"turn"`
	CPU         int64           `json:"cpu_us"`
	Error       string          `json:"error"`
	Known       bool            `json:"known"`
	Deaths      []string        `json:"deaths"`      // missing if there are none
	Quarantined bool            `json:"quarantined"` // with deaths
	Callback    *callbackAnswer `json:"callback"`    // missing if it has none
	Deadline    time.Time       `json:"deadline"`    // missing if it has none
	Trace       string          `json:"traceparent"` // missing if it has none
	Curves      curvesAnswer    `json:"ecm"`         // missing if none were run
	Progress    *progressAnswer `json:"progress"`
}

// proofsAnswer maps large primes to how they were proven.
type proofsAnswer map[string]string

// curvesAnswer maps first bounds to how many curves were run.
type curvesAnswer map[uint64]uint64

// curves returns the curves in ascending order, nil for none.
func (a curvesAnswer) curves() (curves []fairfactor.Curves) {
	for _, B1 := range slices.Sorted(maps.Keys(a)) {
		curves = append(curves, fairfactor.Curves{B1: B1, Count: a[B1]})
	}
	return curves
}

// factorsAnswer maps primes to their exponents.
type factorsAnswer map[string]int

// callbackAnswer is whom to tell of a job's end, and how far that is.
type callbackAnswer struct {
	URL       string    `json:"url"`
	State     string    `json:"state"`
	Attempts  int       `json:"attempts"`
	LastError string    `json:"last_error"`
	Next      time.Time `json:"next"`
}

type progressAnswer struct {
	Phase     string        `json:"phase"`
	Percent   float64       `json:"percent"`
	Left      seconds       `json:"left_seconds"`
	Limited   bool          `json:"limited,omitempty"`
	Curves    curvesAnswer  `json:"ecm,omitempty"` // the same as the job's
	Found     factorsAnswer `json:"found"`
	Remaining []string      `json:"remaining"`
	Memory    int64         `json:"memory_bytes,omitempty"`
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
	for i := range factors {
		factors[i].Proof = fairfactor.ParseProof(a.Proofs[factors[i].Prime])
	}
	job := fairfactor.Job{
		ID: id, Caller: a.Caller, Number: a.Number, Order: id.Seq, State: state, Factors: factors,
		Submitted: a.Submitted, Started: a.Started, Finished: a.Finished,
		Attempts: a.Attempts, Turn: a.Turn, CPU: time.Duration(a.CPU) * time.Microsecond, Reason: a.Error, Known: a.Known, Deadline: a.Deadline, Curves: a.Curves.curves(),
	}
	if len(a.Deaths) > 0 {
		job.Deaths = &fairfactor.Deaths{Processes: a.Deaths}
	}
	if a.Trace != "" {
		if job.Trace = traceOf([]byte(a.Trace)); job.Trace == nil {
			return fairfactor.Job{}, fmt.Errorf("job %s has the unreadable trace %.60q", id, a.Trace)
		}
	}
	if c := a.Callback; c != nil {
		state, ok := fairfactor.ParseDeliveryState(c.State)
		if !ok {
			return fairfactor.Job{}, fmt.Errorf("the callback of job %s has the unknown state %.40q", id, c.State)
		}
		job.Callback = &fairfactor.Callback{URL: c.URL, State: state, Attempts: c.Attempts, LastError: c.LastError, Next: c.Next}
	}
	if g := a.Progress; g != nil {
		found, err := g.Found.factors(nil)
		if err != nil {
			return fairfactor.Job{}, fmt.Errorf("progress of job %s: %w", id, err)
		}
		job.Progress = &fairfactor.Progress{Phase: g.Phase, Percent: g.Percent, Left: g.Left.duration(), Limited: g.Limited, Found: found, Remaining: g.Remaining, Memory: g.Memory}
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
