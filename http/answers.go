package http

import (
	"time"

	"fairfactor"
)

// The answers of the API as structs: the server writes them, the client reads
// them, and a test holds them against the OpenAPI document. Jobs and receipts
// are written by hand, see json.go, because they are most of what is written.

// callersAnswer is a page of callers.
type callersAnswer struct {
	Callers []callerAnswer `json:"callers"`
	Next    textOrNull     `json:"next"`
}

// callerAnswer is a caller's account.
type callerAnswer struct {
	Name      string     `json:"caller_id"`
	Group     textOrNull `json:"group"`
	Weight    int        `json:"weight"`
	Paused    bool       `json:"paused"`
	Queued    uint64     `json:"queued"` // those that run are not
	Running   uint64     `json:"running"`
	Completed uint64     `json:"completed"`
	Failed    uint64     `json:"failed"`
	Cancelled uint64     `json:"cancelled"`
	CPU       seconds    `json:"cpu_seconds"`
	Turns     uint64     `json:"turns"`
	Age       seconds    `json:"oldest_waiting_seconds"`
	Oldest    instant    `json:"oldest_submitted_at"`
	MaxQueue  bound      `json:"max_queue"`
	MaxRate   bound      `json:"max_rate"`
	MaxDigits bound      `json:"max_digits"`
	MaxCPU    bound      `json:"max_cpu_seconds_per_day"`
}

// callerOf is how a caller is shown; now is for the age of its oldest unfinished
// job.
func callerOf(c *fairfactor.Caller, now time.Time) callerAnswer {
	a := callerAnswer{
		Name: c.Name, Group: textOrNull(c.Group), Weight: c.Weight, Paused: c.Paused, Queued: c.Queued - min(c.Running, c.Queued), Running: c.Running, Completed: c.Completed, Failed: c.Failed,
		Cancelled: c.Cancelled, CPU: secondsOf(c.CPU), Turns: c.Turns, Oldest: instant{c.Oldest},
		MaxQueue: bound(c.Bounds.MaxQueue), MaxRate: bound(c.Bounds.MaxRate), MaxDigits: bound(c.Bounds.MaxDigits), MaxCPU: bound(c.Bounds.MaxCPU / time.Second),
	}
	if !c.Oldest.IsZero() {
		a.Age = secondsOf(max(now.Sub(c.Oldest), 0))
	}
	return a
}

func (a *callerAnswer) caller() fairfactor.Caller {
	return fairfactor.Caller{
		Name: a.Name, Group: string(a.Group), Weight: a.Weight, Paused: a.Paused, Queued: a.Queued + a.Running, Running: a.Running, Completed: a.Completed, Failed: a.Failed,
		Cancelled: a.Cancelled, CPU: a.CPU.duration(), Turns: a.Turns, Oldest: a.Oldest.Time,
		Bounds: fairfactor.Bounds{MaxQueue: uint64(a.MaxQueue), MaxRate: uint64(a.MaxRate), MaxDigits: uint64(a.MaxDigits), MaxCPU: cpuSeconds(uint64(a.MaxCPU))},
	}
}

// groupAnswer is a group whose weight was set.
type groupAnswer struct {
	Group  string `json:"group"`
	Weight int    `json:"weight"`
}

// fairnessAnswer is the scheduler's account of its promise.
type fairnessAnswer struct {
	Quantum    int64   `json:"quantum_us"`
	Bound      int64   `json:"bound_us"`
	Lag        int64   `json:"lag_us"`
	MaxLag     int64   `json:"max_lag_us"`
	Jain       decimal `json:"jain"`
	Violations uint64  `json:"violations"`
	Active     int     `json:"active"`
	Dormant    int     `json:"dormant"`
	Waiting    int     `json:"waiting"`
	Open       int     `json:"open"`
	HandedOut  uint64  `json:"handed_out"`
	Epoch      uint64  `json:"epoch"`

	Between levelAnswer `json:"between_groups"`
	Inside  levelAnswer `json:"inside_groups"`

	Jobs   uint64  `json:"unfinished_jobs"`
	Work   int64   `json:"backlog_cpu_us"`
	Oldest instant `json:"oldest_waiting_since"`
}

// levelAnswer is what the scheduler says of one level of its promise.
type levelAnswer struct {
	InLine     int    `json:"in_line"`
	Bound      int64  `json:"bound_us"`
	Lag        int64  `json:"lag_us"`
	MaxLag     int64  `json:"max_lag_us"`
	Violations uint64 `json:"violations"`
}

func levelOf(l fairfactor.FairnessLevel) levelAnswer {
	return levelAnswer{l.InLine, l.Bound.Microseconds(), l.Lag.Microseconds(), l.MaxLag.Microseconds(), l.Violations}
}

func (a levelAnswer) level() fairfactor.FairnessLevel {
	return fairfactor.FairnessLevel{InLine: a.InLine, Bound: micros(a.Bound), Lag: micros(a.Lag), MaxLag: micros(a.MaxLag), Violations: a.Violations}
}

func fairnessOf(f *fairfactor.Fairness) fairnessAnswer {
	return fairnessAnswer{
		Quantum: f.Quantum.Microseconds(), Bound: f.Bound.Microseconds(), Lag: f.Lag.Microseconds(), MaxLag: f.MaxLag.Microseconds(),
		Jain: decimal(f.Jain), Violations: f.Violations, Active: f.Active, Dormant: f.Dormant, Waiting: f.Waiting, Open: f.Open,
		HandedOut: f.HandedOut, Epoch: f.Epoch, Between: levelOf(f.Between), Inside: levelOf(f.Inside),
		Jobs: f.Jobs, Work: f.Work.Microseconds(), Oldest: instant{f.Oldest},
	}
}

func (a *fairnessAnswer) fairness() fairfactor.Fairness {
	return fairfactor.Fairness{
		Quantum: micros(a.Quantum), Bound: micros(a.Bound), Lag: micros(a.Lag), MaxLag: micros(a.MaxLag),
		Jain: float64(a.Jain), Violations: a.Violations, Active: a.Active, Dormant: a.Dormant, Waiting: a.Waiting, Open: a.Open,
		HandedOut: a.HandedOut, Epoch: a.Epoch, Between: a.Between.level(), Inside: a.Inside.level(),
		Jobs: a.Jobs, Work: micros(a.Work), Oldest: a.Oldest.Time,
	}
}

// nodesAnswer is the cluster.
type nodesAnswer struct {
	Nodes []nodeAnswer `json:"nodes"`
}

// nodeAnswer is a member of the cluster.
type nodeAnswer struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Address string         `json:"address"`
	Gossip  string         `json:"gossip"`
	State   string         `json:"state"`
	Self    bool           `json:"self"`
	Workers []workerAnswer `json:"workers"`

	Accepted  uint64  `json:"accepted"`
	Completed uint64  `json:"completed"`
	Failed    uint64  `json:"failed"`
	Cancelled uint64  `json:"cancelled"`
	Turns     uint64  `json:"turns"`
	CPU       seconds `json:"cpu_seconds"`
}

// workerAnswer has null for each member while the worker is idle.
type workerAnswer struct {
	Caller textOrNull `json:"caller_id"`
	Job    textOrNull `json:"request_id"`
	Number textOrNull `json:"number"`
	Since  instant    `json:"since"`
}

func nodeOf(n *fairfactor.Node) nodeAnswer {
	c := &n.Counts
	a := nodeAnswer{
		ID: n.ID, Name: n.Name, Address: n.Address, Gossip: n.Gossip, State: n.State, Self: n.Self, Workers: make([]workerAnswer, len(n.Workers)),
		Accepted: c.Accepted, Completed: c.Completed, Failed: c.Failed, Cancelled: c.Cancelled, Turns: c.Turns, CPU: secondsOf(c.CPU),
	}
	for i, w := range n.Workers {
		a.Workers[i] = workerAnswer{textOrNull(w.Caller), textOrNull(w.Job), textOrNull(w.Number), instant{w.Since}}
	}
	return a
}

func (a *nodeAnswer) node() fairfactor.Node {
	n := fairfactor.Node{
		ID: a.ID, Name: a.Name, Address: a.Address, Gossip: a.Gossip, State: a.State, Self: a.Self,
		Counts: fairfactor.NodeCounts{Accepted: a.Accepted, Completed: a.Completed, Failed: a.Failed, Cancelled: a.Cancelled, Turns: a.Turns, CPU: a.CPU.duration()},
	}
	for _, w := range a.Workers {
		n.Workers = append(n.Workers, fairfactor.Worker{Caller: string(w.Caller), Job: string(w.Job), Number: string(w.Number), Since: w.Since.Time})
	}
	return n
}

// pageAnswer is a page of jobs; next is null on the last one.
type pageAnswer struct {
	Jobs []jobText  `json:"jobs"`
	Next textOrNull `json:"next"`
}

// jobText is a job that [AppendJob] writes.
type jobText struct{ job *fairfactor.Job }

func (t jobText) MarshalJSON() ([]byte, error) {
	const rest = 384 // bytes of a finished job without its number and its primes
	return AppendJob(make([]byte, 0, rest+2*len(t.job.Number)), t.job), nil
}

// statusAnswer is what /livez and /readyz say.
type statusAnswer struct {
	Status string `json:"status"`
}

// problemAnswer is a refusal, RFC 9457, without what it adds about its cause.
type problemAnswer struct {
	Type       string `json:"type"`
	Title      string `json:"title"`
	Status     int    `json:"status"`
	Detail     string `json:"detail"`
	Code       string `json:"code"`
	RetryAfter int64  `json:"retry_after,omitempty"` // seconds; in the lines of a batch, which have no header
}

// textOrNull is a string; an empty one is null.
type textOrNull string

// MarshalJSON implements [json.Marshaler].
func (t textOrNull) MarshalJSON() ([]byte, error) { return appendStringOrNull(nil, string(t)), nil }

// instant is a time in UTC with microseconds; the zero time is null.
type instant struct{ time.Time }

// MarshalJSON implements [json.Marshaler].
func (t instant) MarshalJSON() ([]byte, error) { return appendTime(nil, t.Time), nil }

// decimal is a number with at most six decimals.
type decimal float64

// MarshalJSON implements [json.Marshaler].
func (d decimal) MarshalJSON() ([]byte, error) { return appendFloat(nil, float64(d)), nil }

// seconds are a duration, to the microsecond.
type seconds float64

func secondsOf(d time.Duration) seconds { return seconds(d.Seconds()) }

// MarshalJSON implements [json.Marshaler].
func (s seconds) MarshalJSON() ([]byte, error) { return appendFloat(nil, float64(s)), nil }

// duration is 0 for what no duration can hold.
func (s seconds) duration() time.Duration {
	const most = seconds(1<<63-1) / 1e9
	if !(s > -most && s < most) {
		return 0
	}
	return time.Duration(s * 1e9).Round(time.Microsecond)
}

// micros is 0 for what no duration can hold.
func micros(us int64) time.Duration {
	if most := int64(1<<63-1) / 1000; us > most || us < -most {
		return 0
	}
	return time.Duration(us) * time.Microsecond
}

// AppendCaller appends a caller's account as the API shows it; now is for the age
// of its oldest unfinished job.
func AppendCaller(b []byte, c *fairfactor.Caller, now time.Time) []byte {
	return appendValue(b, callerOf(c, now))
}

// AppendNode appends a member of the cluster as the API shows it.
func AppendNode(b []byte, n *fairfactor.Node) []byte { return appendValue(b, nodeOf(n)) }

// appendValue appends a value of a type above; they can't fail.
func appendValue(b []byte, value any) []byte {
	text, err := encode(value)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, text[:len(text)-1]...)
}
