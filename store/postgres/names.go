package postgres

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// names remembers callers' names by their numbers, which never change, and the other way
// round: a caller whose account was forgotten gets another number when it comes back. A
// read of jobs does not join the rows of callers: while a long transaction keeps
// PostgreSQL from removing what was overwritten, the index leads to all that a row ever was.
type names struct {
	mu      sync.Mutex
	known   map[int64]string // guarded by mu
	numbers map[string]int64 // guarded by mu: of those in known
}

// namesKept bounds what is remembered, about 200 bytes each.
const namesKept = 1 << 15

func (n *names) get(number int64) (string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name, ok := n.known[number]
	return name, ok
}

func (n *names) number(name string) (int64, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	number, ok := n.numbers[name]
	return number, ok
}

func (n *names) put(number int64, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known) >= namesKept {
		n.known, n.numbers = map[int64]string{}, map[string]int64{}
	}
	n.known[number], n.numbers[name] = name, number
}

// drop forgets the number of a caller.
func (n *names) drop(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if number, ok := n.numbers[name]; ok {
		delete(n.numbers, name)
		delete(n.known, number)
	}
}

// clear forgets all: a database that went back may give a number to another caller.
func (n *names) clear() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known, n.numbers = nil, nil
}

// name returns the name of a caller, empty if no caller has that number.
func (s *Store) name(ctx context.Context, number int64) (string, error) {
	found, err := s.namesOf(ctx, []int64{number})
	return found[number], err
}

// numberOf returns the number of a caller. It is false if no caller has that name. It may
// be that of an account which was forgotten: no job has it then.
func (s *Store) numberOf(ctx context.Context, name string) (number int64, ok bool, err error) {
	if number, ok = s.names.number(name); ok {
		return number, true, nil
	}
	err = s.askRow(ctx, []any{&number}, "SELECT number FROM fairfactor.callers WHERE name = $1", name)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err == nil {
		s.names.put(number, name)
	}
	return number, err == nil, err
}

// namesOf returns the names of callers, those that there are.
func (s *Store) namesOf(ctx context.Context, numbers []int64) (map[int64]string, error) {
	found := make(map[int64]string, len(numbers))
	var missing []int64
	for _, number := range numbers {
		if _, again := found[number]; again {
			continue
		}
		name, ok := s.names.get(number)
		if found[number] = name; !ok {
			missing = append(missing, number)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	return found, s.ask(ctx, func(rows pgx.Rows) error {
		var number int64
		var name string
		_, err := pgx.ForEachRow(rows, []any{&number, &name}, func() error {
			found[number] = name
			s.names.put(number, name)
			return nil
		})
		return err
	}, `SELECT u.number, c.name FROM unnest($1::bigint[]) AS u (number)
		CROSS JOIN LATERAL (SELECT x.name FROM fairfactor.callers AS x WHERE x.number = u.number OFFSET 0) AS c`, missing)
}

// nameJobs fills in the callers of jobs.
func (s *Store) nameJobs(ctx context.Context, jobs []*fairfactor.Job) error {
	numbers := make([]int64, len(jobs))
	for i, j := range jobs {
		numbers[i] = int64(j.ID.Caller)
	}
	found, err := s.namesOf(ctx, numbers)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		j.Caller = found[int64(j.ID.Caller)]
	}
	return nil
}

// complete fills in what is not in the rows of jobs: their callers, and what became of
// their deliveries.
func (s *Store) complete(ctx context.Context, jobs []*fairfactor.Job) error {
	if err := s.nameJobs(ctx, jobs); err != nil {
		return err
	}
	return s.attach(ctx, jobs)
}
