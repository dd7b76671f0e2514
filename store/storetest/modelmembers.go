package storetest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"fairfactor"
)

// elders is a table of members that remembers everything and works each answer
// out of it again: slow, and plainly right.
type elders struct {
	version uint64
	members []*elder
	ids     map[string]bool
}

// elder is a member with all its leases and its last reports.
type elder struct {
	fairfactor.Member
	leases []span // in the order they were given
	dead   []string
}

type span struct{ from, until time.Time }

func (e *elder) last() span { return e.leases[len(e.leases)-1] }

// unbroken says that the member's leases cover all time from then to now.
func (e *elder) unbroken(then, now time.Time) bool {
	for at := now; ; {
		if !at.After(then) {
			return true
		}
		earlier := at
		for _, l := range e.leases { // the one that reaches back furthest
			if l.from.Before(earlier) && !l.until.Before(at) {
				earlier = l.from
			}
		}
		if earlier.Equal(at) {
			return false
		}
		at = earlier
	}
}

func (t *elders) member(id string) *elder {
	for _, e := range t.members {
		if e.ID == id {
			return e
		}
	}
	return nil
}

// drop removes the members with these ids.
func (t *elders) drop(ids []string) {
	n := len(t.members)
	t.members = slices.DeleteFunc(t.members, func(e *elder) bool { return slices.Contains(ids, e.ID) })
	if len(t.members) != n {
		t.version++
	}
}

func (t *elders) join(m fairfactor.Member, lease time.Duration, now time.Time) fairfactor.Code {
	if t.ids[m.ID] {
		return fairfactor.Conflict
	}
	t.ids[m.ID] = true
	t.members = slices.DeleteFunc(t.members, func(e *elder) bool { return e.Address == m.Address })
	t.members = append(t.members, &elder{Member: m, leases: []span{{now, now.Add(lease)}}})
	t.version++
	return ""
}

func (t *elders) renew(id string, dead []string, lease time.Duration, now time.Time) fairfactor.Code {
	own := t.member(id)
	if own == nil {
		return fairfactor.Conflict
	}
	if last := &own.leases[len(own.leases)-1]; last.until.After(now) {
		last.until = now // the new lease takes its place
	}
	own.leases = append(own.leases, span{now, now.Add(lease)})
	own.dead = nil
	for _, d := range dead {
		if t.member(d) != nil && d != id {
			own.dead = append(own.dead, d)
		}
	}
	var over []string
	for _, e := range t.members {
		last := e.last()
		length := last.until.Sub(last.from)
		if now.After(last.until) && (own.unbroken(last.until, now) || own.unbroken(now.Add(-length-1), now)) {
			over = append(over, e.ID)
		}
	}
	t.drop(over)
	var voted []string
	for _, e := range t.members {
		votes, others := 0, 0
		for _, o := range t.members {
			if o != e {
				others++
				if slices.Contains(o.dead, e.ID) {
					votes++
				}
			}
		}
		if slices.Contains(own.dead, e.ID) && 2*votes > others {
			voted = append(voted, e.ID)
		}
	}
	t.drop(voted)
	return ""
}

func (t *elders) roll() fairfactor.MemberList {
	r := fairfactor.MemberList{Version: t.version}
	for _, e := range t.members {
		r.Members = append(r.Members, e.Member)
	}
	slices.SortFunc(r.Members, func(a, b fairfactor.Member) int { return strings.Compare(a.ID, b.ID) })
	return r
}

// membersLikeTheModel does the same random things to the table and to the model
// and compares every answer.
func membersLikeTheModel(c *council) {
	seed := uint64(time.Now().UnixNano())
	c.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	twin := &elders{ids: map[string]bool{}}
	var ids []string // of all nodes there ever were
	for step := 0; step < 600 && !c.Failed(); step++ {
		if rng.IntN(3) == 0 {
			c.pass(time.Duration(rng.Int64N(int64(term/time.Microsecond))*rng.Int64N(3)/4) * time.Microsecond)
		}
		lease := term / time.Duration(1+rng.IntN(3))
		any := func() string {
			if len(twin.members) > 0 && rng.IntN(8) > 0 {
				return twin.members[rng.IntN(len(twin.members))].ID
			}
			return append(ids, "stranger")[rng.IntN(len(ids)+1)]
		}
		var got fairfactor.MemberList
		var err error
		var want fairfactor.Code
		var what string
		switch n := rng.IntN(20); {
		case n < 3 && len(twin.members) < 8:
			m := node(fmt.Sprintf("%03d", rng.IntN(1000)))
			m.Address = fmt.Sprintf("host-%d:1", rng.IntN(12))
			ids = append(ids, m.ID)
			what = fmt.Sprintf("join %+v", m)
			got, err = c.table.Join(c.Context(), m, lease)
			want = twin.join(m, lease, c.now)
		case n < 4:
			id := any()
			what = "leave " + id
			err = c.table.Leave(c.Context(), id)
			twin.drop([]string{id})
			got = twin.roll()
		default:
			id := any()
			var dead []string
			for rng.IntN(5) < 2 {
				dead = append(dead, any())
			}
			what = fmt.Sprintf("renew %s, dead %v", id, dead)
			got, err = c.table.Renew(c.Context(), id, dead, lease)
			want = twin.renew(id, dead, lease, c.now)
		}
		if fairfactor.CodeOf(err) != want {
			c.Fatalf("step %d, %s: got %v, want %q", step, what, err, want)
		}
		if r := twin.roll(); err == nil && !reflect.DeepEqual(got, r) {
			c.Fatalf("step %d, %s:\n got %+v\nwant %+v", step, what, got, r)
		}
	}
}
