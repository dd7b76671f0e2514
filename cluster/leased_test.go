package cluster_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/cluster"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// brief is quick with a lease that a test can wait for.
func brief(lease time.Duration) cluster.Timing {
	timing := quick
	timing.Lease, timing.Unheard = lease, time.Second
	return timing
}

// leased is the config of a node of this process with a table of members.
func leased(l *ledger, s *tables, timing cluster.Timing) cluster.Config {
	c := config(l.see)
	c.Table, c.Timing = s, timing
	return c
}

// The table is all that nodes need to find each other, and they see the same
// versions of the same view.
func TestMembersOfATable(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	s := newTables(t)
	timing := brief(longest)
	a := start(t, leased(&log, s, timing))
	b := spawn(t, &log, settings{table: s.address, timing: timing})
	c := spawn(t, &log, settings{table: s.address, timing: timing})
	members(t, 3, a)
	same := func() bool {
		v := strconv.FormatUint(a.View().Version, 10)
		return b.do("version") == v && c.do("version") == v
	}
	eventually(t, same)
	if got := b.do("ask", ownedBy(t, a, c.id), "hello", "10s"); got == "" || got[:5] == "error" {
		t.Error(got)
	}
	begin := time.Now()
	c.stop() // it says so in the table, so no node waits for its lease
	members(t, 2, a)
	eventually(t, func() bool { return b.do("version") == strconv.FormatUint(a.View().Version, 10) })
	if took := time.Since(begin); took > longest/2 {
		t.Errorf("left after %v", took)
	}
	if _, double := log.alive(); len(double) > 0 {
		t.Errorf("overlapping activations: %v", double)
	}
}

// A node that can't renew its lease stops acting before the lease is over, and
// goes on when it can again.
func TestFencedWithoutTheTable(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	s := newTables(t)
	const lease = 2 * time.Second
	c := leased(&log, s, brief(lease))
	var fatal atomic.Bool
	c.Fatal = func(error) { fatal.Store(true) }
	n := start(t, c)
	const identities = 50
	for i := range identities {
		if _, err := ask(t, n, names(i), "hello"); err != nil {
			t.Fatal(err)
		}
	}
	s.away(n.ID())
	begin := time.Now()
	eventually(t, func() bool { return n.Ready() != nil })
	if took := time.Since(begin); took > lease {
		t.Errorf("the node acted for %v, its lease has %v", took, lease)
	}
	eventually(t, func() bool { at, _ := log.alive(); return len(at) == 0 })
	begin = time.Now()
	if _, err := ask(t, n, names(0), "hello"); fairfactor.CodeOf(err) != fairfactor.Unavailable || time.Since(begin) > longest/4 {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	if starts := log.starts(names(0)); starts != 1 {
		t.Errorf("%d activations", starts)
	}
	s.back(n.ID())
	eventually(t, func() bool { return n.Ready() == nil })
	for i := range identities {
		if _, err := ask(t, n, names(i), "hello"); err != nil {
			t.Fatal(err)
		}
	}
	if fatal.Load() {
		t.Error("the node was told to end")
	}
}

// While the table can't be reached a view keeps its members, and says which of
// them gossip doesn't see any more, and that this node has lost its lease.
func TestStatesOfMembers(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	s := newTables(t)
	timing := brief(4 * time.Second)
	a := start(t, leased(&log, s, timing))
	b := spawn(t, &log, settings{table: s.address, timing: timing})
	members(t, 2, a)
	state := func(id string) cluster.State {
		for _, m := range a.View().Members {
			if m.ID == id {
				return m.State
			}
		}
		return ""
	}
	eventually(t, func() bool { return state(a.ID()) == cluster.Alive && state(b.id) == cluster.Alive })
	s.away(a.ID())
	b.kill()
	eventually(t, func() bool { return state(b.id) == cluster.Suspect })
	eventually(t, func() bool { return state(a.ID()) == cluster.Suspect })
	s.back(a.ID())
	eventually(t, func() bool { return state(a.ID()) == cluster.Alive && state(b.id) == "" })
}

// A node that was taken out of the table never acts again and says so.
func TestRemovedIsFatal(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	s := newTables(t)
	c := leased(&log, s, brief(2*time.Second))
	fatal := make(chan error, 2)
	c.Fatal = func(err error) { fatal <- err }
	n := start(t, c)
	if _, err := ask(t, n, "alice", "hello"); err != nil {
		t.Fatal(err)
	}
	if err := s.Leave(t.Context(), n.ID()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-fatal:
		if got := fairfactor.MessageOf(err); got != "the other nodes removed this one as dead and have taken over: start it again" {
			t.Errorf("got %q", got)
		}
	case <-time.After(longest):
		t.Fatal("Fatal was not called")
	}
	if n.Ready() == nil {
		t.Error("ready")
	}
	eventually(t, func() bool { at, _ := log.alive(); return len(at) == 0 })
	if _, err := ask(t, n, "alice", "hello"); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("got %v", err)
	}
	if len(fatal) > 0 {
		t.Error("told twice")
	}
}

// A process that was stopped for longer than its lease handles nothing of what it
// had before when it goes on.
func TestStoppedProcessNoticesFirst(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	s := newTables(t)
	const lease = 2 * time.Second
	a := start(t, leased(&log, s, brief(lease)))
	b := spawn(t, &log, settings{table: s.address, timing: brief(lease)})
	members(t, 2, a)
	identity := ownedBy(t, a, b.id)
	if _, err := ask(t, a, identity, "hello"); err != nil {
		t.Fatal(err)
	}
	b.pause(t)
	stopped := time.Now()
	for range 100 { // into the buffers of its sockets
		a.Tell("echo", identity, wrapperspb.String("late"))
	}
	members(t, 1, a)
	if got, err := ask(t, a, identity, "hello"); err != nil || got != identity+"@"+a.ID()+" hello" {
		t.Errorf("%s %v", got, err)
	}
	eventually(t, func() bool { return time.Since(stopped) > lease })
	b.signal(syscall.SIGCONT)
	eventually(t, func() bool { return b.do("ready") != "ok" && b.do("activations") == "0" })
	for _, e := range log.all() {
		if e.node == b.id && e.event == "late" && e.at > stopped.Add(lease).UnixNano() { // some may come in just before it stops
			t.Fatal("handled after its lease was over")
		}
	}
	eventually(t, func() bool { // the table tells it so
		for _, e := range log.all() {
			if e.event == "fatal" {
				return true
			}
		}
		return false
	})
}

// What is in the mailbox of an actor when the lease ends is not handled, even
// before anybody else has noticed.
func TestMailboxIsNotHandledWithoutALease(t *testing.T) {
	c := leased(new(ledger), newTables(t), brief(longest))
	var n *cluster.Node
	var handled atomic.Int64
	expired := make(chan struct{})
	c.Kinds["late"] = actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*wrapperspb.StringValue); ok {
			if handled.Add(1) == 1 {
				<-expired
				n.Expire()
			}
		}
	})
	n = start(t, c)
	for range 1000 {
		n.Tell("late", "alice", wrapperspb.String("x"))
	}
	close(expired)
	eventually(t, func() bool { return n.Ready() != nil && n.Stats().Activations["late"] == 0 })
	if got := handled.Load(); got != 1 {
		t.Errorf("%d messages handled, the lease ended with the first", got)
	}
}

// After a kill every identity is served again within about 4 s at the default
// profile, with 3 nodes and with 5.
func TestServedAgainAfterAKill(t *testing.T) {
	for _, nodes := range []int{3, 5} {
		t.Run(fmt.Sprint(nodes, " nodes"), func(t *testing.T) {
			if !alone(t) {
				return
			}
			var log ledger
			s := newTables(t)
			c := leased(&log, s, cluster.Timing{})
			a := start(t, c)
			peers := make([]*peer, nodes-1)
			var up sync.WaitGroup
			for i := range peers {
				peers[i] = launch(t, &log, settings{table: s.address, timing: cluster.Timing{Join: 5 * time.Second}})
				up.Go(peers[i].up)
			}
			up.Wait()
			members(t, nodes, a)
			const identities = 200
			for i := range identities {
				if _, err := ask(t, a, names(i), "hello"); err != nil {
					t.Fatal(err)
				}
			}
			begin := time.Now()
			peers[0].kill()
			var all sync.WaitGroup
			var longestAsk atomic.Int64
			for i := range identities {
				all.Go(func() {
					if _, err := ask(t, a, names(i), "hello"); err != nil {
						t.Error(err)
					}
					if took := int64(time.Since(begin)); took > longestAsk.Load() {
						longestAsk.Store(took)
					}
				})
			}
			all.Wait()
			took := time.Duration(longestAsk.Load())
			t.Logf("all of %d served again %v after the kill", identities, took.Round(time.Millisecond))
			if took > 7*time.Second { // on a busy machine; a settle that waits for the dead takes 8
				t.Errorf("served again after %v", took)
			}
			if _, double := log.alive(); len(double) > 0 {
				t.Errorf("overlapping activations: %v", double)
			}
		})
	}
}

// A start that can't reach the table fails with a sentence.
func TestStartWithoutTheTable(t *testing.T) {
	s := newTables(t)
	c := leased(new(ledger), s, brief(time.Second))
	c.Timing.Join = 300 * time.Millisecond
	c.Table = lostTable{}
	_, err := cluster.Start(t.Context(), c)
	if fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("got %v", err)
	}
}

// lostTable can't be reached.
type lostTable struct{}

var errLost = fairfactor.Errorf(fairfactor.Unavailable, "lost")

func (lostTable) Leased(context.Context) ([]fairfactor.Member, error) { return nil, errLost }

func (lostTable) Join(context.Context, fairfactor.Member, time.Duration) (fairfactor.MemberList, error) {
	return fairfactor.MemberList{}, errLost
}

func (lostTable) Renew(context.Context, string, []string, time.Duration) (fairfactor.MemberList, error) {
	return fairfactor.MemberList{}, errLost
}
func (lostTable) Leave(context.Context, string) error { return errLost }
