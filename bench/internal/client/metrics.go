package client

// Metrics are the samples of /metrics by name with labels, as written there.
type Metrics map[string]float64

// Unfinished is how many of the jobs accepted since the node's start have not
// ended.
func (g Metrics) Unfinished() int {
	jobs := func(state string) float64 { return g[`fairfactor_jobs_total{state="`+state+`"}`] }
	return int(jobs("accepted") - jobs("completed") - jobs("failed") - jobs("cancelled"))
}
