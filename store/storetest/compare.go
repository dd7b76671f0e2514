package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"fairfactor"
)

// comparisons is how many kinds of comparison there are.
const comparisons = 9

// compare asks the store and the model the same questions of one kind.
func (p *pair) compare(kind int) {
	switch kind {
	case 0:
		p.compareJobs()
	case 1:
		p.compareBacklogs()
	case 2:
		p.compareLists()
	case 3:
		p.compareKeys()
	case 4:
		p.compareCallers()
	case 5:
		p.compareKnown()
	case 6:
		p.compareOverdue()
	case 7:
		p.compareEvents()
	case 8:
		p.compareDeadly()
	}
}

func (p *pair) compareJobs() {
	var ids []fairfactor.ID
	for _, j := range p.twin.jobs {
		ids = append(ids, j.ID)
	}
	p.rng.Shuffle(len(ids), func(i, k int) { ids[i], ids[k] = ids[k], ids[i] })
	want, _ := p.twin.Jobs(p.ctx(), ids)
	p.same("jobs", p.jobs(ids...), want)
	for _, j := range p.twin.jobs {
		got, err := p.store.Job(p.ctx(), j.ID)
		if j.expired {
			if fairfactor.CodeOf(err) != fairfactor.NotFound {
				p.Errorf("an expired job: got %+v, %v", got, err)
			}
			continue
		}
		if err != nil {
			p.Errorf("job %s: %v", j.ID, err)
			continue
		}
		p.same("job", got, j.Job)
	}
}

func (p *pair) compareBacklogs() {
	var got []fairfactor.Waiting // each page in the room of the one before
	for _, c := range p.twin.callers {
		for range 3 {
			after, limit := p.rng.Uint64N(p.twin.last(c)+2), p.rng.IntN(20)
			if p.oneIn(3) {
				after = 0
			}
			want, _ := p.twin.Backlog(p.ctx(), c.number, after, limit, nil)
			var err error
			if got, err = p.store.Backlog(p.ctx(), c.number, after, limit, got); err != nil {
				p.Fatalf("backlog: %v", err)
			}
			if len(got)+len(want) > 0 {
				p.same(fmt.Sprintf("backlog of %q after %d, limit %d", c.name, after, limit), got, want)
			}
		}
		for order := range p.twin.last(c) + 2 {
			number := uint32(p.rng.IntN(5))
			want, _ := p.twin.Piece(p.ctx(), c.number, order, number)
			got, err := p.store.Piece(p.ctx(), c.number, order, number)
			if err != nil || !bytes.Equal(got, want) {
				p.Errorf("piece %d of order %d of %q: got %q, %v, want %q", number, order, c.name, got, err, want)
			}
		}
	}
}

func (p *pair) compareLists() {
	for _, caller := range append([]string{""}, callerNames...) {
		for range 4 {
			q := p.query(caller)
			var all []fairfactor.Job
			for _, j := range p.twin.jobs {
				if !j.expired && q.Matches(&j.Job) {
					all = append(all, j.Job)
				}
			}
			p.same(fmt.Sprintf("list %+v", q), p.list(q), newest(all))
		}
	}
}

// query makes up filters, each of them half of the time.
func (p *pair) query(caller string) fairfactor.Query {
	q := fairfactor.Query{Caller: caller, Limit: 1 + p.rng.IntN(30)}
	if p.oneIn(2) {
		q.States = fairfactor.States(p.rng.IntN(32)) << fairfactor.Pending
	}
	q.Quarantined = p.oneIn(5)
	if n := len(p.twin.jobs); n > 0 && p.oneIn(2) {
		q.Number = p.twin.jobs[p.rng.IntN(n)].Number
	}
	moment := func() time.Time {
		if n := len(p.twin.jobs); n > 0 && p.oneIn(2) { // to the microsecond, on either side
			return p.twin.jobs[p.rng.IntN(n)].Submitted.Add(time.Duration(p.rng.IntN(3)-1) * time.Nanosecond)
		}
		return p.now.Add(-time.Duration(p.rng.Int64N(int64(400 * time.Millisecond))))
	}
	if p.oneIn(2) {
		q.Since = moment()
	}
	if p.oneIn(2) {
		q.Until = moment()
	}
	return q
}

func (p *pair) compareKeys() {
	for _, c := range p.twin.callers {
		since := p.now.Add(-time.Duration(p.rng.Int64N(int64(200 * time.Millisecond))))
		if p.oneIn(2) {
			since = time.Time{}
		}
		keys := []string{"x", "y", "z", ""}
		want, _ := p.twin.Keyed(p.ctx(), c.number, keys, since)
		got, err := p.store.Keyed(p.ctx(), c.number, keys, since)
		if err != nil {
			p.Fatalf("keys of %q since %v: %v", c.name, since, err)
		}
		p.same(fmt.Sprintf("keys of %q since %v", c.name, since), got, want)
	}
}

func (p *pair) compareCallers() {
	for _, c := range p.twin.callers {
		if c.known {
			p.same("caller", p.caller(c.name), p.twin.account(c))
		} else if got, err := p.store.Caller(p.ctx(), c.name); fairfactor.CodeOf(err) != fairfactor.NotFound {
			p.Errorf("a caller without a change: got %+v, %v", got, err)
		}
	}
	number, limit := p.rng.Uint64N(8), p.rng.IntN(5)
	want, _ := p.twin.Backlogged(p.ctx(), number, limit)
	if got, err := p.store.Backlogged(p.ctx(), number, limit); err != nil || !slices.Equal(got, want) {
		p.Errorf("backlogged callers after %d, limit %d:\n got %+v, %v\nwant %+v", number, limit, got, err, want)
	}
	p.compareCallerPages()
}

func (p *pair) compareCallerPages() {
	after, limit := p.name(), p.rng.IntN(5)
	want, _ := p.twin.Callers(p.ctx(), after, limit)
	got, err := p.store.Callers(p.ctx(), after, limit)
	if err != nil {
		p.Fatalf("callers: %v", err)
	}
	if !slices.Equal(got, want) {
		p.Errorf("callers after %q, limit %d:\n got %+v\nwant %+v", after, limit, got, want)
	}
	order := fairfactor.ByQueued
	if p.rng.IntN(2) == 0 {
		order = fairfactor.ByCPU
	}
	want, _ = p.twin.Foremost(p.ctx(), order, limit)
	if got, err = p.store.Foremost(p.ctx(), order, limit); err != nil || !slices.Equal(got, want) {
		p.Errorf("foremost callers by %v, limit %d:\n got %+v, %v\nwant %+v", order, limit, got, err, want)
	}
}
