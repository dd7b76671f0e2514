// Package pgtest runs a private PostgreSQL for tests: its own data directory,
// a free port of the loopback address, an unprivileged user, a password, and no
// trace left afterwards. A test that can't have one fails, unless FAIRFACTOR_TESTS=bare
// says to leave out what needs one: make check sets it.
//
// [Start] gives a test a server of its own, to stop and to kill. [Database] gives
// it an empty database on the one server of the test process, which [Main] stops.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long a server may take to start or to stop, on a machine that
// does much else.
const patience = 2 * time.Minute

// role and password are whom a test connects as.
const role, password = "fairfactor", "secret"

// Server is a PostgreSQL server.
type Server struct {
	bin, dir string
	port     int
	as       *syscall.Credential // nil for the user who runs the test
	settings []string

	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
	bases  atomic.Int64  // databases made
}

// Start returns a running server, which ends with the test. Settings are like
// those of postgresql.conf: "max_connections=20".
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	Need(t)
	s, err := newServer(settings)
	if err != nil {
		t.Fatalf("no PostgreSQL for this test: %v", err)
	}
	t.Cleanup(s.remove)
	return s
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Main runs the tests of a package and stops the server that they shared. It
// returns what os.Exit is to be called with.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		shared.server.remove()
	}
	return code
}

// Database returns the URL of an empty database on the server that the tests of
// this process share, which writes without syncs. The package's TestMain must call
// [Main].
func Database(t testing.TB) string {
	t.Helper()
	Need(t)
	shared.once.Do(func() { shared.server, shared.err = newServer([]string{"fsync=off"}) })
	if shared.err != nil {
		t.Fatalf("no PostgreSQL for this test: %v", shared.err)
	}
	return shared.server.Database(t)
}

// bare says that nothing may need PostgreSQL, even where there is one.
func bare() bool { return os.Getenv("FAIRFACTOR_TESTS") == "bare" }

// Need skips a test where nothing may need PostgreSQL. [Start] and [Database] call it; a
// test that gets its server through [Run] calls it first.
func Need(t testing.TB) {
	t.Helper()
	if bare() {
		t.Skip("needs PostgreSQL: make test runs it")
	}
}

// newServer makes a data directory and starts a server on it.
func newServer(settings []string) (*Server, error) {
	if bare() {
		return nil, errors.New("FAIRFACTOR_TESTS=bare, but this needs PostgreSQL: call pgtest.Need first")
	}
	s := &Server{settings: settings}
	var err error
	if s.bin, err = binaries(); err != nil {
		return nil, err
	}
	if s.as, err = unprivileged(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "pgtest-"); err != nil {
		return nil, err
	}
	if err := s.initialise(); err != nil {
		os.RemoveAll(s.dir)
		return nil, err
	}
	if err := s.listen(); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

// binaries finds the directory of PostgreSQL's programs, the newest version
// first.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil { // a link may stand alone
			path = real
		}
		return filepath.Dir(path), nil
	}
	newest, best := "", 0
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	for _, path := range found {
		dir := filepath.Dir(path)
		if v, err := strconv.Atoi(filepath.Base(filepath.Dir(dir))); err == nil && v > best {
			newest, best = dir, v
		}
	}
	if newest == "" {
		return "", fmt.Errorf("there is no initdb in the PATH nor in /usr/lib/postgresql: install PostgreSQL (Debian: postgresql)")
	}
	return newest, nil
}

// initialise makes the data directory.
func (s *Server) initialise() error {
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	if s.as != nil {
		for _, path := range []string{s.dir, secret} {
			if err := os.Chown(path, int(s.as.Uid), int(s.as.Gid)); err != nil {
				return err
			}
		}
	}
	cmd := s.command("initdb", "--pgdata", s.data(), "--username", role, "--pwfile", secret,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }
func (s *Server) log() string  { return filepath.Join(s.dir, "log") }

// command returns one of PostgreSQL's programs, to be run as the right user.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	cmd.SysProcAttr = attributes(s.as)
	return cmd
}

// listen starts the server for the first time, on a port that is free.
func (s *Server) listen() (err error) {
	for range 5 { // another process may take the port meanwhile
		l, e := net.Listen("tcp", "127.0.0.1:0")
		if e != nil {
			return e
		}
		s.port = l.Addr().(*net.TCPAddr).Port
		l.Close()
		if err = s.start(); err == nil {
			return nil
		}
	}
	return err
}

// start starts the server and waits until it answers.
func (s *Server) start() error {
	out, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-k", s.dir, "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	cmd := s.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = out, out
	exited := make(chan struct{})
	if err := run(cmd, exited); err != nil {
		return err
	}
	s.cmd, s.exited = cmd, exited
	end := time.Now().Add(patience)
	for {
		select {
		case <-exited:
			return fmt.Errorf("postgres has ended: %s", s.Log())
		default:
		}
		err := s.ping()
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("postgres does not answer: %w\n%s", err, s.Log())
		}
		time.Sleep(20 * time.Millisecond) // nothing tells when a server is ready
	}
}

func (s *Server) ping() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	return c.Ping(ctx)
}

func (s *Server) url(database string) string {
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", role, password, s.Addr(), database)
}

// Addr returns the host and port of the server, the same after a restart.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Log returns what the server has logged.
func (s *Server) Log() string {
	text, err := os.ReadFile(s.log())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Database makes an empty database and returns its URL, whose user owns all of
// the server.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.bases.Add(1))
	s.Exec(t, s.url("postgres"), "CREATE DATABASE "+name)
	return s.url(name)
}

// Exec runs a statement in the database at a URL.
func (s *Server) Exec(t testing.TB, url, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatalf("connect to PostgreSQL: %v\n%s", err, s.Log())
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// Tool runs one of PostgreSQL's programs for operators, of the version of the
// servers.
func Tool(t testing.TB, name string, args ...string) {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(filepath.Join(bin, name), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// Stop shuts the server down as an operator would, cutting off who is connected.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatalf("stop PostgreSQL: %v", err)
	}
	select {
	case <-s.exited:
	case <-time.After(patience):
		t.Fatalf("PostgreSQL does not stop: %s", s.Log())
	}
}

// Kill ends the server with all its processes, as kill -9 does.
func (s *Server) Kill() {
	children := children(s.cmd.Process.Pid)
	_ = s.cmd.Process.Kill()
	for _, pid := range children {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-s.exited
}

// Restart starts a server that was stopped or killed, on the same port and data.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	end := time.Now().Add(patience)
	for {
		err := s.start()
		if err == nil {
			return
		}
		if time.Now().After(end) { // processes of one that was killed may last for a while
			t.Fatalf("restart PostgreSQL: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Save copies the data of a server that is stopped, and returns what takes a
// server that is stopped back to it.
func (s *Server) Save(t testing.TB) (revert func()) {
	t.Helper()
	saved := filepath.Join(s.dir, fmt.Sprintf("saved-%d", s.bases.Add(1)))
	replace := func(from, to string) {
		t.Helper()
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
			t.Fatalf("copy the data of PostgreSQL: %v\n%s", err, out)
		}
	}
	replace(s.data(), saved)
	return func() { replace(saved, s.data()) }
}

// remove kills the server and deletes its directory.
func (s *Server) remove() {
	if s.cmd != nil {
		s.Kill()
	}
	os.RemoveAll(s.dir)
}
