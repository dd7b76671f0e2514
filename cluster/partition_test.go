package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/cluster"
)

// trio is a node of this process and two peers that share a table.
type trio struct {
	*testing.T
	log     ledger
	table   *tables
	node    *cluster.Node
	network *faults
	peers   []*peer
}

// newTrio has a profile with which no member is taken out by mistake on a busy
// machine.
func newTrio(t *testing.T, lease time.Duration) *trio {
	return newTrioAs(t, brief(lease))
}

func newTrioAs(t *testing.T, timing cluster.Timing) *trio {
	timing.Probe, timing.ProbeTimeout, timing.SuspicionMult = 200*time.Millisecond, 100*time.Millisecond, 5
	s := &trio{T: t, table: newTables(t)}
	c := leased(&s.log, s.table, timing)
	c.Fatal = func(err error) { s.log.see("fatal", fairfactor.MessageOf(err), "-") }
	s.network = newFaults(&c)
	s.node = start(t, c)
	for range 2 {
		s.peers = append(s.peers, spawn(t, &s.log, settings{table: s.table.address, timing: timing}))
	}
	members(t, 3, s.node)
	return s
}

// addresses of a node: 0 is the one of this process.
func (s *trio) addresses(i int) []string {
	if i == 0 {
		return []string{s.node.System().Address(), gossipOf(s.node)}
	}
	return []string{s.peers[i-1].remote, s.peers[i-1].gossip}
}

// cut has nothing arrive that node from sends to the nodes to; the rest of what
// it sends does.
func (s *trio) cut(from int, to ...int) {
	var all []string
	for _, i := range to {
		all = append(all, s.addresses(i)...)
	}
	if from == 0 {
		s.network.set(all)
		return
	}
	s.peers[from-1].do(append([]string{"cut"}, all...)...)
}

func (s *trio) heal() {
	for i := range 3 {
		s.cut(i)
	}
}

// fatal is how many nodes were told to end.
func (s *trio) fatal() int {
	n := 0
	for _, e := range s.log.all() {
		if e.event == "fatal" {
			n++
		}
	}
	return n
}

// served checks that every identity answers at every one of these nodes, and that
// it is the same activation for all of them.
func (s *trio) served(identities int, nodes ...int) {
	s.Helper()
	if trouble := s.trouble(identities, nodes...); trouble != "" {
		s.Fatal(trouble)
	}
}

// trouble says which identity does not answer, or not everywhere the same; empty
// if all do.
func (s *trio) trouble(identities int, nodes ...int) string {
	s.Helper()
	for i := range identities {
		answers := make(map[string]bool)
		for _, at := range nodes {
			if at > 0 {
				answers[s.peers[at-1].do("ask", names(i), "hello", "10s")] = true
				continue
			}
			got, err := ask(s, s.node, names(i), "hello")
			if err != nil {
				got = "error " + err.Error()
			}
			answers[got] = true
		}
		for got := range answers {
			if len(answers) != 1 || strings.HasPrefix(got, "error") {
				return fmt.Sprintf("%s is answered by %v", names(i), answers)
			}
		}
	}
	return ""
}

// overlaps checks the activations that overlapped another one: the other
// one's node had lost its lease or was taken out, and handles nothing any more
// when a lease is over.
func (s *trio) overlaps(lease time.Duration) {
	s.Helper()
	entries := s.log.all()
	_, double := s.log.alive()
	for _, d := range double {
		for _, e := range entries {
			if e.identity == d.identity && e.node != d.node && e.event == "hello" && e.at > d.at+int64(lease) {
				again := false // the owner may have changed once more
				for _, other := range entries {
					again = again || other.identity == e.identity && other.node == e.node && other.event == "started" && other.at > d.at
				}
				if !again {
					s.Errorf("%s handled a message on %s, %v after it was activated on %s", e.identity, e.node, time.Duration(e.at-d.at), d.node)
				}
			}
		}
	}
	s.Logf("%d overlapping activations", len(double))
}

// A node that is cut off from the two others, but not from the table, is taken
// out by them and ends. Who has never lost anybody goes on as if nothing were.
func TestPartitionOfOne(t *testing.T) {
	if !alone(t) {
		return
	}
	const lease, identities = 3 * time.Second, 60
	s := newTrio(t, lease)
	s.served(identities, 0, 1, 2)
	s.cut(2, 0, 1)
	s.cut(0, 2)
	s.cut(1, 2)
	eventually(t, func() bool { return s.fatal() == 1 && s.peers[1].do("ready") != "ok" })
	members(t, 2, s.node)
	s.served(identities, 0, 1)
	s.heal()
	s.served(identities, 0, 1)
	if got := s.peers[1].do("ask", names(0), "hello", "5s"); !strings.HasPrefix(got, "error") {
		t.Errorf("who was taken out answers %q", got)
	}
	eventually(t, func() bool { return s.peers[1].do("activations") == "0" }) // they stop one after the other
	s.overlaps(lease)
}

// One way between two nodes is cut: gossip reaches around it, no node is taken
// out, and when it is over everything is answered.
func TestPartitionOfOneWay(t *testing.T) {
	if !alone(t) {
		return
	}
	const lease, identities = 5 * time.Second, 60
	s := newTrio(t, lease)
	version := s.node.View().Version
	s.cut(1, 2)
	began := time.Now()
	eventually(t, func() bool { return time.Since(began) > 2*time.Second }) // several probes
	if s.fatal() > 0 || s.node.View().Version != version {
		t.Errorf("%d nodes were taken out", s.fatal())
	}
	s.served(identities, 0)
	s.heal()
	s.served(identities, 0, 1, 2)
	s.overlaps(lease)
}

// The network breaks and heals again and again in all ways. Whatever happens, the
// nodes that are left agree, and answer everything.
func TestPartitionsThatFlap(t *testing.T) {
	if !alone(t) {
		return
	}
	const lease, identities = 3 * time.Second, 60
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	s := newTrio(t, lease)
	s.served(identities, 0, 1, 2)
	for range 15 {
		for from := range 3 {
			var to []int
			for i := range 3 {
				if i != from && rng.IntN(3) == 0 {
					to = append(to, i)
				}
			}
			s.cut(from, to...)
		}
		for i := range 5 { // while it is broken, whatever comes of it
			s.peers[rng.IntN(2)].do("ask", names(rng.IntN(identities)), "hello", fmt.Sprint(10*i, "ms"))
		}
		until := time.Now().Add(time.Duration(rng.IntN(600)) * time.Millisecond)
		eventually(t, func() bool { return time.Now().After(until) })
	}
	s.heal()
	var left []int
	eventually(t, func() bool { // a report from before may take out one more
		left = left[:0]
		if s.node.Ready() == nil {
			left = append(left, 0)
		}
		for i, p := range s.peers {
			if p.do("ready") == "ok" {
				left = append(left, i+1)
			}
		}
		return len(left) > 0 && len(left)+s.fatal() == 3 && s.trouble(identities, left...) == ""
	})
	t.Logf("left: %v of 3", left)
	s.overlaps(lease)
}

// Two nodes can't reach each other, and the third reaches both: it passes on what
// they have for each other, so that requests are answered, and a node can join, as
// long as that lasts.
func TestTwoThatDoNotReachEachOther(t *testing.T) {
	if !alone(t) {
		return
	}
	timing := brief(5 * time.Second)
	timing.Settle = time.Minute // a view that two of them do not tell each other of would not settle
	s := newTrioAs(t, timing)
	s.served(60, 0, 1, 2)
	version := s.node.View().Version
	var asking sync.WaitGroup
	over := make(chan struct{})
	end := sync.OnceFunc(func() {
		close(over)
		asking.Wait()
	})
	defer end()
	var waits [3]longestWait
	for _, from := range []int{1, 2} {
		to := ownedBy(t, s.node, s.peers[2-from].id)
		for range 4 {
			asking.Go(func() { waits[from].keepAsking(s.peers[from-1], to, over) })
		}
	}
	s.cut(1, 2)
	s.cut(2, 1)
	enough := func() {
		t.Helper()
		first := [3]int{1: waits[1].answered(), 2: waits[2].answered()}
		eventually(t, func() bool { return waits[1].answered() >= first[1]+100 && waits[2].answered() >= first[2]+100 })
	}
	enough()
	if s.fatal() > 0 || s.node.View().Version != version {
		t.Errorf("%d nodes were taken out", s.fatal())
	}
	s.served(60, 0, 1, 2)
	fourth := spawn(t, &s.log, settings{table: s.table.address, timing: timing})
	members(t, 4, s.node)
	for _, p := range append([]*peer{fourth}, s.peers...) {
		eventually(t, func() bool { return p.do("members") == "4" && p.do("settled") == "true" })
	}
	s.served(60, 0, 1, 2)
	s.heal()
	enough()
	end()
	for from := 1; from < 3; from++ {
		if waits[from].failed != "" {
			t.Errorf("node %d: %s", from, waits[from].failed)
		}
		t.Logf("node %d: longest wait %v of %d", from, waits[from].longest, waits[from].answers)
	}
}

// A node that does not reach most of the members stays out of the table, so that requests
// do not wait for it, until it reaches them.
func TestNoEntryFromAPartition(t *testing.T) {
	if !alone(t) {
		return
	}
	const identities = 60
	s := newTrio(t, 5*time.Second)
	version, looks := s.node.View().Version, s.table.looks.Load()
	fourth := launch(t, &s.log, settings{table: s.table.address, timing: brief(5 * time.Second), cut: slices.Concat(s.addresses(0), s.addresses(1))})
	eventually(t, func() bool { return s.table.looks.Load() >= looks+2 })
	s.served(identities, 0, 1, 2)
	if s.node.View().Version != version {
		t.Error("a node that reaches one of three has become a member")
	}
	fourth.do(append([]string{"cut"}, s.addresses(0)...)...)
	fourth.up()
	members(t, 4, s.node)
	s.served(identities, 0, 1, 2)
}

// longestWait measures how long requests wait for their answers.
type longestWait struct {
	mu      sync.Mutex
	longest time.Duration // guarded by mu
	answers int           // guarded by mu
	failed  string        // guarded by mu: the first error
}

// keepAsking asks one identity again and again.
func (w *longestWait) keepAsking(p *peer, identity string, over chan struct{}) {
	for {
		select {
		case <-over:
			return
		default:
		}
		began := time.Now()
		answer := p.do("ask", identity, "hello", "15s")
		w.mu.Lock()
		w.longest = max(w.longest, time.Since(began))
		if strings.HasPrefix(answer, "error") && w.failed == "" {
			w.failed = answer
		}
		w.answers++
		w.mu.Unlock()
	}
}

func (w *longestWait) answered() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answers
}
