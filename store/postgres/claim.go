package postgres

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// perClaim is how many callers one transaction claims at most.
const perClaim = 500

// claims gathers those who claim callers: callers wake in bursts, and while one
// transaction is under way the next ones wait for each other.
type claims struct {
	mu      sync.Mutex
	waiting []*claiming // guarded by mu
	busy    bool        // guarded by mu: a goroutine is at it
}

// claiming is one claim that waits.
type claiming struct {
	name, group string
	claim       fairfactor.Claim
	err         error
	full        bool          // there was no room for the account
	done        chan struct{} // closed when claim or err is set
}

// ClaimFor says which member of the cluster this node is. Once the others have removed it, it
// claims no caller: it may not know yet, and would take callers from nodes that have them.
func (s *Store) ClaimFor(member string) { s.member.Store(&member) }

// ClaimCaller implements [fairfactor.Store]. The claim is durable: activations in
// other processes must be fenced by it.
func (s *Store) ClaimCaller(ctx context.Context, name, group string) (fairfactor.Claim, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Claim{}, err
	}
	if _, err := fairfactor.ParseCaller(name); err != nil {
		return fairfactor.Claim{}, err
	}
	if err := fairfactor.CheckGroup(group); err != nil {
		return fairfactor.Claim{}, err
	}
	c := &claiming{name: name, group: group, done: make(chan struct{})}
	s.claims.mu.Lock()
	s.claims.waiting = append(s.claims.waiting, c)
	if !s.claims.busy {
		s.claims.busy = true
		go s.claimAll()
	}
	s.claims.mu.Unlock()
	select {
	case <-c.done:
		return c.claim, c.err
	case <-ctx.Done():
		return fairfactor.Claim{}, failure(ctx, ctx.Err(), "to claim a caller")
	}
}

// claimAll claims until no claim waits.
func (s *Store) claimAll() {
	for {
		group := s.claims.take()
		if group == nil {
			return
		}
		err := s.retry(context.Background(), "to claim callers", func(ctx context.Context) error { return s.claim(ctx, group) })
		if refused := slices.DeleteFunc(slices.Clone(group), func(c *claiming) bool { return !c.full }); err == nil && len(refused) > 0 && s.makeRoom(len(refused)) {
			err = s.retry(context.Background(), "to claim callers", func(ctx context.Context) error { return s.claim(ctx, refused) })
		}
		for _, c := range group {
			switch {
			case err != nil:
				c.err = err
			case c.claim.Number > maxNumber:
				c.err = fairfactor.Errorf(fairfactor.Limit, "there are no numbers left for new callers")
			case c.claim.Number == 0 && c.full:
				c.err = fairfactor.ErrTooManyCallers
			case c.claim.Number == 0:
				c.err = fairfactor.Errorf(fairfactor.Unavailable, "the caller was claimed by another node at the same time, or this one is no longer a member of the cluster: try again")
			}
			if c.err != nil {
				c.claim = fairfactor.Claim{}
			}
			close(c.done)
		}
	}
}

// take returns what is to be claimed next, each caller once, by name; nil if
// nothing waits.
func (c *claims) take() (group []*claiming) {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := map[string]bool{}
	c.waiting = slices.DeleteFunc(c.waiting, func(w *claiming) bool {
		if len(group) == perClaim || taken[w.name] {
			return false
		}
		taken[w.name] = true
		group = append(group, w)
		return true
	})
	c.busy = len(group) > 0
	slices.SortFunc(group, func(a, b *claiming) int { return cmp.Compare(a.name, b.name) })
	return group
}

// claim raises the epochs, then reads the accounts, which no activation with an
// older epoch can have changed since. Rows that exist are locked in the order of
// their numbers, as [Store.Apply] does; those that were changed meanwhile come after
// them.
//
// A caller that is new gets an account if there is room for it, and claim.full says that there
// was none.
//
// An epoch is the time in milliseconds, if that is above the one before: should
// the database lose a claim, the next one gets another epoch all the same.
func (s *Store) claim(ctx context.Context, group []*claiming) error {
	names, groups := make([]string, len(group)), make([]string, len(group))
	byName := make(map[string]*claiming, len(group))
	for i, c := range group {
		names[i], groups[i], byName[c.name] = c.name, c.group, c
	}
	b := &pgx.Batch{}
	member := s.member.Load()
	var full, added bool
	b.Queue(raiseEpochs, names, groups, int64(s.history.since.Load()), member, s.bounded()).QueryRow(func(row pgx.Row) error { return row.Scan(&full, &added) })
	b.Queue("SELECT c.number, c.epoch, c.last, "+callerColumns+" FROM fairfactor.callers AS c WHERE c.name = ANY($1::text[]) AND "+ifMember("$2"), names, member).Query(func(rows pgx.Rows) error {
		claimed, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c fairfactor.Claim, err error) {
			c.Caller, err = scanCaller(row, &c.Number, &c.Epoch, &c.Last)
			return c, err
		})
		for _, c := range claimed {
			byName[c.Caller.Name].claim = c
			s.history.claimed(c.Epoch)
			s.names.put(int64(c.Number), c.Caller.Name) // it is asked for with the first page of the queue
		}
		return err
	})
	if err := s.reads.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	if added {
		s.addedAccounts()
	}
	for _, c := range group {
		c.full = full && c.claim.Number == 0
	}
	return nil
}

// claimed notes an epoch that was given.
func (h *history) claimed(epoch uint64) {
	for top := h.top.Load(); epoch > top && !h.top.CompareAndSwap(top, epoch); top = h.top.Load() {
	}
}

// ifMember is true for no member, and for one that has not been removed.
func ifMember(id string) string {
	return "(" + id + "::text IS NULL OR EXISTS (SELECT 1 FROM fairfactor.members AS m WHERE m.id = " + id + " AND m.removed IS NULL))"
}

var raiseEpochs = `
	WITH given AS MATERIALIZED (
		SELECT u.name, u.caller_group, greatest(1, $3::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) AS epoch
		FROM unnest($1::text[], $2::text[]) AS u (name, caller_group) WHERE ` + ifMember("$4") + `
	), known AS MATERIALIZED (
		SELECT x.at, g.caller_group, g.epoch FROM given AS g
		CROSS JOIN LATERAL (SELECT c.ctid AS at, c.number FROM fairfactor.callers AS c WHERE c.name = g.name OFFSET 0) AS x ORDER BY x.number
	), raised AS (
		UPDATE fairfactor.callers AS c SET epoch = greatest(c.epoch + 1, k.epoch), caller_group = CASE WHEN c.known THEN c.caller_group ELSE k.caller_group END
		FROM known AS k WHERE c.ctid = k.at RETURNING c.name
	), room AS MATERIALIZED (
		SELECT CASE WHEN $5::bigint IS NOT NULL THEN greatest($5 - (SELECT coalesce(sum(a.n), 0) FROM fairfactor.account_counts AS a), 0)::bigint END AS n
	), other AS MATERIALIZED (
		SELECT g.* FROM given AS g WHERE g.name NOT IN (SELECT r.name FROM raised AS r)
	), added AS (
		INSERT INTO fairfactor.callers AS c (number, name, caller_group, epoch)
		SELECT nextval('fairfactor.caller_numbers'), o.name, o.caller_group, o.epoch FROM other AS o LIMIT (SELECT n FROM room)
		ON CONFLICT (name) DO UPDATE SET epoch = greatest(c.epoch + 1, excluded.epoch), caller_group = CASE WHEN c.known THEN c.caller_group ELSE excluded.caller_group END
		RETURNING number, xmax = 0 AS fresh
	), noted AS (
		INSERT INTO fairfactor.idle (number, since) SELECT number, now() FROM added WHERE fresh
	), counted AS (
		INSERT INTO fairfactor.account_counts (n) SELECT count(*) FROM added WHERE fresh HAVING count(*) > 0
	)
	SELECT (SELECT count(*) FROM other) > (SELECT count(*) FROM added), EXISTS (SELECT FROM added)`

// ClaimScheduler implements [fairfactor.Store].
func (s *Store) ClaimScheduler(ctx context.Context) (claim fairfactor.SchedulerClaim, err error) {
	err = s.retry(ctx, "to claim the scheduler", func(ctx context.Context) error {
		claim.Groups = nil
		b := &pgx.Batch{}
		b.Queue(`UPDATE fairfactor.scheduler SET epoch = epoch + 1
			RETURNING epoch, greatest(place, (SELECT max(w.place) FROM fairfactor.writers AS w))`).QueryRow(func(row pgx.Row) error {
			return row.Scan(&claim.Epoch, &claim.Dispatched)
		})
		b.Queue("SELECT name, weight FROM fairfactor.groups ORDER BY name").Query(func(rows pgx.Rows) error {
			var name string
			var weight int
			_, err := pgx.ForEachRow(rows, []any{&name, &weight}, func() error {
				if claim.Groups == nil {
					claim.Groups = map[string]int{}
				}
				claim.Groups[name] = weight
				return nil
			})
			return err
		})
		return s.reads.SendBatch(ctx, b).Close()
	})
	return claim, err
}
