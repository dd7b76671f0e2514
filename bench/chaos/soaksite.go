package chaos

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/fleet"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/wait"
	"fairfactor/store/postgres/pgtest"
)

// sampleEvery is how often the figures of the nodes are taken.
const sampleEvery = 10 * time.Second

// single is a node of the embedded store.
type single struct {
	harness *harness.Harness
	addr    string
	folder  string

	mu sync.Mutex
	p  *harness.Process // guarded by mu
}

func newSingle(ctx context.Context, h *harness.Harness) (*single, error) {
	addr, err := fleet.FreeAddr("127.0.0.1")
	if err != nil {
		return nil, err
	}
	s := &single{harness: h, addr: addr, folder: h.Folder()}
	return s, s.start(ctx)
}

func (s *single) start(ctx context.Context) error {
	args := []string{"serve", "--http", s.addr, "--data", s.folder, "--log-level", "warn"}
	p, err := s.harness.Start(context.WithoutCancel(ctx), s.harness.Program, args, nil)
	if err == nil {
		s.mu.Lock()
		s.p = p
		s.mu.Unlock()
	}
	return err
}

func (s *single) process() *harness.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.p
}

func (s *single) addrs() []string { return []string{s.addr} }
func (s *single) words() string   { return s.process().Log.String() }
func (s *single) close()          { s.process().Kill() }

func (s *single) harm(ctx context.Context, round int) (string, error) {
	p := s.process()
	switch round % 3 {
	case 0:
		p.Kill()
		return "killed", s.start(ctx)
	case 1:
		return "stopped for two seconds", pauseProcess(ctx, p.Pid())
	}
	if err := syscall.Kill(p.Pid(), syscall.SIGTERM); err != nil {
		return "", err
	}
	if err := wait.Until(ctx, 20*time.Millisecond, func() (bool, error) { return p.Gone(), nil }); err != nil {
		return "", err
	}
	return "restarted in order", s.start(ctx)
}

// pauseProcess stops a process for two seconds.
func pauseProcess(ctx context.Context, pid int) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	wait.For(ctx, 2*time.Second)
	return syscall.Kill(pid, syscall.SIGCONT)
}

func (s *single) sample(context.Context) (map[string]float64, error) {
	p := s.process()
	if p.Gone() {
		return nil, fmt.Errorf("the node has ended by itself: %s", p.Log)
	}
	now, err := sampleNode(s.addr, p.Pid())
	if err == nil {
		now[bounds[3].what], err = folderSize(s.folder)
	}
	return now, err
}

// sampleNode takes the figures of one node.
func sampleNode(addr string, pid int) (map[string]float64, error) {
	memory, err := harness.ResidentOf(pid)
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return nil, err
	}
	c, err := client.New("http://"+addr, 1)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	m, err := c.Metrics()
	if err != nil {
		return nil, err
	}
	return map[string]float64{bounds[0].what: memory / (1 << 20), bounds[1].what: m["go_goroutines"], bounds[2].what: float64(len(files))}, nil
}

// folderSize is the size of all files in a folder, in bytes. Files may go meanwhile.
func folderSize(folder string) (size float64, err error) {
	err = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			size += float64(info.Size())
		}
		return nil
	})
	return size, err
}

// shared are nodes on a PostgreSQL of their own.
type shared struct {
	server *pgtest.Server
	url    string
	fleet  *fleet.Fleet
}

func newShared(ctx context.Context, h *harness.Harness, nodes int) (*shared, error) {
	server, url, err := fleet.NewDatabase(ctx)
	if err != nil {
		return nil, err
	}
	cfg := fleet.Config{
		Nodes: nodes, Workers: 1, Store: server.Addr(),
		DSN: func(addr, _ string) string { return strings.Replace(url, server.Addr(), addr, 1) },
	}
	f, err := fleet.Start(ctx, h, cfg, nil)
	if err != nil {
		server.Remove()
		return nil, err
	}
	return &shared{server, url, f}, nil
}

func (s *shared) addrs() []string { return s.fleet.Addrs() }

func (s *shared) words() string {
	return strings.Join(append(s.fleet.Exits(), s.fleet.Panics()...), "\n")
}

func (s *shared) close() {
	s.fleet.Close()
	os.RemoveAll(s.fleet.Dir)
	s.server.Remove()
}

func (s *shared) harm(ctx context.Context, round int) (what string, err error) {
	n := s.fleet.Nodes[round%len(s.fleet.Nodes)]
	switch round % 4 {
	case 0:
		what, err = n.Name+" killed", n.Restart(ctx, syscall.SIGKILL, time.Second)
	case 1:
		what = n.Name + " stopped for two seconds"
		n.Signal(syscall.SIGSTOP, 0)
		wait.For(ctx, 2*time.Second)
		n.Signal(syscall.SIGCONT, 0)
	case 2:
		what, err = n.Name+" restarted in order", n.Restart(ctx, syscall.SIGTERM, 0)
	case 3:
		if what, err = "database restarted", s.server.Interrupt(); err == nil {
			err = s.server.Again()
		}
	}
	if err != nil {
		return what, err
	}
	return what, s.fleet.Healthy(ctx)
}

func (s *shared) sample(ctx context.Context) (map[string]float64, error) {
	most := map[string]float64{}
	for _, n := range s.fleet.Nodes {
		now, err := sampleNode(n.HTTP, n.Pid())
		if err != nil {
			continue // it ends or starts; what does not come back is found by the load
		}
		for what, v := range now {
			most[what] = max(most[what], v)
		}
	}
	c, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return most, nil
	}
	defer c.Close(context.WithoutCancel(ctx))
	var size float64
	if c.QueryRow(ctx, `SELECT pg_database_size(current_database())::float8`).Scan(&size) == nil {
		most[bounds[3].what] = size
	}
	return most, nil
}

// figures are samples over time.
type figures struct{ all map[string][]float64 }

func newFigures() *figures { return &figures{map[string][]float64{}} }

// add notes a sample; jobs were accepted by then. The size of the store is taken for each
// of them when they are so many that what is empty in it does not count.
func (f *figures) add(now map[string]float64, jobs int) {
	for what, v := range now {
		if what == bounds[3].what {
			if jobs < leastJobs {
				continue
			}
			v /= float64(jobs)
		}
		f.all[what] = append(f.all[what], v)
	}
}

// last is the latest of each in words.
func (f *figures) last() string {
	var words []string
	for _, b := range bounds {
		if v := f.all[b.what]; len(v) > 0 {
			words = append(words, fmt.Sprintf("%s %.0f", b.what, v[len(v)-1]))
		}
	}
	return strings.Join(words, ", ")
}

// leastJobs is how many there must be to speak of the size for each.
const leastJobs = 300_000

// leastSamples is how many there must be to speak of growth.
const leastSamples = 40

// rows are the most of each figure, and how it grew.
func (f *figures) rows(s *soak) (rows []report.Row) {
	for _, b := range bounds {
		all := f.all[b.what]
		if len(all) == 0 {
			continue
		}
		rows = append(rows, report.Figure(b.what+", most", slices.Max(all), b.unit).AtMost(*s.bounds[b.what]).Must())
		if n := len(all); n >= leastSamples {
			second, last := middle(all[n/4:n/2]), middle(all[3*n/4:])
			rows = append(rows, report.Figure(b.what+", last quarter", last, b.unit).Against("second", second, last/max(second, 1)).AtMost(s.growth).Must())
		}
	}
	return rows
}

// middle is the median.
func middle(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
