package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test binary is the program too: with this variable set it runs its
// arguments as a command line, so that real processes can be killed.
const asProgram = "FAIRFACTOR_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		if procs := os.Getenv(inCgroup); procs != "" {
			if err := os.WriteFile(procs, []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		if poison := os.Getenv(poisonous); poison != "" {
			os.Exit(runPoisoned(poison))
		}
		main()
		return
	}
	os.Exit(m.Run())
}

// inCgroup is the variable that names the file of a control group that the program enters
// before it begins.
const inCgroup = "FAIRFACTOR_TEST_CGROUP"

// program is a command line to run in a process of its own.
func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// process is a running node.
type process struct {
	t   testing.TB
	cmd *exec.Cmd
	// reap waits for its end. Several may, where [exec.Cmd.Wait] lets all but one wait for ever.
	reap func() error
	url  string
	log  *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve starts a node on a free port and waits for the line that says it is
// ready.
func serve(t testing.TB, dir string, args ...string) *process {
	t.Helper()
	p, err := launch(t, dir, args...)
	if err != nil {
		t.Fatalf("the node did not start: %v\n%s", err, p.log.String())
	}
	return p
}

// launch is serve for a node that may die before it is ready.
func launch(t testing.TB, dir string, args ...string) (*process, error) {
	t.Helper()
	p := &process{t: t, log: &lockedBuffer{}}
	p.cmd = program(append([]string{"serve", "--http", "127.0.0.1:0", "--data", dir}, args...)...)
	p.cmd.Stderr = p.log
	p.reap = sync.OnceValue(p.cmd.Wait)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of the node:\n%.20000s", p.log.String())
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.reap()
		return p, err
	}
	go io.Copy(io.Discard, out)
	for _, word := range strings.Fields(line) {
		if strings.HasPrefix(word, "http") {
			p.url = word
		}
	}
	if p.url == "" {
		t.Fatalf("no URL in %q", line)
	}
	return p, nil
}

// kill ends the node as a crash would.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.reap()
}

// terminate asks the node to stop and returns its exit status.
func (p *process) terminate() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { p.reap(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		p.t.Fatal("the node did not stop within 30 s of SIGTERM")
	}
	return p.cmd.ProcessState.ExitCode()
}

// job is what the API says of a job.
type job struct {
	ID       string         `json:"request_id"`
	Caller   string         `json:"caller_id"`
	Number   string         `json:"number"`
	Status   status         `json:"status"`
	Result   map[string]int `json:"result"`
	Turn     uint64         `json:"turn"`
	Attempts int            `json:"attempts"`
	Deaths   []string       `json:"deaths"`

	Quarantined bool `json:"quarantined"`

	ECM map[string]uint64 `json:"ecm"`

	CPU    int64  `json:"cpu_us"`
	Known  bool   `json:"known"`
	Error  string `json:"error"`
	Detail string `json:"detail"`
	Trace  string `json:"traceparent"`
}

// status is a job's state, or the number that a problem has in its place.
type status string

func (s *status) UnmarshalJSON(b []byte) error {
	*s = status(strings.Trim(string(b), `"`))
	return nil
}

// do sends a request and decodes the answer.
func (p *process) do(method, path, caller, body string) (int, job, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 70*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, p.url+path, strings.NewReader(body))
	if err != nil {
		return 0, job{}, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if caller != "" {
		req.Header.Set("X-Caller-ID", caller)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, job{}, err
	}
	defer resp.Body.Close()
	var j job
	raw, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(raw, &j)
	}
	return resp.StatusCode, j, err
}

// submit hands in a number that must be accepted.
func (p *process) submit(caller, number string) job {
	p.t.Helper()
	status, j, err := p.do("POST", "/compute", caller, fmt.Sprintf(`{"number": %q}`, number))
	if err != nil || status != 202 || j.ID == "" {
		p.t.Fatalf("POST %s: %d %+v %v", number, status, j, err)
	}
	return j
}

// wait returns a job when it has ended.
func (p *process) wait(id string) job {
	p.t.Helper()
	for range 4 {
		status, j, err := p.do("GET", "/compute/"+id+"?wait=30", "", "")
		if err != nil || status != 200 {
			p.t.Fatalf("GET %s: %d %+v %v", id, status, j, err)
		}
		if j.Status != "pending" && j.Status != "running" {
			return j
		}
	}
	p.t.Fatalf("job %s did not end", id)
	return job{}
}
