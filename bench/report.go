package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"fairfactor/bench/internal/handouts"
	"fairfactor/bench/internal/load"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/verify"
)

// percentiles are the ones that are reported.
var percentiles = []float64{50, 90, 99, 99.9}

// loadReport is what the load generator found out. Times are in nanoseconds in JSON.
type loadReport struct {
	Seed        uint64       `json:"seed"`
	URL         string       `json:"url"`
	Requests    int          `json:"requests"`
	Clients     int          `json:"clients"`
	Concurrency int          `json:"concurrency"`
	Submitting  submitting   `json:"submitting"`
	Jobs        *jobsReport  `json:"jobs,omitempty"`
	Curve       []curvePoint `json:"latency_curve"`
}

// submitting is about the POSTs.
type submitting struct {
	Began      time.Time        `json:"began"`
	Took       time.Duration    `json:"took_ns"`
	Successful int              `json:"successful"`
	Failed     int              `json:"failed"`
	Fault      string           `json:"first_fault,omitempty"`
	Repeats    int              `json:"repeats"` // after 429 or 503
	PerSecond  float64          `json:"per_second"`
	Mean       time.Duration    `json:"mean_ns"`
	Min        time.Duration    `json:"min_ns"`
	Max        time.Duration    `json:"max_ns"`
	Percentile map[string]int64 `json:"percentiles_ns"`
}

// jobsReport is about what became of the accepted numbers.
type jobsReport struct {
	Tally     verify.Tally     `json:"tally"`
	AllDone   time.Duration    `json:"all_done_ns"` // from the first submission to the last end, by the node's clock
	PerSecond float64          `json:"completed_per_second"`
	HandOuts  handouts.Summary `json:"hand_outs"`
}

// curvePoint is a point of the latency chart.
type curvePoint struct {
	Percent float64       `json:"percent"`
	Time    time.Duration `json:"time_ns"`
}

// curvePercents are where the chart is drawn.
var curvePercents = []float64{0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 100}

func newLoadReport(l *loadFlags, s load.Result) *loadReport {
	r := &loadReport{Seed: l.seed, URL: l.url, Requests: l.requests, Clients: l.clients, Concurrency: l.concurrency}
	shortest, longest := s.Latencies.Extremes()
	r.Submitting = submitting{
		Began: s.Began.UTC(), Took: s.Took, Successful: s.Accepted, Failed: s.Failed, Fault: s.Fault, Repeats: s.Repeats,
		PerSecond: stats.PerSecond(s.Accepted, s.Took), Mean: s.Latencies.Mean(), Min: shortest, Max: longest,
		Percentile: map[string]int64{},
	}
	for _, p := range percentiles {
		r.Submitting.Percentile[percentName(p)] = int64(s.Latencies.At(p))
	}
	for _, p := range curvePercents {
		r.Curve = append(r.Curve, curvePoint{p, s.Latencies.At(p)})
	}
	return r
}

func percentName(p float64) string { return fmt.Sprintf("p%g", p) }

// handOutGrace is how long a job may still be on its way to the scheduler after
// its 202, on a machine that is full of work; see [handouts.Summarize].
const handOutGrace = 10 * time.Millisecond

// addJobs takes in what the node says of the jobs.
func (r *loadReport) addJobs(s *verify.Stream) {
	tally, order := s.Close()
	r.Jobs = &jobsReport{Tally: tally, HandOuts: handouts.Summarize(order, handOutGrace), AllDone: s.Span()}
	r.Jobs.PerSecond = stats.PerSecond(r.Jobs.Tally.Completed, r.Jobs.AllDone)
}

// printSubmitted begins with fixed words in a fixed order: scripts read them.
func (r *loadReport) printSubmitted(out io.Writer) {
	s := r.Submitting
	fmt.Fprintln(out, "Benchmark Results:")
	fmt.Fprintf(out, "Total Duration: %v\n", s.Took)
	fmt.Fprintf(out, "Successful Requests: %d\n", s.Successful)
	fmt.Fprintf(out, "Failed Requests: %d\n", s.Failed)
	fmt.Fprintf(out, "Average Request Time: %v\n", s.Mean)
	fmt.Fprintf(out, "Maximum Request Time: %v\n", s.Max)
	fmt.Fprintf(out, "Minimum Request Time: %v\n", s.Min)
	fmt.Fprintf(out, "Requests/second: %.2f\n", s.PerSecond)
	for _, p := range percentiles {
		fmt.Fprintf(out, "Request Time %s: %v\n", percentName(p), time.Duration(s.Percentile[percentName(p)]).Round(time.Microsecond))
	}
	fmt.Fprintf(out, "Repeated after 429/503: %d\n", s.Repeats)
	if s.Fault != "" {
		fmt.Fprintf(out, "First failure: %s\n", s.Fault)
	}
}

func (r *loadReport) printJobs(out io.Writer) {
	j := r.Jobs
	fmt.Fprintln(out, "\nVerification:")
	fmt.Fprintf(out, "All done after: %v\n", j.AllDone.Round(time.Microsecond))
	fmt.Fprintf(out, "Completed/second: %.2f\n", j.PerSecond)
	fmt.Fprintf(out, "Completed and right: %d of %d accepted\n", j.Tally.Completed, r.Submitting.Successful)
	fmt.Fprintf(out, "Unfinished: %d\nFailed: %d\nLost: %d\nWrong: %d\nTwice: %d\n",
		j.Tally.Unfinished, j.Tally.Failed, j.Tally.Lost, j.Tally.Wrong, j.Tally.Twice)
	for _, e := range j.Tally.Examples {
		fmt.Fprintf(out, "- %s\n", e)
	}
	fewest, most := extremeCounts(j.HandOuts.PerCaller)
	fmt.Fprintln(out, "\nRound robin:")
	fmt.Fprintf(out, "Hand-outs per caller: %d to %d\n", fewest, most)
	fmt.Fprintf(out, "Hand-outs while another caller waited: %d\n", j.HandOuts.Contended)
	fmt.Fprintf(out, "Longest run of one caller while another waited: %d\n", j.HandOuts.LongestRun)
}

// extremeCounts are the smallest and the largest count; 0 without any.
func extremeCounts(counts map[string]int) (fewest, most int) {
	first := true
	for _, n := range counts {
		if first || n < fewest {
			fewest = n
		}
		most, first = max(most, n), false
	}
	return fewest, most
}

// finish writes the files and returns an error if not everything went well.
func (r *loadReport) finish(l *loadFlags, err error) error {
	if l.json != "" {
		err = errors.Join(err, report.WriteJSON(l.json, r))
	}
	if l.html != "" {
		err = errors.Join(err, r.writeHTML(l.html))
	}
	if r.Submitting.Failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d submissions failed", r.Submitting.Failed))
	}
	if bad := r.Jobs.Tally.Bad(); bad > 0 {
		err = errors.Join(err, fmt.Errorf("%d accepted jobs are unfinished, failed, lost, wrong or given twice", bad))
	}
	return err
}
