package sim

import (
	"context"
	"slices"
	"time"

	"fairfactor"
	"fairfactor/store/memory"
)

// cluster is the places, what connects them, and the table of members.
type cluster struct {
	w         *world
	run       *run
	places    []*place
	all       []*process
	byID      map[string]*process
	processes int
	table     *memory.Members // nil for a node on its own
	cut       map[[2]*place]bool
	rough     bool                        // messages are lost, doubled and reordered
	last      map[[2]*place]time.Duration // when the last message arrives
}

// Times of package cluster.
const (
	leaseTime   = 10 * time.Second
	fenceAt     = leaseTime * 4 / 5
	renewEvery  = leaseTime / 5
	renewRetry  = leaseTime / 20
	probeEvery  = 500 * time.Millisecond
	resendEvery = 200 * time.Millisecond
	settleTime  = 5 * time.Second
	unheard     = 3 * time.Second        // silence after which gossip drops a member
	refused     = 300 * time.Millisecond // after which a dead process is noticed
)

// carry brings something from one process to the one with an id. Messages between
// two places keep their order, unless the network is rough. What a connection has
// when it breaks is lost. A request is not doubled: no connection does that, and those
// who ask rely on it.
func (c *cluster) carry(from *process, to string, request bool, do func(*process)) {
	w := c.w
	q := c.byID[to]
	if q == nil || from.dead {
		return
	}
	link := [2]*place{from.place, q.place}
	if q.dead {
		w.after(time.Millisecond, from, func() { from.unreachable(to) })
		return
	}
	if c.cut[link] {
		w.say("lost %s to %s", from.id, to)
		return
	}
	d := w.often(200*time.Microsecond, 20*time.Millisecond)
	times := 1
	arrives := max(w.now+d, c.last[link])
	if c.rough {
		switch {
		case w.chance(0.03):
			return
		case !request && w.chance(0.03):
			times = 2
		case w.chance(0.05):
			arrives = w.now + w.between(0, time.Second) // out of order
		}
	}
	if !c.rough {
		c.last[link] = arrives
	}
	for range times {
		w.after(arrives-w.now, q, func() {
			if !c.cut[link] {
				do(q)
			}
		})
		arrives += w.between(0, 50*time.Millisecond)
	}
}

// died tells the others that their connections to a process have broken.
func (c *cluster) died(p *process) {
	for _, q := range c.all {
		if q != p && !q.dead {
			c.w.after(c.w.between(0, 5*time.Millisecond), q, func() { q.unreachable(p.id) })
		}
	}
}

// unreachable fails what was asked of a process.
func (p *process) unreachable(id string) { p.fail(func(r *request) bool { return r.to == id }) }

// lease says until when a node may act: package cluster has it in lease.go.
type lease struct {
	list    fairfactor.MemberList
	until   time.Duration
	fenced  bool
	removed bool
	poke    func()
	poked   bool
}

// call makes one call to the table of members.
func (p *process) call(do func() (fairfactor.MemberList, error)) (list fairfactor.MemberList, err error) {
	w := p.w
	limit := w.now + renewEvery
	down := fairfactor.Errorf(fairfactor.Unavailable, "the table of members can't be reached")
	if p.place.loose {
		w.sleep(limit - w.now)
		return list, down
	}
	done := false
	w.wait(limit, func(wake func()) {
		w.after(p.storeTime(), nil, func() {
			if p.dead {
				return
			}
			list, err = do()
			if p.place.loose {
				return // the answer is lost
			}
			w.after(w.often(time.Millisecond, 100*time.Millisecond), p, func() { done = true; wake() })
		})
	})
	if !done {
		return fairfactor.MemberList{}, down
	}
	return list, err
}

// join enters the node into the table.
func (p *process) join() bool {
	if p.cluster.table == nil {
		p.lease.until = forever
		p.follow(view{version: 1, members: []string{p.id}})
		return true
	}
	self := fairfactor.Member{ID: p.id, Name: p.place.name, Address: p.place.name}
	for tries := 0; ; tries++ {
		begin := p.w.now
		list, err := p.call(func() (fairfactor.MemberList, error) {
			return p.cluster.table.Join(context.Background(), self, leaseTime)
		})
		if fairfactor.CodeOf(err) == fairfactor.Conflict && tries > 0 {
			list, err = p.call(func() (fairfactor.MemberList, error) {
				return p.cluster.table.Renew(context.Background(), p.id, nil, leaseTime)
			})
		}
		switch {
		case err == nil:
			p.renewed(begin, list)
			p.decide()
			return true
		case fairfactor.CodeOf(err) == fairfactor.Conflict:
			p.exit("not a member any more")
			return false
		}
		p.w.sleep(renewRetry)
	}
}

func (p *process) renewed(begin time.Duration, list fairfactor.MemberList) {
	p.lease.until, p.lease.list = begin+fenceAt, list
}

// keep renews the lease.
func (p *process) keep() {
	if p.cluster.table == nil {
		return
	}
	wait := renewEvery
	for !p.closing {
		if !p.lease.poked {
			p.w.wait(p.w.now+wait, func(wake func()) { p.lease.poke = wake })
		}
		p.lease.poke, p.lease.poked = nil, false
		begin, dead := p.w.now, slices.Clone(p.reported)
		list, err := p.call(func() (fairfactor.MemberList, error) {
			return p.cluster.table.Renew(context.Background(), p.id, dead, leaseTime)
		})
		switch {
		case p.closing:
			return
		case err == nil:
			p.renewed(begin, list)
			wait = renewEvery
		case fairfactor.CodeOf(err) == fairfactor.Conflict:
			p.exit("the others removed it")
			return
		default:
			wait = renewRetry
		}
		p.w.sleep(50 * time.Millisecond)
	}
}

// exit ends the process and has it started again, as the system does that watches it.
func (p *process) exit(why string) {
	p.w.say("%s exits: %s", p.id, why)
	p.lease.removed, p.lease.fenced = true, true
	at := p.place
	p.w.after(0, nil, p.die)
	p.w.after(time.Second, nil, func() {
		if at.proc == nil && !p.cluster.run.over {
			p.cluster.boot(at)
		}
	})
}

// leave takes the process out of the cluster in good order, and ends it.
func (p *process) leave() {
	p.w.say("%s leaves", p.id)
	p.closing = true
	for _, k := range p.activations() {
		p.live[k].retire()
	}
	for until := p.w.now + settleTime; len(p.live) > 0 && p.w.now < until; {
		p.w.sleep(5 * time.Millisecond)
	}
	if p.cluster.table != nil {
		_, _ = p.call(func() (fairfactor.MemberList, error) {
			return fairfactor.MemberList{}, p.cluster.table.Leave(context.Background(), p.id)
		})
	}
	rest := slices.DeleteFunc(slices.Clone(p.view.members), func(id string) bool { return id == p.id })
	p.follow(view{version: p.view.version + 1, members: rest})
	p.w.sleep(p.w.between(0, time.Second)) // what is on its way is answered, or not
	p.w.after(0, nil, p.die)
}

func (p *process) pokeLease() {
	p.lease.poked = true
	if p.lease.poke != nil {
		p.lease.poke()
	}
}

// lapsed tells whether the node must not act.
func (p *process) lapsed() bool {
	if !p.lease.fenced && p.w.now >= p.lease.until {
		p.lease.fenced = true
		p.w.say("%s is fenced", p.id)
	}
	return p.lease.fenced
}

// provide is what package cluster's provider does: it follows the table.
func (p *process) provide() {
	for p.cluster.table != nil {
		p.decide()
		p.w.sleep(probeEvery)
	}
}

// decide looks at who is alive and follows the view of the table.
func (p *process) decide() {
	if p.closing || !p.may() {
		return
	}
	dead := p.judge()
	if !slices.Equal(dead, p.reported) {
		p.reported = dead
		p.pokeLease()
	}
	if l := p.lease.list; l.Version != p.view.version {
		v := view{version: l.Version}
		for _, m := range l.Members {
			v.members = append(v.members, m.ID)
		}
		p.follow(v)
	}
}

// may tells whether the node may act, and stops all activations when it must not.
func (p *process) may() bool {
	if !p.lapsed() {
		return true
	}
	for _, k := range p.activations() {
		p.live[k].stop()
	}
	p.fail(func(*request) bool { return true })
	if len(p.live) > 0 || p.lease.removed || p.w.now >= p.lease.until {
		return false
	}
	p.lease.fenced = false
	p.w.say("%s acts again", p.id)
	return true
}

// activations are the keys of the live ones, in order.
func (p *process) activations() (keys []key) {
	for k := range p.live {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		if a.kind+a.identity < b.kind+b.identity {
			return -1
		}
		return 1
	})
	return keys
}

// judge returns the members that gossip believes dead.
func (p *process) judge() (dead []string) {
	for _, m := range p.lease.list.Members {
		if m.ID == p.id {
			continue
		}
		q := p.cluster.byID[m.ID]
		if p.met[m.ID] == 0 {
			p.met[m.ID] = max(p.w.now, 1)
		}
		limit := unheard
		switch {
		case q.dead:
			limit = refused
		case !q.paused && !p.cluster.cut[[2]*place{p.place, q.place}] && !p.cluster.cut[[2]*place{q.place, p.place}]:
			p.heard[m.ID] = p.w.now
		}
		if p.w.now-max(p.heard[m.ID], p.met[m.ID]) >= limit {
			dead = append(dead, m.ID)
		}
	}
	return dead
}
