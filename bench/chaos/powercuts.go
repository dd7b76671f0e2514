package chaos

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/fleet"
	"fairfactor/bench/internal/forgetful"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/wait"
)

// PowerCuts is `bench powercuts`.
var PowerCuts = command.Comparison{
	Name:     "powercuts",
	Summary:  "a node of the embedded store whose power is cut again and again: is anything lost?",
	Separate: true,
	Limit:    time.Hour,
	Help: `Starts a real node whose data directory is on a file system that forgets: when the
power is cut, what was not synced is there or not, sector by sector at random. Eight
callers submit without end, as in bench chaos, and compare each look at a job with all
earlier ones, across the cuts; so does an operator with what it ordered. Some cuts come during the start of the node; before
some, writes or syncs fail, or the disk is full. The node must start after each, and in the
end every job that got a 202 must have ended once, completed and right. Needs Linux,
root and /dev/fuse.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		p := &powerCuts{callers: 8}
		f.IntVar(&p.cuts, "cuts", 300, "cuts of the power")
		f.DurationVar(&p.longest, "longest", 500*time.Millisecond, "longest time from ready to a cut")
		f.DurationVar(&p.sync, "sync", 2*time.Millisecond, "time that a sync takes")
		return p.measure
	},
}

type powerCuts struct {
	cuts, callers int
	longest, sync time.Duration
}

// mishap is what is done to a disk before its power is cut.
type mishap struct {
	name  string
	often int  // weight among all
	early bool // the cut comes while the node starts
	do    func(*forgetful.Disk, *rand.Rand)
}

// mishaps, with the calls after which they happen: of some hundred calls that a
// second of load makes, and the room on a full disk, which takes up to a second.
var mishaps = []mishap{
	{name: "cut", often: 8, do: func(*forgetful.Disk, *rand.Rand) {}},
	{name: "cut during the start", often: 5, early: true, do: func(*forgetful.Disk, *rand.Rand) {}},
	{name: "syncs fail, then cut", often: 2, do: func(d *forgetful.Disk, rng *rand.Rand) {
		d.Set(forgetful.Fault{Call: forgetful.Sync, After: 1 + rng.IntN(80), Error: syscall.EIO})
	}},
	{name: "one sync fails, then cut", often: 2, do: func(d *forgetful.Disk, rng *rand.Rand) {
		d.Set(forgetful.Fault{Call: forgetful.Sync, After: 1 + rng.IntN(80), Once: true, Error: syscall.EIO})
	}},
	{name: "writes fail, then cut", often: 1, do: func(d *forgetful.Disk, rng *rand.Rand) {
		d.Set(forgetful.Fault{Call: forgetful.Write, After: 1 + rng.IntN(120), Error: syscall.EIO})
	}},
	{name: "one write fails, then cut", often: 1, do: func(d *forgetful.Disk, rng *rand.Rand) {
		d.Set(forgetful.Fault{Call: forgetful.Write, After: 1 + rng.IntN(120), Once: true, Error: syscall.EIO})
	}},
	{name: "disk full, then cut", often: 2, do: func(d *forgetful.Disk, rng *rand.Rand) { d.Fill(rng.Int64N(128 << 10)) }},
}

// pick draws a mishap.
func pick(rng *rand.Rand) *mishap {
	all := 0
	for _, m := range mishaps {
		all += m.often
	}
	at := rng.IntN(all)
	for i := range mishaps {
		if at -= mishaps[i].often; at < 0 {
			return &mishaps[i]
		}
	}
	panic("unreachable")
}

func (p *powerCuts) measure(ctx context.Context, h *harness.Harness) (rows []report.Row, err error) {
	r, err := newPowerRun(h, p)
	if err != nil {
		return nil, err
	}
	defer r.close()
	r.workload.start(ctx)
	made := map[string]int{}
	for cut := range p.cuts {
		m := pick(r.rng)
		if err = r.life(ctx, m); err != nil {
			err = fmt.Errorf("cut %d, %s: %w", cut+1, m.name, err)
			break
		}
		if made[m.name]++; (cut+1)%20 == 0 {
			h.Say("%d of %d cuts, %d submissions", cut+1, p.cuts, r.workload.count())
		}
	}
	v, judgeErr := r.judge(ctx, err != nil)
	if err = errors.Join(err, judgeErr); v != nil {
		h.Say("%s", v.words())
		rows = r.rows(v, made)
		if v.broken() > 0 {
			err = errors.Join(err, fmt.Errorf("broken promises: %s", strings.Join(v.Examples, "; ")))
		}
	}
	return rows, err
}

// powerRun is a disk, the node that lives on it, life after life, and its callers.
type powerRun struct {
	harness  *harness.Harness
	rng      *rand.Rand
	setup    *powerCuts
	disk     *forgetful.Disk
	folder   string // where the disk is mounted
	addr     string // of the node
	balancer *balancer
	workload *workload
	starts   int           // of the node that were not cut off
	slowest  time.Duration // of these
}

func newPowerRun(h *harness.Harness, p *powerCuts) (*powerRun, error) {
	if err := forgetful.MayMount(); err != nil {
		return nil, err
	}
	addr, err := fleet.FreeAddr("127.0.0.1")
	if err != nil {
		return nil, err
	}
	r := &powerRun{
		harness: h, rng: random.New(h.Seed, 0), setup: p, folder: h.Folder(), addr: addr,
		disk: forgetful.New(h.Seed, 0, p.sync), balancer: newBalancer([]string{addr}, 4*p.callers, checkTime),
	}
	r.workload = &workload{balancer: r.balancer, operators: 1, conns: 2, batchSize: 100, think: 50 * time.Millisecond, seed: h.Seed}
	for i := range p.callers {
		r.workload.callers = append(r.workload.callers, fmt.Sprintf("caller-%d", i+1))
	}
	return r, nil
}

func (r *powerRun) close() {
	r.workload.end()
	r.balancer.close()
}

// start starts the node on the disk, which must be mounted.
func (r *powerRun) start(ctx context.Context) (*harness.Process, error) {
	args := []string{
		"serve", "--http", r.addr, "--data", filepath.Join(r.folder, "data"), "--log-level", "warn",
		"--workers", "1", "--linger", "1s",
	}
	return r.harness.Start(ctx, r.harness.Program, args, nil)
}

// life is one life of the node, from the power's coming back until its next cut.
func (r *powerRun) life(ctx context.Context, m *mishap) (err error) {
	unmount, err := r.disk.Mount(r.folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unmount()) }()
	alive, kill := context.WithCancel(ctx) // also a node that is not ready yet
	defer kill()
	m.do(r.disk, r.rng)
	faulty := r.disk.Stats().Refused
	after := time.Duration(r.rng.Int64N(int64(r.setup.longest)))
	if m.early {
		time.AfterFunc(after/2, func() { r.disk.Cut(); kill() })
	}
	p, err := r.start(alive)
	if err == nil {
		r.starts++
		r.slowest = max(r.slowest, p.Ready)
		err = wait.For(ctx, after)
	} else if s := r.disk.Stats(); ctx.Err() == nil && (alive.Err() != nil || s.Refused > faulty) {
		err = nil // the start was cut off, or the disk refused something
	}
	r.disk.Cut()
	if p != nil {
		p.Kill()
		err = errors.Join(err, panicked(p))
	}
	r.disk.Resize(0)
	r.disk.On()
	return err
}

// panicked returns an error if the last words of a node tell of a panic.
func panicked(p *harness.Process) error {
	words := p.Log.String()
	if strings.Contains(words, "panic:") || strings.Contains(words, "\ngoroutine ") {
		return fmt.Errorf("the node panicked: %s", words)
	}
	return nil
}

// judge starts the node once more, waits until all jobs have ended, and compares them with
// what the callers were told.
func (r *powerRun) judge(ctx context.Context, failed bool) (v *verdict, err error) {
	unmount, err := r.disk.Mount(r.folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unmount()) }()
	p, err := r.start(ctx)
	if err != nil {
		return nil, errors.Join(err, r.keep())
	}
	defer p.Kill()
	logs := r.workload.end()
	c, err := client.New(p.URL, 1)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	idle, cancel := context.WithTimeout(ctx, 2*recovery)
	defer cancel()
	idleErr := idleAll(idle, c, logs)
	jobs, err := everyJob(ctx, c)
	if err != nil {
		return nil, err
	}
	v = compareLogs(logs, jobs)
	v.Partial = failed && idleErr != nil
	v.look(&r.workload.sightings, &r.workload.orders)
	if v.broken() > 0 {
		err = r.keep()
	}
	return v, errors.Join(err, panicked(p))
}

// idleAll waits until no caller has an unfinished job.
func idleAll(ctx context.Context, c *client.Client, logs []submission) error {
	callers := map[string]bool{}
	for _, l := range logs {
		callers[l.Caller] = true
	}
	return wait.Until(ctx, 50*time.Millisecond, func() (bool, error) {
		for name := range callers {
			a, err := c.Account(name)
			if err != nil && !client.IsNotFound(err) {
				return false, err
			}
			if a.Unfinished() > 0 {
				return false, nil
			}
		}
		return true, nil
	})
}

// everyJob reads all jobs of a node.
func everyJob(ctx context.Context, c *client.Client) (all []stored, err error) {
	for cursor := ""; ; {
		var page client.Page
		if err := c.GetJSON("/compute?limit=1000&cursor="+cursor, &page); err != nil {
			return nil, err
		}
		for _, j := range page.Jobs {
			all = append(all, stored{Job: j})
		}
		if cursor = page.Next; cursor == "" || ctx.Err() != nil {
			return all, ctx.Err()
		}
	}
}

// keep copies the data directory from the disk to where it stays, and says so.
func (r *powerRun) keep() error {
	to, err := os.MkdirTemp("", "fairfactor-powercuts-")
	if err != nil {
		return err
	}
	if err := os.CopyFS(to, os.DirFS(r.folder)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("the data directory is in %s", to)
}

// rows are the counts that must be zero, and what they are taken from.
func (r *powerRun) rows(v *verdict, made map[string]int) (rows []report.Row) {
	for _, m := range mishaps {
		rows = append(rows, report.Figure(m.name, float64(made[m.name]), ""))
	}
	s := r.disk.Stats()
	rows = append(rows,
		report.Figure("syncs", float64(s.Syncs), "").AtLeast(1).Must(),
		report.Figure("sectors of 512 bytes lost; files torn", float64(s.Lost), "").Against("torn", float64(s.Torn), 0),
		report.Figure("changes of folders undone", float64(s.Undone), ""),
		report.Figure("calls refused by the disk", float64(s.Refused), ""),
		report.Figure("jobs accepted", float64(v.Accepted), "").AtLeast(1).Must(),
		report.Figure("lost", float64(v.Lost), "").AtMost(0).Must(),
		report.Figure("failed or unfinished", float64(v.Failed+v.Unfinished), "").AtMost(0).Must(),
		report.Figure("wrong", float64(v.Wrong), "").AtMost(0).Must(),
		report.Figure("twice", float64(v.Twice+v.Unsubmitted), "").AtMost(0).Must(),
		report.Figure("refused and yet accepted", float64(v.Denied), "").AtMost(0).Must(),
		report.Figure("answers that no good request should have", float64(v.Unexpected), "").AtMost(0).Must(),
		report.Figure("cancelled; cancelled and yet not", float64(v.Cancelled), "").Against("not", float64(v.Uncancelled), 0),
	)
	rows = append(rows, v.orders()...)
	return append(rows,
		report.Figure("reads of accepted jobs", float64(v.Reads), "").AtLeast(1).Must(),
		report.Figure("reads that contradict an earlier one", float64(v.Stale), "").AtMost(0).Must(),
		report.Figure("without an answer; of these, accepted", float64(v.Unsure), "").Against("accepted", float64(v.Kept), 0),
		report.Figure(fmt.Sprintf("slowest of %d starts", r.starts), r.slowest.Seconds(), "s"),
	)
}
