package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"fairfactor/bench/internal/fleet"
	"fairfactor/bench/internal/harness"
)

// riverPeer is river on a PostgreSQL of its own: one row for each job, its result
// recorded with it.
type riverPeer struct {
	database interface{ Remove() }
	worker   *process
	pool     *pgxpool.Pool
	client   *river.Client[pgx.Tx]
	round    int
}

// riverConns is how many connections a process has to the database; riverFetch is
// the pause between two fetches, far below the default of 100 ms, which would bound
// the rate.
const (
	riverConns = 48
	riverFetch = 5 * time.Millisecond
)

// riverArgs is a job.
type riverArgs struct {
	Round  int    `json:"round"`
	I      int    `json:"i"`
	Number string `json:"number"`
}

// Kind implements [river.JobArgs].
func (riverArgs) Kind() string { return "factor" }

func openRiver(ctx context.Context, url string, config *river.Config) (*pgxpool.Pool, *river.Client[pgx.Tx], error) {
	options, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, nil, err
	}
	options.MaxConns = riverConns
	pool, err := pgxpool.NewWithConfig(ctx, options)
	if err != nil {
		return nil, nil, err
	}
	config.Logger = slog.New(slog.DiscardHandler)
	client, err := river.NewClient(riverpgxv5.New(pool), config)
	return pool, client, err
}

func (p *riverPeer) start(ctx context.Context, _ *harness.Harness, handlers int) error {
	server, url, err := fleet.NewDatabase(ctx)
	if err != nil {
		return err
	}
	p.database = server
	if p.pool, p.client, err = openRiver(ctx, url, &river.Config{}); err != nil {
		return err
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(p.pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	p.worker, err = launchWorker(ctx, "river-worker", handlers, url)
	return err
}

func (p *riverPeer) begin(_ context.Context, round, _ int) error {
	p.round = round
	return nil
}

func (p *riverPeer) sender() func(context.Context, int, string) error {
	return func(ctx context.Context, i int, number string) error {
		_, err := p.client.Insert(ctx, riverArgs{p.round, i, number}, nil)
		return err
	}
}

func (p *riverPeer) done(ctx context.Context) (n int, err error) {
	err = p.pool.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE state = 'completed' AND (args->>'round')::int = $1`, p.round).Scan(&n)
	return n, err
}

func (p *riverPeer) result(ctx context.Context, i int) (factors string, err error) {
	err = p.pool.QueryRow(ctx, `SELECT metadata->>'output' FROM river_job WHERE (args->>'round')::int = $1 AND (args->>'i')::int = $2`, p.round, i).Scan(&factors)
	return factors, err
}

func (p *riverPeer) close() {
	p.worker.kill()
	if p.pool != nil {
		p.pool.Close()
	}
	if p.database != nil {
		p.database.Remove()
	}
}

// factorWorker is the handler in river's form.
type factorWorker struct {
	river.WorkerDefaults[riverArgs]
	handler handler
}

// Work implements [river.Worker].
func (w *factorWorker) Work(ctx context.Context, job *river.Job[riverArgs]) error {
	factors, err := w.handler.factors(job.Args.Number)
	if err != nil {
		return err
	}
	return river.RecordOutput(ctx, factors)
}

// riverWorker runs jobs from the database at a URL.
func riverWorker(ctx context.Context, args []string, out io.Writer) error {
	handlers, err := handlersOf(args)
	if err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &factorWorker{})
	pool, client, err := openRiver(ctx, args[0], &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: handlers}}, Workers: workers, FetchCooldown: riverFetch,
	})
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := client.Start(ctx); err != nil {
		return err
	}
	return serving(ctx, out, "ready")
}
