package postgres_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	programs "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// bouncer starts a real PgBouncer before the database of a URL, and returns its URL.
func bouncer(t *testing.T, direct, mode string) string {
	t.Helper()
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	dir := t.TempDir()
	password, _ := u.User.Password()
	config := fmt.Sprintf(`[databases]
* = host=%s port=%s user=%s password=%s
[pgbouncer]
listen_addr = %s
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = %s
default_pool_size = 20
`, u.Hostname(), u.Port(), u.User.Username(), password, host, port, mode)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{file}
	if os.Geteuid() == 0 { // it refuses to run as root
		if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
			t.Fatal(err)
		}
		args = append([]string{"-u", "postgres"}, args...)
	}
	var log strings.Builder
	cmd := programs.CommandContext(t.Context(), "pgbouncer", args...)
	if _, err := programs.LookPath(cmd.Path); err != nil {
		cmd.Path = "/usr/sbin/pgbouncer"
		cmd.Err = nil
	}
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: .ci/needs installs pgbouncer", err)
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-gone
	})
	u.Host = net.JoinHostPort(host, port)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		c, err := pgconn.Connect(ctx, u.String())
		if err == nil {
			c.Close(t.Context())
			return u.String()
		}
		select {
		case err := <-gone:
			gone <- err
			t.Fatalf("pgbouncer: %v\n%s", err, log.String())
		case <-ctx.Done():
			t.Fatalf("through pgbouncer: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// TestPgBouncer: in transaction and in statement mode a real one is refused by name, with
// what to do; in session mode a node works through it.
func TestPgBouncer(t *testing.T) {
	direct := pgtest.Database(t)
	for _, mode := range []string{"transaction", "statement"} {
		_, err := postgres.Open(t.Context(), bouncer(t, direct, mode), postgres.Options{})
		if fairfactor.CodeOf(err) != fairfactor.Invalid || !strings.Contains(fairfactor.MessageOf(err), "PgBouncer with pool_mode = transaction") {
			t.Errorf("PgBouncer with pool_mode = %s: got %v", mode, err)
		}
	}
	through := bouncer(t, direct, "session")
	for range 2 { // the second one gets connections that the first one has used
		s := open(t, through)
		p := claim(t, s, "a")
		if errs, err := s.Apply(t.Context(), []fairfactor.Change{p.next(), p.next()}); errs != nil || err != nil {
			t.Errorf("through PgBouncer with pool_mode = session: %v, %v", errs, err)
		}
		if got, err := s.Caller(t.Context(), "a"); err != nil || got.Queued == 0 {
			t.Errorf("%+v, %v", got, err)
		}
		s.Close()
	}
}
