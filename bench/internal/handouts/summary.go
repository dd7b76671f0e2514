package handouts

import (
	"container/heap"
	"time"
)

// Summary says how turns went around among callers.
type Summary struct {
	PerCaller map[string]int `json:"per_caller"`
	// LongestRun is the most jobs in a row that were handed out to one caller
	// while another had one waiting.
	LongestRun int `json:"longest_run"`
	// Contended is how many hand-outs were made while another caller waited.
	Contended int `json:"contended"`
}

// Job is a job that was handed out.
type Job struct {
	Caller   string
	Place    uint64    // in the global dispatch order
	Started  time.Time // by the node's clock
	Answered time.Time // when its 202 arrived, by this machine's clock
}

// Summarize looks at jobs in the order in which they were handed out. A job is
// certainly waiting from the moment that its 202 arrived and a grace on, for the
// way from the caller to the scheduler.
func Summarize(order []Job, grace time.Duration) Summary {
	s := Summary{PerCaller: map[string]int{}}
	q := newQueues(order)
	run, last := 0, ""
	for _, j := range order {
		s.PerCaller[j.Caller]++
		q.next(j.Caller)
		since, any := q.longestWaiting(j.Caller)
		if !any || !since.Add(grace).Before(j.Started) {
			run, last = 0, ""
			continue
		}
		s.Contended++
		if j.Caller != last {
			run, last = 0, j.Caller
		}
		run++
		s.LongestRun = max(s.LongestRun, run)
	}
	return s
}

// queues are the jobs of each caller that are not handed out yet, as a heap of
// callers by the moment at which the first of these jobs was answered.
type queues struct {
	heads    []*queue
	byCaller map[string]*queue
}

type queue struct {
	caller string
	answer []time.Time // of the jobs that wait, in the order of their hand-out
	at     int         // in the heap, -1 if nothing waits
}

func newQueues(order []Job) *queues {
	q := &queues{byCaller: map[string]*queue{}}
	for _, j := range order {
		own := q.byCaller[j.Caller]
		if own == nil {
			own = &queue{caller: j.Caller}
			q.byCaller[j.Caller] = own
			own.at = len(q.heads)
			q.heads = append(q.heads, own)
		}
		own.answer = append(own.answer, j.Answered)
	}
	heap.Init(q)
	return q
}

// next takes a caller's first job out.
func (q *queues) next(caller string) {
	own := q.byCaller[caller]
	own.answer = own.answer[1:]
	if len(own.answer) == 0 {
		heap.Remove(q, own.at)
		return
	}
	heap.Fix(q, own.at)
}

// longestWaiting returns since when the first job of another caller has waited
// that has waited the longest.
func (q *queues) longestWaiting(caller string) (since time.Time, any bool) {
	// The smallest is on top; if that is the caller's own, one of the two below is
	// the smallest of the others.
	for i := range min(len(q.heads), 3) {
		if head := q.heads[i]; head.caller != caller && (!any || head.answer[0].Before(since)) {
			since, any = head.answer[0], true
		}
	}
	return since, any
}

// Len implements [heap.Interface].
func (q *queues) Len() int { return len(q.heads) }

// Less implements [heap.Interface].
func (q *queues) Less(i, j int) bool { return q.heads[i].answer[0].Before(q.heads[j].answer[0]) }

// Swap implements [heap.Interface].
func (q *queues) Swap(i, j int) {
	q.heads[i], q.heads[j] = q.heads[j], q.heads[i]
	q.heads[i].at, q.heads[j].at = i, j
}

// Push implements [heap.Interface]. It is never called: all callers are there from
// the start.
func (q *queues) Push(x any) { q.heads = append(q.heads, x.(*queue)) }

// Pop implements [heap.Interface].
func (q *queues) Pop() any {
	last := q.heads[len(q.heads)-1]
	q.heads = q.heads[:len(q.heads)-1]
	return last
}
