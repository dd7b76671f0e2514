package webhook

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"fairfactor"
)

// Config is what a [Sender] needs.
type Config struct {
	Store   fairfactor.DeliveryStore
	Hosts   *Hosts
	Secrets []string // that sign, the newest first
	Version string
	Logger  *slog.Logger
	// AppendJob appends a job as the API shows it.
	AppendJob func([]byte, *fairfactor.Job) []byte
	Now       func() time.Time // default time.Now
	Resolver  Resolver         // default the system's
	First     time.Duration    // pause after the first attempt that failed; default 5 s
	Poll      time.Duration    // between two looks for what other nodes left; default 1 s
	Counters  *Counters
}

// How attempts follow each other: the pause doubles up to the longest, give or take a
// half, until a day after the end of the job. A receiver that asks for a longer one with
// Retry-After gets it, up to the longest.
const (
	longestPause = time.Hour
	period       = 24 * time.Hour
)

// Bounds of what one node does at once.
const (
	attempts = 128              // under way
	claimOf  = hostAttempts / 2 // deliveries to one host; one with more than that many under way is busy
	lease    = 4 * attemptTime
	patience = 10 * time.Second // with the store
)

// Sender makes deliveries.
type Sender struct {
	cfg    Config
	client *http.Client
	done   chan result
	flying map[string]int // attempts under way, by host; owned by Run
	count  int            // of them
	all    sync.WaitGroup
}

// New returns a sender.
func New(cfg Config) *Sender {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
	if cfg.First == 0 {
		cfg.First = 5 * time.Second
	}
	if cfg.Poll == 0 {
		cfg.Poll = time.Second
	}
	if cfg.Counters == nil {
		cfg.Counters = &Counters{}
	}
	return &Sender{cfg: cfg, client: newClient(cfg.Hosts, cfg.Resolver), done: make(chan result, attempts), flying: map[string]int{}}
}

// Run makes deliveries until ctx ends; what is under way then is settled if it ends
// soon.
func (s *Sender) Run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	for more := true; ; {
		for more && s.count < attempts {
			more = s.claim(ctx)
		}
		wait := time.NewTimer(s.cfg.Poll)
		select {
		case r := <-s.done:
			s.settle(context.WithoutCancel(ctx), r)
			more = true
		case <-s.cfg.Store.Owed():
			more = true
		case <-wait.C:
			more = true
		case <-ctx.Done():
			wait.Stop()
			s.finish(context.WithoutCancel(ctx))
			return
		}
		wait.Stop()
	}
}

// finish waits for the attempts under way, which end with the context of Run.
func (s *Sender) finish(ctx context.Context) {
	for s.count > 0 {
		if r := <-s.done; r.text == "" {
			s.settle(ctx, r)
		} else { // it is made again when its lease is over, or at the next start
			s.outcome(r)
		}
	}
	s.all.Wait()
}

// claim begins attempts of what is due. It reports whether there may be more.
func (s *Sender) claim(ctx context.Context) bool {
	var busy []string
	for host, n := range s.flying {
		if n > hostAttempts-claimOf {
			busy = append(busy, host)
		}
	}
	limit := attempts - s.count
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	list, err := s.cfg.Store.ClaimDeliveries(asking, s.cfg.Now(), lease, busy, claimOf, limit)
	if err != nil {
		if ctx.Err() == nil {
			s.cfg.Logger.Warn("webhooks can't be read, trying again", "err", err)
		}
		return false
	}
	for i := range list {
		s.begin(ctx, list[i])
	}
	return len(list) > 0
}

// begin makes an attempt.
func (s *Sender) begin(ctx context.Context, d fairfactor.Delivery) {
	s.flying[d.Job.Callback.Host()]++
	s.count++
	s.cfg.Counters.Flying.Add(1)
	s.all.Go(func() { s.done <- s.post(ctx, d) })
}

// settle makes durable what came of an attempt, and of all others that have ended.
func (s *Sender) settle(ctx context.Context, r result) {
	settled := []fairfactor.Settled{s.outcome(r)}
	for more := true; more && len(settled) < attempts; {
		select {
		case r := <-s.done:
			settled = append(settled, s.outcome(r))
		default:
			more = false
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.cfg.Store.SettleDeliveries(ctx, settled); err != nil { // they are made again when their lease is over
		s.cfg.Logger.Warn("what came of webhooks can't be stored, they will be called again", "webhooks", len(settled), "err", err)
	}
}

// outcome says what follows from an attempt.
func (s *Sender) outcome(r result) fairfactor.Settled {
	j := &r.delivery.Job
	host := j.Callback.Host()
	if s.flying[host]--; s.flying[host] == 0 {
		delete(s.flying, host)
	}
	s.count--
	c := s.cfg.Counters
	c.Flying.Add(-1)
	settled := fairfactor.Settled{ID: j.ID, Claim: r.delivery.Claim, State: fairfactor.Delivered, LastError: r.text}
	next := s.cfg.Now().Add(max(s.pause(j.Callback.Attempts), min(r.after, longestPause)))
	switch {
	case r.text == "":
		c.Delivered.Add(1)
	case r.status == http.StatusGone, next.After(j.Finished.Add(period)):
		settled.State = fairfactor.DeliveryFailed
		c.GivenUp.Add(1)
		s.cfg.Logger.Warn("a webhook is given up", "job", j.ID.String(), "host", host, "attempts", j.Callback.Attempts+1, "err", r.text)
	default:
		settled.State, settled.Next = fairfactor.DeliveryPending, next
		c.Failed.Add(1)
	}
	return settled
}

// pause is how long to wait after an attempt that failed; before is how many were made
// before it.
func (s *Sender) pause(before int) time.Duration {
	pause := longestPause
	if before < 16 {
		pause = min(s.cfg.First<<before, longestPause)
	}
	return pause/2 + rand.N(pause)
}

// body is what a callback is told: the event, the delivery, and the job as GET gives it.
func (s *Sender) body(d *fairfactor.Delivery) []byte {
	head, err := json.Marshal(struct {
		Event    string `json:"event"`
		Delivery string `json:"delivery_id"`
		Attempt  int    `json:"attempt"`
	}{eventOf(&d.Job), d.ID(), d.Job.Callback.Attempts + 1})
	if err != nil { // these types have a form
		head = []byte("{}")
	}
	b := append(head[:len(head)-1], `,"job":`...)
	return append(s.cfg.AppendJob(b, &d.Job), '}')
}
