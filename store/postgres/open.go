package postgres

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"fairfactor"
)

// Connections of one node, together at most 10, so that nine nodes fit into the
// 100 that a PostgreSQL takes by default. Those that read are as many as the URL
// says in pool_max_conns, or readers. Writing and membership have their own: a
// flood of reads must delay no commit, and nothing at all a lease.
const (
	readers = 6
	writers = 2
	leasers = 1
)

// Times after which somebody is taken for dead.
const (
	connectTimeout = 5 * time.Second
	readTimeout    = 10 * time.Second // a question
	writeTimeout   = 15 * time.Second // each of the two trips of a group
	expireTimeout  = 30 * time.Second
	idleTimeout    = 2 * time.Second // a transaction whose node has stopped: it holds its locks until then, and one that waited for it another time
	rollTimeout    = 2 * time.Second // each statement about members, well below their lease
)

// Options of a store; the zero value is the default.
type Options struct {
	Logger *slog.Logger // default [slog.Default]
}

// Store is a database that is open.
type Store struct {
	log     *slog.Logger
	reads   *pgxpool.Pool
	writes  *pgxpool.Pool
	leases  *pgxpool.Pool
	lanes   chan *lane // those not in use
	names   names
	closing chan struct{} // closed by Close
	closed  atomic.Bool
}

var _ fairfactor.Store = (*Store)(nil)

// lane writes one group after the other. It has a row of its own in writers, by
// which the outcome of a commit can be found out later.
type lane struct {
	id  int64
	grp int64 // last group that it began
}

// Open connects to the database at a URL (or in the keyword form of libpq) and
// brings its tables up to date. While nobody answers there it tries again until
// ctx ends; anything else that is in the way is an error at once.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	s := &Store{log: opts.Logger, lanes: make(chan *lane, writers), closing: make(chan struct{})}
	for range writers {
		s.lanes <- &lane{id: rand.Int64()}
	}
	for _, p := range []struct {
		pool    **pgxpool.Pool
		size    int32
		own     bool // the size is not that of the URL
		session map[string]string
	}{
		{pool: &s.reads, size: readers, session: session(expireTimeout)},
		{pool: &s.writes, size: writers, own: true, session: session(writeTimeout)},
		{pool: &s.leases, size: leasers, own: true, session: session(rollTimeout)},
	} {
		cfg, err := s.config(url, p.session)
		if err != nil {
			s.Close()
			return nil, err
		}
		if p.own || !sized(url) {
			cfg.MaxConns = p.size
		}
		if *p.pool, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), cfg); err != nil {
			s.Close()
			return nil, urlError(err)
		}
	}
	if err := s.reach(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// session is what every connection sets first. Every question here is meant to go
// through an index, and one that once did not, because a table was small when its
// plan was made, would walk through millions of rows for the life of the
// connection; so the planner is kept from it.
func session(statement time.Duration) map[string]string {
	return map[string]string{
		"statement_timeout":                   millis(statement),
		"lock_timeout":                        millis(statement),
		"idle_in_transaction_session_timeout": millis(min(statement/2, idleTimeout)),
		"enable_seqscan":                      "off",
		"enable_hashjoin":                     "off",
		"enable_mergejoin":                    "off",
		"enable_bitmapscan":                   "off", // reads all of a queue to sort it, for the sake of its last page
		"jit":                                 "off",
		"timezone":                            "UTC",
	}
}

// config returns the settings of one pool.
func (s *Store) config(url string, session map[string]string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, urlError(err)
	}
	c := cfg.ConnConfig
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "fairfactor"
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = connectTimeout
	}
	cfg.MaxConnIdleTime = 5 * time.Minute
	cfg.PingTimeout = connectTimeout
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error { return s.greet(ctx, c, session) }
	return cfg, nil
}

// greet sets up a new connection and makes sure that its commits are durable.
func (s *Store) greet(ctx context.Context, c *pgx.Conn, session map[string]string) error {
	b := &pgx.Batch{}
	for name, value := range session {
		b.Queue("SELECT set_config($1, $2, false)", name, value)
	}
	b.Queue("SELECT current_setting('synchronous_commit'), current_setting('server_encoding')")
	results := c.SendBatch(ctx, b)
	defer results.Close()
	for range session {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	var commit, encoding string
	if err := results.QueryRow().Scan(&commit, &encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fairfactor.Errorf(fairfactor.Invalid, "the database has the encoding %s: make it with ENCODING 'UTF8'", encoding)
	}
	if commit != "off" {
		return nil
	}
	if err := results.Close(); err != nil {
		return err
	}
	s.log.Warn("synchronous_commit is off for this database or role: it is switched on for this connection, because an accepted job must be on disk")
	_, err := c.Exec(ctx, "SET synchronous_commit = on")
	return err
}

// reach connects for the first time, as soon as somebody answers.
func (s *Store) reach(ctx context.Context) error {
	for wait := backoff(0); ; wait = wait.next() {
		err := s.prepare(ctx)
		if err == nil {
			return nil
		}
		if !gone(err) || ctx.Err() != nil {
			return openError(err)
		}
		s.log.Warn("the database can't be reached, trying again", "err", err)
		if !wait.pause(ctx.Done()) {
			return openError(err)
		}
	}
}

// prepare checks the server and brings the tables up to date.
func (s *Store) prepare(ctx context.Context) error {
	c, err := s.writes.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	var version int
	var recovery bool
	var fsync string
	if err := c.QueryRow(ctx, "SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_setting('fsync')").Scan(&version, &recovery, &fsync); err != nil {
		return err
	}
	if version < minVersion {
		return fairfactor.Errorf(fairfactor.Invalid, "the database server is PostgreSQL %d: version %d or newer is needed", version/10_000, minVersion/10_000)
	}
	if recovery {
		return fairfactor.Errorf(fairfactor.Unavailable, "the database server is a standby, which can't be written: give the address of the primary one")
	}
	if fsync == "off" {
		s.log.Warn("fsync is off on the database server: accepted jobs do not survive the end of its machine")
	}
	if err := migrate(ctx, c.Conn()); err != nil {
		return err
	}
	return s.sweep(ctx, c.Conn())
}

// minVersion is the oldest PostgreSQL, as in server_version_num.
const minVersion = 140_000

// sweep removes the rows of writers that are gone, and keeps what they stored.
func (s *Store) sweep(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `
		WITH gone AS (
			DELETE FROM fairfactor.writers WHERE id IN (
				SELECT id FROM fairfactor.writers WHERE touched < now() - interval '1 day' FOR UPDATE SKIP LOCKED
			) RETURNING place
		)
		UPDATE fairfactor.scheduler SET place = greatest(place, (SELECT max(place) FROM gone))
		WHERE (SELECT count(*) FROM gone) > 0`)
	return err
}

// Close lets go of the database. A group whose outcome is not known yet is given
// up.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	close(s.closing)
	for _, pool := range []*pgxpool.Pool{s.reads, s.writes, s.leases} {
		if pool != nil {
			pool.Close()
		}
	}
	return nil
}
