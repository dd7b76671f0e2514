package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor/bench/internal/verify"
)

// audit watches what nodes write, from within the database: triggers note each
// job that appears or ends and each epoch that is claimed, with the process that
// did it, which is known by the name of its connection. It shares no code with
// the store, and the nodes know nothing of it.
type audit struct{ url string }

// auditTables are made in the database of the nodes, behind their own tables.
//
// What a note of a write says of the epoch is what the caller's row has at the
// moment of the write, in the same transaction: if a process that has lost a
// caller could write to it, the note would have the epoch of one process and the
// name of another.
const auditTables = `
CREATE SCHEMA chaos;
CREATE TABLE chaos.notes (
	note   bigserial PRIMARY KEY,
	at     timestamptz NOT NULL DEFAULT clock_timestamp(),
	writer text NOT NULL DEFAULT current_setting('application_name'),
	what   text NOT NULL,
	caller bigint NOT NULL,
	seq    bigint NOT NULL,
	epoch  bigint NOT NULL
);

CREATE FUNCTION chaos.written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO chaos.notes (what, caller, seq, epoch)
	SELECT TG_ARGV[0], r.caller, r.seq, c.epoch FROM rows r JOIN fairfactor.callers c ON c.number = r.caller;
	RETURN NULL;
END $$;
CREATE TRIGGER accepted AFTER INSERT ON fairfactor.queue REFERENCING NEW TABLE AS rows
	FOR EACH STATEMENT EXECUTE FUNCTION chaos.written('accepted');
CREATE TRIGGER saved AFTER UPDATE ON fairfactor.queue REFERENCING NEW TABLE AS rows
	FOR EACH STATEMENT EXECUTE FUNCTION chaos.written('saved');
CREATE TRIGGER ended AFTER INSERT ON fairfactor.jobs REFERENCING NEW TABLE AS rows
	FOR EACH STATEMENT EXECUTE FUNCTION chaos.written('ended');
CREATE TRIGGER changed AFTER UPDATE ON fairfactor.jobs REFERENCING NEW TABLE AS rows
	FOR EACH STATEMENT EXECUTE FUNCTION chaos.written('changed');
CREATE TRIGGER deleted AFTER DELETE ON fairfactor.jobs REFERENCING OLD TABLE AS rows
	FOR EACH STATEMENT EXECUTE FUNCTION chaos.written('deleted');

CREATE FUNCTION chaos.claimed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO chaos.notes (what, caller, seq, epoch) VALUES ('claimed', NEW.number, 0, NEW.epoch);
	RETURN NULL;
END $$;
CREATE TRIGGER first AFTER INSERT ON fairfactor.callers
	FOR EACH ROW WHEN (NEW.epoch > 0) EXECUTE FUNCTION chaos.claimed();
CREATE TRIGGER claimed AFTER UPDATE ON fairfactor.callers
	FOR EACH ROW WHEN (OLD.epoch IS DISTINCT FROM NEW.epoch) EXECUTE FUNCTION chaos.claimed();

CREATE FUNCTION chaos.scheduled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO chaos.notes (what, caller, seq, epoch) VALUES ('scheduler', 0, 0, NEW.epoch);
	RETURN NULL;
END $$;
CREATE TRIGGER scheduled AFTER UPDATE ON fairfactor.scheduler
	FOR EACH ROW WHEN (OLD.epoch IS DISTINCT FROM NEW.epoch) EXECUTE FUNCTION chaos.scheduled();
`

// do runs something on a connection of its own.
func (a *audit) do(ctx context.Context, f func(*pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, a.url)
	if err != nil {
		return fmt.Errorf("the audit can't reach the database: %w", err)
	}
	defer c.Close(context.WithoutCancel(ctx))
	return f(c)
}

// snapshot reads all from one moment: a job that ends meanwhile is seen once.
func (a *audit) snapshot(ctx context.Context, f func(pgx.Tx) error) error {
	return a.do(ctx, func(c *pgx.Conn) error {
		return pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, f)
	})
}

// install makes the triggers. The nodes' tables must be there.
func (a *audit) install(ctx context.Context) error {
	return a.do(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, auditTables)
		return err
	})
}

// scheduler returns the process that claimed the scheduler last, or nothing if
// none has since the audit began.
func (a *audit) scheduler(ctx context.Context) (string, error) {
	return a.latest(ctx, `SELECT writer FROM chaos.notes WHERE what = 'scheduler' ORDER BY note DESC LIMIT 1`)
}

// owner returns the process that claimed a caller last, or nothing.
func (a *audit) owner(ctx context.Context, caller string) (string, error) {
	return a.latest(ctx, `SELECT writer FROM chaos.notes n JOIN fairfactor.callers c ON n.caller = c.number
		WHERE n.what = 'claimed' AND c.name = $1 ORDER BY n.note DESC LIMIT 1`, caller)
}

func (a *audit) latest(ctx context.Context, question string, args ...any) (writer string, err error) {
	err = a.do(ctx, func(c *pgx.Conn) error { return c.QueryRow(ctx, question, args...).Scan(&writer) })
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return writer, err
}

// unfinished counts the jobs that have not ended.
func (a *audit) unfinished(ctx context.Context) (n int, err error) {
	err = a.do(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, `SELECT count(*) FROM fairfactor.queue`).Scan(&n)
	})
	return n, err
}

// anomalies are the questions about what was written, each with what an answer
// means. A good run has no answers.
var anomalies = []struct{ what, question string }{
	{"jobs that were accepted more than once", `
		SELECT caller, seq, 'accepted ' || count(*) || ' times by ' || string_agg(writer, ', ') FROM chaos.notes
		WHERE what = 'accepted' GROUP BY caller, seq HAVING count(*) > 1`},
	{"jobs that ended more than once", `
		SELECT caller, seq, 'ended ' || count(*) || ' times by ' || string_agg(writer, ', ') FROM chaos.notes
		WHERE what = 'ended' GROUP BY caller, seq HAVING count(*) > 1`},
	// A job that ended before its acceptance was written is written once, as ended,
	// and never accepted. That its caller submitted it is known from the logs.
	{"jobs that were accepted after they ended", `
		SELECT a.caller, a.seq, 'accepted by ' || a.writer FROM chaos.notes a
		JOIN chaos.notes e ON e.what = 'ended' AND e.caller = a.caller AND e.seq = a.seq AND e.note < a.note WHERE a.what = 'accepted'`},
	{"jobs that were saved after their end", `
		SELECT s.caller, s.seq, 'saved by ' || s.writer FROM chaos.notes s
		JOIN chaos.notes e ON e.what = 'ended' AND e.caller = s.caller AND e.seq = s.seq AND e.note < s.note WHERE s.what = 'saved'`},
	{"ended jobs that were changed or deleted", `
		SELECT caller, seq, what || ' by ' || writer FROM chaos.notes WHERE what IN ('changed', 'deleted')`},
	{"jobs that are in the queue and ended too", `
		SELECT q.caller, q.seq, q.number FROM fairfactor.queue q JOIN fairfactor.jobs j USING (caller, seq)`},
	{"epochs of a caller that two processes wrote in, or that were not claimed once", `
		SELECT caller, epoch, string_agg(DISTINCT writer || ' ' || what, ', ') FROM chaos.notes WHERE what <> 'scheduler'
		GROUP BY caller, epoch HAVING count(DISTINCT writer) > 1 OR count(*) FILTER (WHERE what = 'claimed') <> 1`},
	{"writes in an epoch after a later one was claimed", `
		SELECT caller, seq, writer || ' in epoch ' || epoch FROM (
			SELECT *, max(epoch) OVER (PARTITION BY caller ORDER BY note) AS newest FROM chaos.notes WHERE what <> 'scheduler'
		) AS all_notes WHERE epoch < newest`},
	{"epochs of the scheduler that were claimed twice", `
		SELECT 0, epoch, string_agg(writer, ', ') FROM chaos.notes WHERE what = 'scheduler' GROUP BY epoch HAVING count(*) > 1`},
	{"places in the dispatch order that two jobs have", `
		SELECT 0, turn, string_agg(caller || '/' || seq, ', ') FROM fairfactor.jobs WHERE turn > 0 GROUP BY turn HAVING count(*) > 1`},
	{"idempotency keys that made two jobs", `
		SELECT caller, 0, key || ': ' || string_agg(seq::text, ', ') FROM fairfactor.jobs WHERE key <> '' GROUP BY caller, key HAVING count(*) > 1`},
	{"callers whose account does not count their jobs", `
		SELECT c.number, c.completed, 'has ' || c.queued || ' queued, ' || j.ended || ' ended' FROM fairfactor.callers c JOIN (
			SELECT caller, count(*) AS ended FROM fairfactor.jobs GROUP BY caller) j ON j.caller = c.number
		WHERE c.completed + c.failed + c.cancelled <> j.ended OR c.queued <> (SELECT count(*) FROM fairfactor.queue q WHERE q.caller = c.number)`},
}

// anomaly is an answer.
type anomaly struct {
	What     string   `json:"what"`
	Count    int      `json:"count"`
	Examples []string `json:"examples"`
}

// anomalies asks all questions; all jobs must have ended.
func (a *audit) anomalies(ctx context.Context) (found []anomaly, err error) {
	err = a.do(ctx, func(c *pgx.Conn) error {
		for _, o := range anomalies {
			rows, err := c.Query(ctx, o.question)
			if err != nil {
				return fmt.Errorf("%s: %w", o.what, err)
			}
			f := anomaly{What: o.what}
			var caller, number int64
			var words string
			_, err = pgx.ForEachRow(rows, []any{&caller, &number, &words}, func() error {
				if f.Count++; f.Count <= verify.MaxExamples {
					f.Examples = append(f.Examples, fmt.Sprintf("%d/%d: %s", caller, number, words))
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("%s: %w", o.what, err)
			}
			if f.Count > 0 {
				found = append(found, f)
			}
		}
		return nil
	})
	return found, err
}
