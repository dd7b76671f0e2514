package postgres

import (
	"context"
	"embed"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// migrations are the steps from one version of the tables to the next, the file
// 0001 leads to version 1. What a step that was released leads to is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// storage says how the server should keep the tables, a statement a line; see [Store.tune].
//
//go:embed storage.sql
var storage string

// migrationLock is the advisory lock under which one node at a time brings the
// tables up to date: "fairfact" in ASCII.
const migrationLock = 0x6661697266616374

// migrationWait bounds the wait for another node's steps, and for locks: then it is tried
// again. The steps themselves take as long as the tables are large, some minutes for an
// index of a hundred million jobs.
const migrationWait = 10 * time.Minute

// migrate brings the tables up to date, all steps in one transaction. Nodes that
// start at once do it one after the other.
func (s *Store) migrate(ctx context.Context, c *pgx.Conn) error {
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		for _, statement := range []string{
			"SET LOCAL statement_timeout = 0",
			fmt.Sprintf("SET LOCAL lock_timeout = %d", migrationWait.Milliseconds()),
			fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrationLock),
			"CREATE SCHEMA IF NOT EXISTS fairfactor",
			"CREATE TABLE IF NOT EXISTS fairfactor.schema (version bigint NOT NULL)",
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		steps, err := migrations.ReadDir("migrations")
		if err != nil {
			return err
		}
		var version int
		if err := tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM fairfactor.schema").Scan(&version); err != nil {
			return err
		}
		if version > len(steps) {
			return fairfactor.Errorf(fairfactor.Conflict,
				"the database was written by a newer fairfactor (tables of version %d, this one knows %d): use that one", version, len(steps))
		}
		began := time.Now()
		if version > 0 && version < len(steps) {
			s.log.Info("bringing the tables in the database up to date, which takes minutes if they are large", "version", version, "newest", len(steps))
			defer func() { s.log.Info("the tables are up to date", "took", time.Since(began)) }()
		}
		for _, step := range steps[version:] {
			text, err := migrations.ReadFile("migrations/" + step.Name())
			if err != nil {
				return err
			}
			if _, err := tx.Conn().PgConn().Exec(ctx, string(text)).ReadAll(); err != nil {
				return fmt.Errorf("%s: %w", step.Name(), err)
			}
		}
		if version == len(steps) {
			return nil
		}
		if err := s.tune(ctx, tx, storage); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO fairfactor.schema (version) VALUES ($1)", len(steps))
		return err
	})
}

// tune asks the server to keep the tables as suits them. A server that does not know how is
// told of in the log: the service is right there too, and may become slower.
func (s *Store) tune(ctx context.Context, tx pgx.Tx, statements string) error {
	for line := range strings.Lines(statements) {
		statement := strings.TrimSpace(line)
		if statement == "" || strings.HasPrefix(statement, "--") {
			continue
		}
		err := pgx.BeginFunc(ctx, tx, func(savepoint pgx.Tx) error {
			_, err := savepoint.Exec(ctx, statement)
			return err
		})
		switch {
		case err == nil:
		case pgCode(err) == "" || passing(err):
			return err
		default:
			s.log.Warn("the database keeps a table in its own way", "statement", statement, "err", err)
		}
	}
	return nil
}
