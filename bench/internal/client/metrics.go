package client

// Metrics are the samples of /metrics by name with labels, as written there.
type Metrics map[string]float64

// Unfinished is how many of the jobs accepted since the node's start have not
// ended.
func (m Metrics) Unfinished() int {
	return int(m.jobs("accepted") - m.jobs("completed") - m.jobs("failed") - m.jobs("cancelled"))
}

// Completed is how many jobs were completed since the node's start.
func (m Metrics) Completed() int { return int(m.jobs("completed")) }

func (m Metrics) jobs(state string) float64 { return m[`fairfactor_jobs_total{state="`+state+`"}`] }
