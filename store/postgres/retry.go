package postgres

import (
	"context"
	"time"
)

// retry does something that may be done twice, again while others are in the way
// or nobody answers, as [Store.Apply] does.
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
