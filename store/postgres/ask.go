package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
)

// perAsk is how many questions travel together at most.
const perAsk = 256

// asked gathers questions that many have at once: those that come while the connections
// for them are on their way travel together, so that a database which is far answers more
// than one in the time there and back. They are small ones, each by an index; what reads a
// page goes alone.
type asked struct {
	mu      sync.Mutex
	waiting []*question // guarded by mu
	busy    int         // guarded by mu: goroutines that are at it
	most    int         // of these: the connections that read
}

// question is one statement that reads, with what takes its answer.
type question struct {
	text string
	args []any
	done chan struct{} // closed when err is set

	mu       sync.Mutex
	take     func(pgx.Rows) error // guarded by mu, nil when who asked has gone
	answered bool                 // guarded by mu
	err      error
}

// ask asks one question. take may be called again if the answer broke off, and is not after
// ask has returned.
func (s *Store) ask(ctx context.Context, take func(pgx.Rows) error, text string, args ...any) error {
	q := &question{text: text, args: args, take: take, done: make(chan struct{})}
	a := &s.asked
	a.mu.Lock()
	a.waiting = append(a.waiting, q)
	if a.busy < a.most {
		a.busy++
		go s.answerAll()
	}
	a.mu.Unlock()
	select {
	case <-q.done:
		return q.err
	case <-ctx.Done():
		q.mu.Lock()
		defer q.mu.Unlock()
		q.take = nil
		return ctx.Err()
	}
}

// askRow asks for one row, as [pgx.Conn.QueryRow] does.
func (s *Store) askRow(ctx context.Context, into []any, text string, args ...any) error {
	return s.ask(ctx, func(rows pgx.Rows) error {
		if !rows.Next() {
			if err := rows.Err(); err != nil {
				return err
			}
			return pgx.ErrNoRows
		}
		return rows.Scan(into...)
	}, text, args...)
}

// answerAll answers until no question waits.
func (s *Store) answerAll() {
	a := &s.asked
	for {
		a.mu.Lock()
		n := min(len(a.waiting), perAsk)
		if n == 0 {
			a.busy--
			a.mu.Unlock()
			return
		}
		group := append([]*question(nil), a.waiting[:n]...)
		rest := copy(a.waiting, a.waiting[n:])
		clear(a.waiting[rest:])
		a.waiting = a.waiting[:rest]
		a.mu.Unlock()
		for len(group) > 0 && !s.answer(group) { // one of them spoils it for those behind it
			if group = slices.DeleteFunc(group, (*question).isAnswered); len(group) > 0 {
				s.answer(group[:1])
				group = group[1:]
			}
		}
	}
}

// answer answers a group of questions. It is false if one of several was refused: the first
// of those without an answer is to be asked alone.
func (s *Store) answer(group []*question) bool {
	ctx, cancel := context.WithTimeout(context.Background(), expireTimeout)
	defer cancel()
	b := &pgx.Batch{}
	for _, q := range group {
		b.Queue(q.text, q.args...).Query(q.read)
	}
	err := s.reads.SendBatch(ctx, b).Close()
	if err == nil {
		err = errNoAnswer // for none, then
	} else if len(group) > 1 && refused(err) {
		return false
	}
	for _, q := range group {
		if !q.isAnswered() {
			q.finish(err)
		}
	}
	return true
}

var errNoAnswer = errors.New("a question was not answered")

// read takes the rows of the answer in. An error of the server is left to who sent the
// group, because it spoils what comes after it.
func (q *question) read(rows pgx.Rows) error {
	q.mu.Lock()
	var err error
	if q.take != nil {
		err = q.take(rows)
	}
	q.mu.Unlock()
	rows.Close()
	if rows.Err() != nil {
		return rows.Err()
	}
	q.finish(err)
	return nil
}

func (q *question) finish(err error) {
	q.mu.Lock()
	q.answered, q.err, q.take = true, err, nil
	q.mu.Unlock()
	close(q.done)
}

func (q *question) isAnswered() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.answered
}
