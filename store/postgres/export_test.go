package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// MembersAt returns the table of members with another clock than the server's.
func (s *Store) MembersAt(now func() time.Time) *Members { return &Members{store: s, now: now} }

// Setting returns a setting of the server as a connection that writes has it.
func (s *Store) Setting(t *testing.T, name string) (value string) {
	t.Helper()
	if err := s.writes.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// KeepEvents deletes all rows of events but the last ones.
func (s *Store) KeepEvents(rows int) {
	s.watched.kept = rows
	s.trim()
}

// Ask asks a question among others, and finds its answer wrong in the given way.
func (s *Store) Ask(ctx context.Context, wrong error, question string) error {
	return s.ask(ctx, func(rows pgx.Rows) error {
		for rows.Next() {
		}
		return wrong
	}, question)
}

// Quick renews a lease without judging other members.
func (m *Members) Quick(ctx context.Context, id string, dead []string, lease time.Duration) (fairfactor.MemberList, bool, error) {
	return m.quick(ctx, id, dead, lease)
}

// Tune runs statements as those of storage.sql are run, and commits.
func (s *Store) Tune(t *testing.T, statements string) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), s.writes, func(tx pgx.Tx) error { return s.tune(t.Context(), tx, statements) })
	if err != nil {
		t.Fatal(err)
	}
}

// Greet sets up a connection as if this were what a session would like of the planner.
func (s *Store) Greet(t *testing.T, c *pgx.Conn, planner map[string]string) {
	t.Helper()
	if err := s.greet(t.Context(), c, session(time.Minute), planner); err != nil {
		t.Fatal(err)
	}
}
