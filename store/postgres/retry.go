package postgres

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// retry does something that may be done twice, again while others are in the way
// or no answer comes, as [Store.Apply] does.
func (s *Store) retry(ctx context.Context, what string, do func(ctx context.Context) error) error {
	if err := live(ctx); err != nil {
		return err
	}
	began, aborts := time.Now(), 0
	for wait := backoff(0); ; wait = wait.next() {
		err := s.once(ctx, do)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return failure(ctx, err, what)
		case aborted(err) && aborts < maxAborts:
			aborts++
		case gone(err) && time.Since(began) < unreachable:
		default:
			return failure(ctx, err, what)
		}
		if !wait.pause(s.closing) {
			return failure(ctx, err, what)
		}
	}
}

func (s *Store) once(ctx context.Context, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, expireTimeout)
	defer cancel()
	return do(ctx)
}

// Ready returns an error if the store can't be read and written now, for a probe
// of readiness: unavailable with the time after which to ask again. It makes
// connections that it lacks.
func (s *Store) Ready(ctx context.Context) error {
	if err := live(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	writes := make(chan error, 1)
	go func() { writes <- answers(ctx, s.writes, &s.writesHeard, s.writes.Ping) }()
	reads := func(ctx context.Context) error { return s.askRow(ctx, []any{new(int)}, "SELECT 1") } // travels with others
	if err := cmp.Or(answers(ctx, s.reads, &s.readsHeard, reads), <-writes); err != nil {
		return failure(context.WithoutCancel(ctx), err, "to look whether the database is there")
	}
	return nil
}

// answers makes sure that the database answers on the connections of a pool.
func answers(ctx context.Context, pool *pgxpool.Pool, heard *atomic.Int64, ping func(context.Context) error) error {
	if stat := pool.Stat(); stat.AcquiredConns() == stat.MaxConns() {
		return nil // all are at work
	}
	began := time.Now()
	if err := ping(ctx); err != nil && heard.Load() < began.UnixNano() {
		return err
	}
	return nil // or the line was long, and others in it have been answered
}

// readyTimeout is how long Ready takes at most.
const readyTimeout = 2 * time.Second
