package chaos

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/handouts"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/verify"
)

// verdict is the result of comparing the callers' logs with the store, after all
// jobs have ended.
type verdict struct {
	verify.Tally
	Accepted    int           `json:"accepted"`    // submissions with a 202
	Unsure      int           `json:"unsure"`      // submissions without an answer
	Kept        int           `json:"kept"`        // of these, jobs that exist
	Repeated    int           `json:"repeated"`    // further jobs of a submission without a key
	Denied      int           `json:"denied"`      // jobs of submissions that were refused
	Unsubmitted int           `json:"unsubmitted"` // jobs without a submission
	Largest     time.Duration `json:"largest"`     // see [handouts.LargestDifference]
	Contended   int           `json:"contended"`
	Unexpected  int           `json:"unexpected"` // submissions with an answer that they should not have
	Anomalies   []anomaly     `json:"anomalies"`  // what the notes have against the writers

	Cancelled   int  `json:"cancelled"`         // jobs that their caller cancelled
	Uncancelled int  `json:"uncancelled"`       // jobs that a caller was told are cancelled, and are not
	Held        int  `json:"held"`              // jobs that waited while their caller was paused
	Early       int  `json:"early"`             // of these, those that began before it went on
	Missed      int  `json:"missed"`            // jobs that their deadline cancelled
	Mistimed    int  `json:"mistimed"`          // jobs that it cancelled before it came, or did not
	Orders      int  `json:"orders"`            // answers that say something of an operator's order
	Disobeyed   int  `json:"disobeyed"`         // of these, those that contradict it
	Reads       int  `json:"reads"`             // looks at accepted jobs
	Stale       int  `json:"stale"`             // of these, those that contradict an earlier one
	Told        int  `json:"told"`              // events that a follower was told of
	Resumed     int  `json:"resumed"`           // times that it went on after a connection broke
	Mistold     int  `json:"mistold"`           // events that are missing, come twice or out of order, or are wrong
	Partial     bool `json:"partial,omitempty"` // jobs may not have ended yet, which is no fault
}

// broken is how often a promise was broken.
func (v *verdict) broken() (n int) {
	for _, o := range v.Anomalies {
		n += o.Count
	}
	if v.Partial {
		n -= v.Unfinished
	}
	return n + v.Bad() + v.Denied + v.Unsubmitted + v.Unexpected + v.Uncancelled + v.Early + v.Mistimed + v.Disobeyed + v.Stale + v.Mistold
}

// look adds what the callers and operators saw.
func (v *verdict) look(s *sightings, o *orders) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.Reads, v.Stale = s.reads, s.wrong
	v.Examples = append(v.Examples, s.examples...)
	o.mu.Lock()
	defer o.mu.Unlock()
	v.Orders, v.Disobeyed = o.reads, o.wrong
	v.Examples = append(v.Examples, o.examples...)
}

// stored is a job as the store has it.
type stored struct {
	client.Job
	key   string
	turns int64
}

// check reads the store and compares it with the callers' logs.
func (a *audit) check(ctx context.Context, logs []submission, quantum time.Duration) (*verdict, error) {
	jobs, err := a.jobs(ctx)
	if err != nil {
		return nil, err
	}
	v := compareLogs(logs, jobs)
	v.Largest, v.Contended = handouts.LargestDifference(handOutsIn(jobs, logs, quantum))
	v.Anomalies, err = a.anomalies(ctx)
	for _, o := range v.Anomalies {
		v.Fault("%s: %d, such as %s", o.What, o.Count, strings.Join(o.Examples, "; "))
	}
	return v, err
}

// jobs reads all jobs, ended or not.
func (a *audit) jobs(ctx context.Context) (all []stored, err error) {
	const columns = `SELECT c.name, j.caller, j.seq, j.nonce, j.number, j.key, j.turn, j.turns, j.cpu, j.submitted, j.started, j.factors, `
	const never = `'0001-01-01'::timestamptz, `
	const from = ` j JOIN fairfactor.callers c ON c.number = j.caller`
	err = a.snapshot(ctx, func(c pgx.Tx) error {
		for _, question := range []string{columns + `j.finished, j.state FROM fairfactor.jobs` + from, columns + never + `1::smallint FROM fairfactor.queue` + from} {
			rows, err := c.Query(ctx, question)
			if err != nil {
				return err
			}
			var id fairfactor.ID
			var factors string
			var cpu int64
			var state fairfactor.State
			var s stored
			_, err = pgx.ForEachRow(rows, []any{&s.Caller, &id.Caller, &id.Seq, &id.Nonce, &s.Number, &s.key, &s.Turn, &s.turns, &cpu, &s.Submitted, &s.Started, &factors, &s.Finished, &state}, func() error {
				own := s
				own.ID, own.Status, own.CPU, own.Result = id.String(), state.String(), cpu/1000, factorsOf(factors)
				all = append(all, own)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

// handOutsIn is the log of hand-outs that the store keeps: the dispatch
// numbers of jobs. Those of jobs with one turn say all that there is to say. The jobs of
// a caller that was paused may have waited for that.
func handOutsIn(jobs []stored, logs []submission, quantum time.Duration) (log []handouts.HandOut) {
	paused := map[string]bool{}
	for _, l := range logs {
		paused[l.Caller] = paused[l.Caller] || l.Held
	}
	for _, s := range jobs {
		if s.turns == 1 && s.Turn > 0 && !paused[s.Caller] {
			used := time.Duration(s.CPU) * time.Microsecond
			log = append(log, handouts.HandOut{Caller: s.Caller, Place: s.Turn, Submitted: s.Submitted, Started: s.Started, Charge: max(used, quantum)})
		}
	}
	return log
}

// factorsOf reads "2^3 1000003?", with a letter behind primes whose proof is known. What
// can't be read is a factor that is wrong.
func factorsOf(text string) map[string]int {
	factors := map[string]int{}
	for field := range strings.FieldsSeq(text) {
		prime, power, ok := strings.Cut(field, "^")
		exponent := 1
		if ok {
			exponent, _ = strconv.Atoi(power)
		}
		factors[strings.TrimRight(prime, "?mjp")] = exponent
	}
	return factors
}

// compareLogs lays logs and jobs side by side. Numbers are random, so that each
// stands for one submission.
func compareLogs(logs []submission, all []stored) *verdict {
	byID, byNumber := map[string]client.Job{}, map[string][]stored{}
	for _, s := range all {
		byID[s.ID] = s.Job
		byNumber[s.Number] = append(byNumber[s.Number], s)
	}
	var promised []verify.Accepted
	v := &verdict{}
	for _, l := range logs {
		jobs := byNumber[l.Number]
		delete(byNumber, l.Number)
		switch l.Outcome {
		case accepted:
			job := byID[l.ID]
			v.held(l, &job)
			if v.cancelled(l, &job) || v.missed(l, &job) {
				continue
			}
			promised = append(promised, verify.Accepted{ID: l.ID, Caller: l.Caller, Number: l.Number})
			if rest := slices.DeleteFunc(jobs, func(s stored) bool { return s.ID == l.ID }); len(rest) > 0 && l.Key == "" {
				v.Repeated += len(rest)
			} else if len(rest) > 0 {
				v.Unsubmitted += len(rest)
				v.Fault("number %s with key %s is job %s and job %s too", l.Number, l.Key, l.ID, rest[0].ID)
			}
		case refused:
			if len(jobs) > 0 {
				v.Denied += len(jobs)
				v.Fault("number %s of %s was refused (%s) and is job %s", l.Number, l.Caller, l.Fault, jobs[0].ID)
			}
		case unknown:
			v.Unsure++
			v.Kept += min(len(jobs), 1)
			v.Repeated += max(len(jobs)-1, 0)
		case unexpected:
			v.Unexpected++
			v.Fault("number %s of %s: %s", l.Number, l.Caller, l.Fault)
		}
	}
	for number, jobs := range byNumber {
		v.Unsubmitted += len(jobs)
		v.Fault("no caller submitted %s, which is job %s of %s", number, jobs[0].ID, jobs[0].Caller)
	}
	v.Accepted = len(promised) + v.Cancelled + v.Missed
	examples := v.Examples
	v.Tally = verify.Jobs(promised, byID)
	v.Examples = append(v.Examples, examples...)
	return v
}

// cancelled counts a job that its caller cancelled. It is false for one that must be
// completed like any other: nothing was asked, or it was too late.
func (v *verdict) cancelled(l submission, job *client.Job) bool {
	switch {
	case job.Status == "cancelled" && (l.Cancel == cancelled || l.Cancel == maybe || l.Cancel == swept):
		v.Cancelled++
		return true
	case job.Status != "" && l.Cancel == cancelled:
		v.Uncancelled++
		v.Fault("job %s of %s was cancelled, and is %s", l.ID, l.Caller, job.Status)
	case job.Status != "" && l.Cancel == swept && (!job.Ended() || job.Finished.After(l.Swept.Add(clocks))):
		v.Uncancelled++
		v.Fault("all jobs of %s were cancelled at %v, and job %s is %s since %v", l.Caller, l.Swept, l.ID, job.Status, job.Finished)
	}
	return false
}

// Nodes and callers are on one machine. Their clocks differ by what a time loses when it is
// cut to microseconds. A job may end a little after its deadline, if its last turn ended before.
const (
	clocks  = time.Millisecond
	lateEnd = 2 * time.Second
)

// held checks a job that was submitted while its caller was paused: it has begun only since the
// caller goes on.
func (v *verdict) held(l submission, job *client.Job) {
	if !l.Held || job.Status == "" {
		return
	}
	v.Held++
	if !job.Started.IsZero() && (l.Resumed.IsZero() || job.Started.Before(l.Resumed.Add(-clocks))) {
		v.Early++
		v.Fault("job %s began at %v although %s was paused until %v", l.ID, job.Started, l.Caller, l.Resumed)
	}
}

// missed counts a job that its deadline cancelled. It is false for one that must be completed.
func (v *verdict) missed(l submission, job *client.Job) bool {
	switch {
	case l.Deadline.IsZero() || job.Status != "cancelled" && job.Status != "completed":
		return false
	case job.Status == "cancelled" && job.Finished.Before(l.Deadline.Add(-clocks)), job.Status == "completed" && job.Finished.After(l.Deadline.Add(lateEnd)):
		v.Mistimed++
		v.Fault("job %s of %s is %s at %v, and had until %v", l.ID, l.Caller, job.Status, job.Finished, l.Deadline)
	}
	if job.Status == "cancelled" {
		v.Missed++
		return true
	}
	return false
}

// orders are the rows about what operators ordered.
func (v *verdict) orders() []report.Row {
	return []report.Row{
		report.Figure("waited while their caller was paused", float64(v.Held), ""),
		report.Figure("began all the same", float64(v.Early), "").AtMost(0).Must(),
		report.Figure("ended by their deadline", float64(v.Missed), ""),
		report.Figure("ended by it too early, or in spite of it", float64(v.Mistimed), "").AtMost(0).Must(),
		report.Figure("answers about orders of operators", float64(v.Orders), ""),
		report.Figure("answers that contradict an order", float64(v.Disobeyed), "").AtMost(0).Must(),
	}
}

// words tells the verdict in a line.
func (v *verdict) words() string {
	text := fmt.Sprintf("%d accepted: %d completed, %d cancelled, %d ended by their deadline, %d failed, %d unfinished, %d lost, %d wrong, %d twice; %d without an answer (%d of them exist); %d repeated; %d of %d reads stale; %d waited while paused; %d of %d orders disobeyed",
		v.Accepted, v.Completed, v.Cancelled, v.Missed, v.Failed, v.Unfinished, v.Lost, v.Wrong, v.Twice, v.Unsure, v.Kept, v.Repeated, v.Stale, v.Reads, v.Held, v.Disobeyed, v.Orders)
	if v.Partial {
		text += " (judged before all had ended)"
	}
	return text
}
