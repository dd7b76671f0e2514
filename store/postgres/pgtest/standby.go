package pgtest

import (
	"net/url"
	"os"
	"strings"
	"testing"
)

// Standby returns a server that follows this one, which its primary does not wait
// for, and that ends with the test. It answers questions, and takes writes after
// [Server.Promote].
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	follower := &Server{bin: s.bin, as: s.as, settings: s.settings}
	var err error
	if follower.dir, err = os.MkdirTemp("", "pgtest-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { follower.remove() })
	if s.as != nil {
		if err := os.Chown(follower.dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := follower.command("pg_basebackup", "--dbname", s.url("postgres"), "--pgdata", follower.data(),
		"--write-recovery-conf", "--wal-method", "stream", "--checkpoint", "fast", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("pg_basebackup: %v\n%s", err, out)
	}
	if err := follower.listen(); err != nil {
		t.Fatalf("no standby for this test: %v", err)
	}
	return follower
}

// URL returns the URL of a database that was made on this server or its primary,
// by the URL that it has there.
func (s *Server) URL(t testing.TB, address string) string {
	t.Helper()
	return s.url(databaseOf(t, address))
}

// Either returns the URL of a database on the one of two servers that takes writes.
func Either(t testing.TB, first, second *Server, address string) string {
	t.Helper()
	return "postgres://" + role + ":" + password + "@" + first.Addr() + "," + second.Addr() + "/" + databaseOf(t, address) +
		"?sslmode=disable&target_session_attrs=read-write"
}

// databaseOf returns the name of the database in a URL.
func databaseOf(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

// Promote makes a primary of a standby.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	s.Exec(t, s.url("postgres"), "SELECT pg_promote()")
}
