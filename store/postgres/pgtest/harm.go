package pgtest

import (
	"os"
	"path/filepath"
	"testing"
)

// RequireTLS restarts the server with a certificate and its key, in PEM, and has it
// refuse connections without TLS, but those of [Server.Exec] and of its start.
func (s *Server) RequireTLS(t testing.TB, cert, key []byte) {
	t.Helper()
	s.Stop(t)
	for name, content := range map[string][]byte{"server.crt": cert, "server.key": key} {
		path := filepath.Join(s.data(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if s.as != nil {
			if err := os.Chown(path, int(s.as.Uid), int(s.as.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	rules := filepath.Join(s.data(), "pg_hba.conf")
	text, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	// The database that pings go to stays open.
	text = append([]byte("host postgres all 127.0.0.1/32 scram-sha-256\nhostnossl all all 127.0.0.1/32 reject\n"), text...)
	if err := os.WriteFile(rules, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s.settings = append(s.settings, "ssl=on")
	s.Restart(t)
}

// Ended reports whether the server has ended by itself, as it does when it can't write
// its log.
func (s *Server) Ended() bool {
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}
