package actors_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/commit"
	"fairfactor/store/memory"
)

// longest is how long a test waits for anything. It only ends tests that hang: what takes a
// second on an idle machine takes half a minute when thirty processes want the CPU.
const longest = 5 * time.Minute

// site is a service of some nodes that share a store.
type site struct {
	testing.TB
	ex    *exchange
	store *memory.Store
	book  *book
	nodes []*node
	tune  func(*actors.Config)
}

// node is one node of a site.
type node struct {
	*member
	*actors.Service
	sys       *actors.System
	committer *commit.Committer
	store     *faults
	gone      bool
}

// newSite starts a site of that many nodes; tune, which may be nil, changes
// their configuration.
func newSite(t testing.TB, nodes int, tune func(*actors.Config)) *site {
	return siteOn(t, memory.New(), nodes, tune)
}

// siteOn starts a site on a store that may have jobs already.
func siteOn(t testing.TB, store *memory.Store, nodes int, tune func(*actors.Config)) *site {
	s := &site{TB: t, ex: newExchange(), store: store, book: newBook(), tune: tune}
	for range nodes {
		s.add()
	}
	t.Cleanup(s.close)
	return s
}

// add starts one node more.
func (s *site) add() *node {
	s.Helper()
	n := &node{store: &faults{Store: s.store, book: s.book}}
	n.committer = commit.New(n.store, commit.Options{})
	cfg := actors.Config{
		Store: n.store, Committer: n.committer, Members: s.members, Logger: slog.New(slog.DiscardHandler),
		Workers: 2, Tick: 20 * time.Millisecond, LocalStore: true,
	}
	if s.tune != nil {
		s.tune(&cfg)
	}
	n.sys = actors.New(cfg)
	n.Service = n.sys.Service()
	n.member = s.ex.join(fmt.Sprintf("node-%d", len(s.nodes)), n.sys.Kinds)
	if err := n.sys.Start(n.member); err != nil {
		s.Fatal(err)
	}
	s.nodes = append(s.nodes, n)
	return n
}

// members is the cluster as its nodes see it.
func (s *site) members() (all []fairfactor.Node) {
	s.ex.mu.Lock()
	defer s.ex.mu.Unlock()
	for _, m := range s.ex.members {
		if !m.down {
			all = append(all, fairfactor.Node{ID: m.id, Name: m.id, State: "alive"})
		}
	}
	return all
}

// kill ends a node as SIGKILL would: nothing it does reaches anybody any more,
// the store neither, and the others hear that it has gone.
func (s *site) kill(n *node) {
	n.store.kill()
	s.ex.kill(n.member)
	s.changed()
	n.close(context.Background())
}

// leave stops a node in good order.
func (s *site) leave(n *node) {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	n.sys.Drain(ctx)
	n.member.close()
	s.ex.kill(n.member)
	s.changed()
	n.close(ctx)
}

// changed tells all nodes who the members are.
func (s *site) changed() {
	var ids []string
	for _, m := range s.members() {
		ids = append(ids, m.ID)
	}
	for _, n := range s.nodes {
		if !n.gone {
			n.sys.MembersAre(ids)
		}
	}
}

func (n *node) close(ctx context.Context) {
	n.gone = true
	n.member.close()
	n.sys.Stop()
	_ = n.committer.Close(ctx)
	n.system.Shutdown()
}

// close stops what still runs and checks that no job has ended twice.
func (s *site) close() {
	for _, n := range s.nodes {
		if !n.gone {
			n.close(context.Background())
		}
	}
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	for id, ends := range s.book.ends {
		if ends > 1 {
			s.Errorf("job %s has ended %d times", id, ends)
		}
	}
}

// submit submits numbers and returns their jobs; every one must be accepted.
func (s *site) submit(n *node, caller string, numbers ...string) (jobs []fairfactor.Job) {
	s.Helper()
	subs := make([]fairfactor.Submission, len(numbers))
	for i, number := range numbers {
		subs[i].Number = number
	}
	for _, r := range s.receipts(n, caller, subs...) {
		if r.Err != nil {
			s.Fatalf("%s: %v", caller, r.Err)
		}
		jobs = append(jobs, r.Job)
	}
	return jobs
}

func (s *site) receipts(n *node, caller string, subs ...fairfactor.Submission) []fairfactor.Receipt {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	receipts, err := n.Submit(ctx, caller, subs, nil)
	if err != nil {
		s.Fatalf("%s: %v", caller, err)
	}
	return receipts
}

// wait waits until jobs have ended and returns them as they are then. Those that
// completed must multiply out.
func (s *site) wait(n *node, jobs ...fairfactor.Job) []fairfactor.Job {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	ended := make([]fairfactor.Job, len(jobs))
	var all sync.WaitGroup
	errs := make([]error, len(jobs))
	for i := range jobs {
		all.Go(func() { ended[i], errs[i] = n.Wait(ctx, jobs[i].ID) })
	}
	all.Wait()
	for i, j := range ended {
		if errs[i] != nil || !j.State.Final() {
			s.Fatalf("job %d of %s, %s, is %s after %v: %v", jobs[i].ID.Seq, jobs[i].Caller, jobs[i].Number, j.State, longest, errs[i])
		}
		if err := multipliesOut(j); err != nil {
			s.Error(err)
		}
	}
	return ended
}

// completed is wait for jobs that must complete.
func (s *site) completed(n *node, jobs ...fairfactor.Job) []fairfactor.Job {
	s.Helper()
	ended := s.wait(n, jobs...)
	for _, j := range ended {
		if j.State != fairfactor.Completed {
			s.Errorf("job %d of %s is %s: %s", j.ID.Seq, j.Caller, j.State, j.Reason)
		}
		if ends := s.book.ended(j.ID); ends != 1 {
			s.Errorf("job %d of %s has ended %d times", j.ID.Seq, j.Caller, ends)
		}
	}
	return ended
}

func multipliesOut(j fairfactor.Job) error {
	if j.State != fairfactor.Completed {
		return nil
	}
	product := big.NewInt(1)
	for _, f := range j.Factors {
		p, ok := new(big.Int).SetString(f.Prime, 10)
		if !ok || !p.ProbablyPrime(20) {
			return fmt.Errorf("factor %s of %s is not a prime", f.Prime, j.Number)
		}
		product.Mul(product, p.Exp(p, big.NewInt(int64(f.Exponent)), nil))
	}
	if product.String() != j.Number {
		return fmt.Errorf("the factors of %s multiply to %s", j.Number, product)
	}
	return nil
}

// eventually waits until ok holds.
func (s *site) eventually(what string, ok func() bool) {
	s.Helper()
	eventually(s.TB, what, ok)
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(longest)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// seeded returns a source of random numbers and prints its seed.
func seeded(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// digits is a random number of that many decimal digits.
func digits(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + rng.IntN(10))
	}
	b[0] = byte('1' + rng.IntN(9))
	return string(b)
}

// prime is a random prime of that many bits.
func prime(rng *rand.Rand, bits int) *big.Int {
	n := new(big.Int)
	for range bits {
		n.Lsh(n, 1).Or(n, big.NewInt(int64(rng.IntN(2))))
	}
	n.SetBit(n, bits-1, 1).SetBit(n, 0, 1)
	for !n.ProbablyPrime(0) {
		n.Add(n, big.NewInt(2))
	}
	return n
}

// hard is a number that takes longer than any test: the product of two random
// primes of 130 bits.
func hard(rng *rand.Rand) string {
	return new(big.Int).Mul(prime(rng, 130), prime(rng, 130)).String()
}

// many is the same number, many times.
func many(number string, n int) []string {
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = number
	}
	return numbers
}
