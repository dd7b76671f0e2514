package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// greet sets up a new connection, makes sure that its commits are durable, and
// that the database has what it acknowledged on others. It is one trip of plain
// text: nothing is prepared before it is known who answers.
//
// What it would like of the planner it sets one by one if the server does not have all of it.
func (s *Store) greet(ctx context.Context, c *pgx.Conn, session, planner map[string]string) error {
	row, err := greeted(ctx, c, session, planner)
	if code := pgCode(err); code == codeNoObject || code == codeNoFeature || code == codeBadValue {
		if row, err = greeted(ctx, c, session, nil); err == nil {
			err = s.persuade(ctx, c, planner)
		}
	}
	if err != nil {
		return err
	}
	s.names.clear() // while no connection lasted the database may have gone back
	s.roll.set(fairfactor.MemberList{})
	if encoding := string(row[1]); encoding != "UTF8" {
		return fairfactor.Errorf(fairfactor.Invalid, "the database has the encoding %s: make it with ENCODING 'UTF8'", encoding)
	}
	if string(row[0]) == "off" {
		s.log.Warn("synchronous_commit is off for this database or role: it is switched on for this connection, because an accepted job must be on disk")
		if _, err := c.PgConn().Exec(ctx, "SET synchronous_commit = on").ReadAll(); err != nil {
			return err
		}
	}
	return s.recognise(ctx, c)
}

// greeted sets what a session has to have, and returns synchronous_commit and the encoding.
func greeted(ctx context.Context, c *pgx.Conn, settings ...map[string]string) ([][]byte, error) {
	var b strings.Builder
	b.WriteString("SELECT current_setting('synchronous_commit', true), current_setting('server_encoding')")
	for _, some := range settings {
		for name, value := range some {
			fmt.Fprintf(&b, ", set_config('%s', '%s', false)", name, value)
		}
	}
	results, err := c.PgConn().Exec(ctx, b.String()).ReadAll()
	if err != nil {
		return nil, err
	}
	return results[0].Rows[0], nil
}

// persuade sets what the server has of some settings.
func (s *Store) persuade(ctx context.Context, c *pgx.Conn, settings map[string]string) error {
	var lacks []string
	for name, value := range settings {
		_, err := c.PgConn().Exec(ctx, fmt.Sprintf("SELECT set_config('%s', '%s', false)", name, value)).ReadAll()
		if pgCode(err) == "" && err != nil {
			return err
		}
		if err != nil {
			lacks = append(lacks, name)
		}
	}
	s.lacks.Do(func() {
		slices.Sort(lacks)
		s.log.Warn("the database lacks settings that keep its planner to the indexes: it may become slow when there are many jobs", "settings", strings.Join(lacks, " "))
	})
	return nil
}

// recognise compares the rows of this store's writers with what was acknowledged
// to it. A database goes back only while no connection to it lasts, so a new
// connection is where that shows first, also to a node that has nothing to write.
func (s *Store) recognise(ctx context.Context, c *pgx.Conn) error {
	age := s.history.age.Load()
	ids, groups := s.witnesses()
	if len(ids) == 0 {
		return nil
	}
	rows := make([]string, len(ids))
	for i := range ids {
		rows[i] = fmt.Sprintf("(%d, %d)", ids[i], groups[i])
	}
	results, err := c.PgConn().Exec(ctx, "SELECT count(*) FROM (VALUES "+strings.Join(rows, ", ")+
		") AS l (id, grp) JOIN fairfactor.writers AS w ON w.id = l.id AND w.last >= l.grp").ReadAll()
	if err != nil {
		return err
	}
	if agree, err := strconv.Atoi(string(results[0].Rows[0][0])); err == nil && agree < len(ids) {
		s.wentBack(age)
	}
	return nil
}

// pooled refuses a connection pooler that gives a session's next transaction to
// another connection of the server: what a session has set and prepared is not
// there then. Two sessions that are open at once and have the same backend tell it,
// or one that has two backends in turn.
func (s *Store) pooled(ctx context.Context, c *pgx.Conn) error {
	first, err := backend(ctx, c, "SELECT pg_backend_pid()")
	if err != nil {
		return err
	}
	if first == c.PgConn().PID() {
		return nil // the server itself has greeted us
	}
	cfg := c.Config().Copy()
	other, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer other.Close(context.WithoutCancel(ctx))
	pids := []uint32{first}
	for range 2 {
		theirs, err := backend(ctx, other, "BEGIN; SELECT pg_backend_pid()")
		if pgCode(err) != "" {
			return errPooled // a pooler of single statements takes no BEGIN
		}
		if err != nil {
			return err
		}
		if slices.Contains(pids, theirs) {
			return errPooled
		}
		again, err := backend(ctx, c, "SELECT pg_backend_pid()")
		if err != nil {
			return err
		}
		if again != first {
			return errPooled
		}
		if _, err := other.PgConn().Exec(ctx, "ROLLBACK").ReadAll(); err != nil {
			return err
		}
	}
	return nil
}

// errPooled refuses a pooler by its name.
var errPooled = fairfactor.Errorf(fairfactor.Invalid,
	"the address in --store is that of a connection pooler in transaction mode, such as PgBouncer with pool_mode = transaction: "+
		"give the address of the PostgreSQL itself, or use pool_mode = session; a node has few connections, see --store-connections")

// backend returns the process of the server that answers a question.
func backend(ctx context.Context, c *pgx.Conn, question string) (uint32, error) {
	results, err := c.PgConn().Exec(ctx, question).ReadAll()
	if err != nil {
		return 0, err
	}
	pid, err := strconv.ParseUint(string(results[len(results)-1].Rows[0][0]), 10, 32)
	return uint32(pid), err
}
