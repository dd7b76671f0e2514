package client

import (
	"time"
)

// Job is what the node says of a job.
type Job struct {
	ID        string         `json:"request_id"`
	Caller    string         `json:"caller_id"`
	Number    string         `json:"number"`
	Status    string         `json:"status"`
	Result    map[string]int `json:"result"`
	Submitted time.Time      `json:"submitted_at"`
	Started   time.Time      `json:"started_at"`
	Finished  time.Time      `json:"finished_at"`
	Attempts  int            `json:"attempts"`
	Turn      uint64         `json:"turn"`
	CPU       int64          `json:"cpu_us"`
}

// Ended reports whether the job is in a final state.
func (j *Job) Ended() bool { return j.Status != "pending" && j.Status != "running" }

// Page is one page of a list of jobs.
type Page struct {
	Jobs []Job  `json:"jobs"`
	Next string `json:"next"`
}

// Account is what the node says of a caller.
type Account struct {
	Queued     int     `json:"queued"` // those that run are not
	Running    int     `json:"running"`
	Completed  int     `json:"completed"`
	Failed     int     `json:"failed"`
	CPUSeconds float64 `json:"cpu_seconds"`
	Turns      uint64  `json:"turns"`
}

// Unfinished is how many jobs wait or run.
func (a *Account) Unfinished() int { return a.Queued + a.Running }

// Fairness is what the node says of its own fairness; times in microseconds.
type Fairness struct {
	Quantum    int64   `json:"quantum_us"`
	Bound      int64   `json:"bound_us"`
	MaxLag     int64   `json:"max_lag_us"`
	Jain       float64 `json:"jain"`
	Violations int     `json:"violations"`
	HandedOut  uint64  `json:"handed_out"`
}
