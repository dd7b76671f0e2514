package fairfactor

import (
	"slices"
	"time"
)

// Deaths are the processes that died while they had a turn of a job in their hands, since
// the job last got on: what may have killed them is the job. A process that was asked to
// end, and did, has not died. A Deaths is not changed once it is part of a job.
type Deaths struct {
	Processes []string      // ids, see [Node], each once; the last one is the one that was told of last
	CPU       time.Duration // that the job had used when the last of them was counted
}

// Bounds of deaths.
const (
	DefaultMaxDeaths = 3  // deaths after which a job is quarantined
	MaxDeaths        = 16 // the most that can be waited for
	// DeathForgiven is the CPU of a job after which earlier deaths count no more: it got
	// past whatever it was at when they happened. Checkpoints are 10 s apart.
	DeathForgiven = time.Minute
)

// Count is how many processes died.
func (d *Deaths) Count() int {
	if d == nil {
		return 0
	}
	return len(d.Processes)
}

// Has reports whether the death of a process is counted.
func (d *Deaths) Has(process string) bool { return d != nil && slices.Contains(d.Processes, process) }

// Last is the process whose death was told of last, empty if none was.
func (d *Deaths) Last() string {
	if d.Count() == 0 {
		return ""
	}
	return d.Processes[len(d.Processes)-1]
}

// With returns the deaths with one more, of a job that has used that much CPU by now.
func (d *Deaths) With(process string, used time.Duration) *Deaths {
	more := &Deaths{CPU: used}
	if d.Count() > 0 && used-d.CPU < DeathForgiven {
		more.Processes = append(more.Processes, d.Processes[max(0, len(d.Processes)-MaxDeaths+1):]...)
	}
	more.Processes = append(more.Processes, process)
	return more
}

// Again returns the deaths with one of them as the last: it was told of again.
func (d *Deaths) Again(process string) *Deaths {
	if d.Last() == process || !d.Has(process) {
		return d
	}
	others := slices.DeleteFunc(slices.Clone(d.Processes), func(p string) bool { return p == process })
	return &Deaths{Processes: append(others, process), CPU: d.CPU}
}

// Suspect reports whether the job may still be what killed a process: it has not got far
// since. used is the CPU that it has used by now.
func (d *Deaths) Suspect(used time.Duration) bool {
	return d.Count() > 0 && used-d.CPU < DeathForgiven
}

// Quarantined reports whether a job failed because processes died with it: only a person
// tries it again, by its id.
func (j *Job) Quarantined() bool { return j.State == Failed && j.Deaths.Count() > 0 }
