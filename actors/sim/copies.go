package sim

import (
	"context"
	"strconv"
	"strings"
	"time"

	"fairfactor"
	"fairfactor/factor"
)

// fatalNumber kills each process that runs a turn for it, at once. It has too few digits to be
// factored once only.
const fatalNumber = "3000000000000000000019"

// copiesOf begins the name of each caller that submits the fatal number.
const copiesOf = "copies-"

// copies has many callers submit the fatal number at about the same time, once each.
func (r *run) copies() {
	for i := range r.opts.Copies {
		r.clients++
		r.w.start(time.Duration(r.w.rng.Int64N(int64(time.Second))), nil, func() {
			defer func() { r.clients-- }()
			name := copiesOf + strconv.Itoa(i) + "x"
			subs := []fairfactor.Submission{{Number: fatalNumber, Key: "k"}}
			for {
				var receipts []fairfactor.Receipt
				var err error
				got := r.ask(func(ctx context.Context, s *service) { receipts, err = s.Submit(ctx, name, subs, nil) })
				if got.answered && err == nil && receipts[0].Err == nil {
					return // it is durable, and was perhaps before
				}
				r.w.sleep(50 * time.Millisecond)
			}
		})
	}
}

// strikes reports whether a turn kills its process, and does so.
func (r *run) strikes(p *process, turn factor.Turn) bool {
	if r.opts.Copies == 0 || string(turn.Payload) != string(factor.First(fatalNumber).Payload) {
		return false
	}
	if p.dead { // a thread on its way out takes the turns that it has in its queue
		return true
	}
	r.struck[p.id] = true
	at := p.place
	r.w.after(0, nil, p.die)
	r.w.after(r.w.between(50*time.Millisecond, 3*time.Second), nil, func() { r.reboot(at) })
	return true
}

// checkCopies wants all jobs for the fatal number in quarantine.
func (r *run) checkCopies(jobs []fairfactor.Job) {
	for i := range jobs {
		if j := &jobs[i]; strings.HasPrefix(j.Caller, copiesOf) && !j.Quarantined() {
			r.w.broke("job %d of %s for the fatal number is %v", j.ID.Seq, j.Caller, j.State)
		}
	}
}
