package postgres

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"fairfactor"
)

// Connections of one node, 4 unless [Options.Connections] says otherwise, so that
// two dozen nodes fit into the 100 that a PostgreSQL takes by default. Writing and
// membership have their own: a flood of reads must delay no commit, and nothing at
// all a lease. The others read.
const (
	defaultConnections = 4
	minConnections     = 3
	writers            = 2 // one if there are only minConnections
	leasers            = 1
)

// Times after which the other side is taken for dead.
const (
	connectTimeout = 5 * time.Second
	readTimeout    = 10 * time.Second // a question
	writeTimeout   = 15 * time.Second // each trip of a group
	expireTimeout  = 30 * time.Second
	idleTimeout    = 2 * time.Second // a transaction whose node has stopped: it holds its locks until then, and one that waited for it another time
	rollTimeout    = 2 * time.Second // each statement about members, well below their lease
)

// Options of a store; the zero value is the default.
type Options struct {
	Logger *slog.Logger // default [slog.Default]
	// Connections is how many connections the node has at most, 3 or more, default
	// 4. Without it pool_max_conns in the URL says how many of them read.
	Connections int
	// Now is the node's clock, default [time.Now]. The store compares it with the
	// database's.
	Now func() time.Time
	// Fresh is for how long after its claim an account does not go at the bound of accounts,
	// because its first job may be on the way; default a minute, less than zero for not at all.
	Fresh time.Duration
	// WentBack is called on a goroutine of its own when it turns out that the
	// database has lost changes that it had acknowledged. All activations of this
	// node may believe in what was lost, and must begin again; those that write are
	// answered with [fairfactor.ErrWentBack].
	WentBack func()
}

// Store is a database that is open.
type Store struct {
	log        *slog.Logger
	now        func() time.Time
	fresh      time.Duration
	onWentBack func()
	reads      *pgxpool.Pool
	writes     *pgxpool.Pool
	leases     *pgxpool.Pool

	readsHeard, writesHeard atomic.Int64 // Unix time in ns at which a connection was given back that lives

	lanes    []*lane
	idle     chan *lane // those not in use
	history  history
	watched  watched
	claims   claims
	member   atomic.Pointer[string] // see ClaimFor
	roll     roll
	asked    asked
	names    names
	places   places
	accounts accounts
	reported reported
	owed     chan struct{} // gets a value when jobs with callbacks have ended
	lacks    sync.Once     // says what settings the server does not have
	closing  chan struct{} // closed by Close
	closed   atomic.Bool
}

var _ fairfactor.Store = (*Store)(nil)

// Open connects to the database at a URL (or in the keyword form of libpq) and
// brings its tables up to date. While it can't be reached or is slow, Open tries
// again until ctx ends; anything else that is in the way is an error at once.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Fresh == 0 {
		opts.Fresh = fresh
	}
	readers, writers, err := shares(&opts, url)
	if err != nil {
		return nil, err
	}
	s := &Store{log: opts.Logger, now: opts.Now, fresh: opts.Fresh, onWentBack: opts.WentBack, lanes: newLanes(writers), closing: make(chan struct{})}
	s.idle, s.owed = make(chan *lane, writers), make(chan struct{}, 1)
	s.watched.kept = keptGroups
	s.accounts.recount.Store(s.now().Add(recountFirst).UnixNano())
	for _, l := range s.lanes {
		s.idle <- l
	}
	for _, p := range []struct {
		pool    **pgxpool.Pool
		size    int
		session map[string]string
		heard   *atomic.Int64
	}{
		{pool: &s.reads, size: readers, session: session(expireTimeout), heard: &s.readsHeard},
		{pool: &s.writes, size: writers, session: session(writeTimeout), heard: &s.writesHeard},
		{pool: &s.leases, size: leasers, session: session(rollTimeout)},
	} {
		cfg, err := s.config(url, p.session)
		if err != nil {
			s.Close()
			return nil, err
		}
		if p.size > 0 {
			cfg.MaxConns = int32(p.size)
		}
		if p.heard != nil {
			cfg.AfterRelease = func(*pgx.Conn) bool {
				p.heard.Store(time.Now().UnixNano())
				return true
			}
		}
		if *p.pool, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), cfg); err != nil {
			s.Close()
			return nil, urlError(err)
		}
	}
	s.asked.most = int(s.reads.Config().MaxConns)
	if err := s.reach(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// shares returns how many connections read and write; no number is for what the
// URL says.
func shares(opts *Options, url string) (read, write int, err error) {
	all := opts.Connections
	switch {
	case all == 0 && sized(url):
		return 0, writers, nil
	case all == 0:
		all = defaultConnections
	case all < minConnections || all > maxConnections:
		return 0, 0, fairfactor.Errorf(fairfactor.Invalid, "%d connections to the database: it must be between %d and %d", all, minConnections, maxConnections)
	}
	write = min(writers, all-leasers-1)
	return all - leasers - write, write, nil
}

// maxConnections is far above what helps one node.
const maxConnections = 1000

// session is what every connection sets first.
func session(statement time.Duration) map[string]string {
	return map[string]string{
		"statement_timeout":                   millis(statement),
		"lock_timeout":                        millis(statement),
		"idle_in_transaction_session_timeout": millis(min(statement/2, idleTimeout)),
		"default_transaction_isolation":       "read committed",
		"timezone":                            "UTC",
	}
}

// planner is what connections set too, as far as the server has it. Every question here is
// meant to go through an index, and one that once did not, because a table was small when
// its plan was made, would walk through millions of rows for the life of the connection; so
// the planner is kept from it, and makes each plan once.
var planner = map[string]string{
	"enable_seqscan":    "off",
	"enable_hashjoin":   "off",
	"enable_mergejoin":  "off",
	"enable_bitmapscan": "off", // reads all of a queue to sort it, for the sake of its last page
	"jit":               "off",
	"plan_cache_mode":   "force_generic_plan",
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
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, readTimeout)
		defer cancel()
		return s.greet(ctx, c, session, planner)
	}
	return cfg, nil
}

// reach connects for the first time, as soon as the server answers.
func (s *Store) reach(ctx context.Context) error {
	for wait := backoff(0); ; wait = wait.next() {
		err := s.prepare(ctx)
		if err == nil {
			return nil
		}
		if !passing(err) || ctx.Err() != nil {
			return openError(err)
		}
		s.log.Warn("the database can't be reached or is slow, trying again", "err", err)
		if !wait.pause(ctx.Done()) {
			return openError(err)
		}
	}
}

// prepare checks the server and brings the tables up to date.
func (s *Store) prepare(ctx context.Context) error {
	acquiring, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	c, err := s.writes.Acquire(acquiring)
	if err != nil {
		return err
	}
	defer release(c)
	if err := s.check(ctx, c.Conn()); err != nil {
		return err
	}
	if err := s.migrate(ctx, c.Conn()); err != nil {
		return err
	}
	if err := forgetFuture(ctx, c.Conn()); err != nil {
		return err
	}
	return s.sweep(ctx, c.Conn())
}

// check refuses a server that can't be used.
func (s *Store) check(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := s.pooled(ctx, c); err != nil {
		return err
	}
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
	// What the events need; another server that speaks PostgreSQL's protocol may lack it, and
	// should say so now rather than at the first job.
	if _, err := c.Exec(ctx, askEvents); err != nil {
		return err
	}
	if fsync == "off" {
		s.log.Warn("fsync is off on the database server: accepted jobs do not survive the end of its machine")
	}
	return nil
}

// minVersion is the oldest PostgreSQL, as in server_version_num.
const minVersion = 140_000

// sweep removes the rows of writers that are gone, and keeps what they stored. A
// writer that was idle for so long takes it for a loss, and its callers are claimed
// again.
func (s *Store) sweep(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	_, err := c.Exec(ctx, `
		WITH gone AS (
			DELETE FROM fairfactor.writers WHERE id IN (
				SELECT id FROM fairfactor.writers WHERE touched < now() - interval '30 days' FOR UPDATE SKIP LOCKED
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
