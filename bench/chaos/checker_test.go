package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/fleet"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// history is a database with an audit, and hands that write to it as nodes would,
// and as they must not.
type history struct {
	*testing.T
	audit *audit
	conns map[string]*pgx.Conn
}

// newHistory makes the nodes' tables and watches them.
func newHistory(t *testing.T) *history {
	t.Helper()
	pgtest.Need(t)
	server, url, err := fleet.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Remove)
	store, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	store.Close()
	c := &history{T: t, audit: &audit{url: url}, conns: map[string]*pgx.Conn{}}
	if err := c.audit.install(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// as runs a statement as a process.
func (c *history) as(process, statement string, args ...any) {
	c.Helper()
	conn := c.conns[process]
	if conn == nil {
		var err error
		if conn, err = pgx.Connect(c.Context(), c.audit.url+"&application_name="+process); err != nil {
			c.Fatal(err)
		}
		c.Cleanup(func() { conn.Close(context.WithoutCancel(c.Context())) })
		c.conns[process] = conn
	}
	if _, err := conn.Exec(c.Context(), statement, args...); err != nil {
		c.Fatalf("%s: %v", statement, err)
	}
}

func (c *history) claims(process string, caller int) {
	c.Helper()
	c.as(process, `INSERT INTO fairfactor.callers (number, name, epoch) VALUES ($1, 'caller-' || $1::bigint, 1)
		ON CONFLICT (number) DO UPDATE SET epoch = callers.epoch + 1`, caller)
}

func (c *history) accepts(process string, caller, seq int, number, key string) {
	c.Helper()
	c.as(process, `INSERT INTO fairfactor.queue (caller, ord, seq, nonce, accepted, number, key, submitted, started, attempts, turn, cpu, turns, factors, reason)
		VALUES ($1, $2, $2, 7, $2, $3, $4, now(), '0001-01-01', 0, 0, 0, 0, '', '')`, caller, seq, number, key)
}

func (c *history) ends(process string, caller, seq, turn int, factors string) {
	c.Helper()
	c.as(process, `WITH gone AS (DELETE FROM fairfactor.queue WHERE caller = $1 AND seq = $2 RETURNING *),
		counted AS (UPDATE fairfactor.callers SET completed = completed + 1 WHERE number = $1)
		INSERT INTO fairfactor.jobs SELECT caller, seq, ord, nonce, accepted, 3, number, key, submitted, now(), now(), 1, $3, 1000, 1, $4, '' FROM gone`,
		caller, seq, turn, factors)
}

func idOf(caller, seq int) string {
	return fairfactor.ID{Nonce: 7, Caller: uint64(caller), Seq: uint64(seq)}.String()
}

// goodHistory is a run without an anomaly: two processes, one caller that moves from
// one to the other, and a job that ended before its acceptance was written. The
// callers' logs go with it.
func goodHistory(t *testing.T) (*history, []submission) {
	t.Helper()
	c := newHistory(t)
	c.claims("n1/1", 1)
	c.claims("n2/1", 2)
	c.accepts("n1/1", 1, 1, "15", "")
	c.accepts("n1/1", 1, 2, "21", "k")
	c.accepts("n2/1", 2, 1, "35", "")
	c.as("n1/1", `UPDATE fairfactor.scheduler SET epoch = epoch + 1`)
	c.as("n1/1", `UPDATE fairfactor.queue SET checkpoint = 'x' WHERE caller = 1 AND seq = 1`)
	c.ends("n1/1", 1, 1, 1, "3 5")
	c.claims("n2/1", 1) // another process goes on
	c.ends("n2/1", 1, 2, 2, "3 7")
	c.ends("n2/1", 2, 1, 3, "5 7?")
	c.as("n2/1", `WITH counted AS (UPDATE fairfactor.callers SET completed = completed + 1 WHERE number = 2)
		INSERT INTO fairfactor.jobs (caller, seq, ord, nonce, accepted, state, number, key, submitted, started, finished, attempts, turn, cpu, turns, factors, reason)
		VALUES (2, 2, 2, 7, 2, 3, '55', '', now(), now(), now(), 1, 4, 1000, 1, '5 11', '')`)
	return c, []submission{
		{Caller: "caller-1", Number: "15", Outcome: accepted, ID: idOf(1, 1)},
		{Caller: "caller-1", Number: "21", Outcome: accepted, Key: "k", ID: idOf(1, 2)},
		{Caller: "caller-2", Number: "55", Outcome: accepted, ID: idOf(2, 2)},
		{Caller: "caller-2", Number: "35", Outcome: unknown},
		{Caller: "caller-2", Number: "77", Outcome: refused},
		{Caller: "caller-2", Number: "143", Outcome: unknown},
	}
}

// TestCheckerPassesAGoodHistory also asks who owns what.
func TestCheckerPassesAGoodHistory(t *testing.T) {
	c, logs := goodHistory(t)
	v, err := c.audit.check(t.Context(), logs, 100*time.Microsecond)
	if err != nil || v.broken() != 0 || v.Accepted != 3 || v.Completed != 3 || v.Unsure != 2 || v.Kept != 1 {
		t.Fatalf("%+v, %v", v, err)
	}
	for process, want := range map[string]func() (string, error){
		"n1/1": func() (string, error) { return c.audit.scheduler(t.Context()) },
		"n2/1": func() (string, error) { return c.audit.owner(t.Context(), "caller-1") },
		"":     func() (string, error) { return c.audit.owner(t.Context(), "no-such-caller") },
	} {
		if got, err := want(); got != process || err != nil {
			t.Errorf("%q, %v; want %q", got, err, process)
		}
	}
}

// planted is an anomaly that is made on top of a good history, and undone.
type planted struct {
	what string // part of the words of the anomaly that must be found
	as   string // the process that does it
	do   string
	undo string // besides the notes
}

// note is a statement that plants a note.
func note(writer, what string, caller, seq, epoch int) string {
	return fmt.Sprintf(`INSERT INTO chaos.notes (writer, what, caller, seq, epoch) VALUES ('%s', '%s', %d, %d, %d)`, writer, what, caller, seq, epoch)
}

// plants has at least one for each of [anomalies].
var plants = []planted{
	{"accepted more than once", "n1/1", note("n1/1", "accepted", 1, 1, 1), ""},
	{"ended more than once", "n2/1", note("n2/1", "ended", 2, 1, 1), ""},
	{"accepted after they ended", "n2/1", note("n2/1", "accepted", 2, 2, 1), ""},
	{"saved after their end", "n2/1", note("n2/1", "saved", 2, 1, 1), ""},
	{"changed or deleted", "n2/1", `UPDATE fairfactor.jobs SET cpu = cpu + 1 WHERE caller = 2`, ""},
	{"changed or deleted", "n2/1", `DELETE FROM fairfactor.jobs WHERE caller = 2 AND seq = 2`, `INSERT INTO fairfactor.jobs
		SELECT caller, 2, 2, nonce, accepted, state, '55', key, submitted, started, finished, attempts, 4, cpu, turns, '5 11', reason FROM fairfactor.jobs WHERE caller = 2 AND seq = 1`},
	{"in the queue and ended", "n2/1", `INSERT INTO fairfactor.queue (caller, ord, seq, nonce, accepted, number, key, submitted, started, attempts, turn, cpu, turns, factors, reason)
		VALUES (2, 1, 1, 7, 1, '35', '', now(), now(), 0, 0, 0, 0, '', '')`, `DELETE FROM fairfactor.queue`},
	{"two processes wrote in", "n3/1", `UPDATE fairfactor.jobs SET cpu = cpu WHERE caller = 2`, ""},
	{"not claimed once", "n2/1", note("n2/1", "saved", 2, 5, 7), ""},
	{"not claimed once", "n2/1", note("n2/1", "claimed", 2, 0, 1), ""},
	{"after a later one", "n1/1", note("n1/1", "saved", 1, 3, 1), ""},
	{"scheduler that were claimed twice", "n2/1", note("n2/1", "scheduler", 0, 0, 1), ""},
	{"places in the dispatch order", "n2/1", `UPDATE fairfactor.jobs SET turn = 2 WHERE caller = 2 AND seq = 1`, `UPDATE fairfactor.jobs SET turn = 3 WHERE caller = 2 AND seq = 1`},
	{"idempotency keys", "n2/1", `INSERT INTO fairfactor.jobs SELECT caller, 8, 8, nonce, accepted, state, '1', key, submitted, started, finished, attempts, 9, cpu, turns, '', reason
		FROM fairfactor.jobs WHERE caller = 1 AND seq = 2`, `DELETE FROM fairfactor.jobs WHERE seq = 8`},
	{"account does not count", "n2/1", `UPDATE fairfactor.callers SET completed = 7 WHERE number = 2`, `UPDATE fairfactor.callers SET completed = 2 WHERE number = 2`},
}

// TestCheckerFindsEveryAnomaly plants each, wants it found, and undoes it.
func TestCheckerFindsEveryAnomaly(t *testing.T) {
	c, _ := goodHistory(t)
	var last int64
	if err := c.audit.do(t.Context(), func(conn *pgx.Conn) error {
		return conn.QueryRow(t.Context(), `SELECT max(note) FROM chaos.notes`).Scan(&last)
	}); err != nil {
		t.Fatal(err)
	}
	foundOnce := map[string]bool{}
	for i, p := range plants {
		c.as(p.as, p.do)
		found, err := c.audit.anomalies(t.Context())
		at := slices.IndexFunc(found, func(a anomaly) bool { return strings.Contains(a.What, p.what) })
		if err != nil || at < 0 {
			t.Errorf("%d, %s: found %+v, %v", i, p.what, found, err)
		} else {
			foundOnce[found[at].What] = true
		}
		if p.undo != "" {
			c.as(p.as, p.undo)
		}
		c.as(p.as, `DELETE FROM chaos.notes WHERE note > $1`, last)
		if found, err := c.audit.anomalies(t.Context()); len(found) > 0 || err != nil {
			t.Fatalf("%d, %s is not undone: %+v, %v", i, p.what, found, err)
		}
	}
	for _, a := range anomalies {
		if !foundOnce[a.what] {
			t.Errorf("nothing plants %s", a.what)
		}
	}
}

// TestCompareLogs compares logs with stores that do not keep what was promised.
func TestCompareLogs(t *testing.T) {
	made := func(caller, seq int, number, status, factors, key string) stored {
		return stored{Job: client.Job{ID: idOf(caller, seq), Caller: fmt.Sprint("c", caller), Number: number, Status: status, Result: factorsOf(factors), Turn: uint64(seq)}, key: key}
	}
	good := made(1, 1, "60", "completed", "2^2 3 5", "")
	log := submission{Caller: "c1", Number: "60", Outcome: accepted, ID: idOf(1, 1)}
	keyed, away := log, log
	keyed.Key = "k"
	away.Outcome = refused
	strange := log
	strange.Outcome = unexpected
	samePlace := made(1, 2, "62", "completed", "2 31", "")
	samePlace.Turn = good.Turn
	other := submission{Caller: "c1", Number: "62", Outcome: accepted, ID: idOf(1, 2)}
	unsure := log
	unsure.Outcome, unsure.ID = unknown, ""
	for name, o := range map[string]struct {
		logs  []submission
		jobs  []stored
		count func(*verdict) int
		fine  bool // no promise was broken
	}{
		"lost":              {[]submission{log}, nil, func(v *verdict) int { return v.Lost }, false},
		"failed":            {[]submission{log}, []stored{made(1, 1, "60", "failed", "", "")}, func(v *verdict) int { return v.Failed }, false},
		"unfinished":        {[]submission{log}, []stored{made(1, 1, "60", "pending", "", "")}, func(v *verdict) int { return v.Unfinished }, false},
		"not prime":         {[]submission{log}, []stored{made(1, 1, "60", "completed", "4 3 5", "")}, func(v *verdict) int { return v.Wrong }, false},
		"incomplete":        {[]submission{log}, []stored{made(1, 1, "60", "completed", "2 3 5", "")}, func(v *verdict) int { return v.Wrong }, false},
		"another's":         {[]submission{log}, []stored{made(1, 1, "61", "completed", "61", "")}, func(v *verdict) int { return v.Wrong }, false},
		"twice":             {[]submission{log, log}, []stored{good}, func(v *verdict) int { return v.Twice }, false},
		"refused":           {[]submission{away}, []stored{good}, func(v *verdict) int { return v.Denied }, false},
		"unsubmitted":       {nil, []stored{good}, func(v *verdict) int { return v.Unsubmitted }, false},
		"unexpected":        {[]submission{strange}, nil, func(v *verdict) int { return v.Unexpected }, false},
		"key repeated":      {[]submission{keyed}, []stored{good, made(1, 2, "60", "completed", "2^2 3 5", "k")}, func(v *verdict) int { return v.Unsubmitted }, false},
		"cancelled":         {[]submission{log}, []stored{made(1, 1, "60", "cancelled", "", "")}, func(v *verdict) int { return v.Failed }, false},
		"same place":        {[]submission{log, other}, []stored{good, samePlace}, func(v *verdict) int { return v.Twice }, false},
		"without an answer": {[]submission{unsure}, []stored{good}, func(v *verdict) int { return v.Kept }, true},
		"repeated":          {[]submission{log}, []stored{good, made(1, 2, "60", "completed", "2^2 3 5", "")}, func(v *verdict) int { return v.Repeated }, true},
		"good":              {[]submission{log}, []stored{good}, func(v *verdict) int { return v.Completed }, true},
	} {
		v := compareLogs(o.logs, o.jobs)
		if o.count(v) != 1 || (v.broken() == 0) != o.fine {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestCompareCancellations compares what callers were told with stores that keep it
// and that do not.
func TestCompareCancellations(t *testing.T) {
	for _, o := range []struct {
		told   cancellation
		status string
		want   verdict
		fine   bool
	}{
		{cancelled, "cancelled", verdict{Cancelled: 1}, true},
		{maybe, "cancelled", verdict{Cancelled: 1}, true},
		{maybe, "completed", verdict{}, true},
		{tooLate, "completed", verdict{}, true},
		{cancelled, "completed", verdict{Uncancelled: 1}, false},
		{cancelled, "pending", verdict{Uncancelled: 1}, false},
		{tooLate, "cancelled", verdict{}, false},
		{"", "cancelled", verdict{}, false},
	} {
		job := client.Job{ID: idOf(1, 1), Caller: "c1", Number: "15", Status: o.status, Turn: 1}
		if o.status == "completed" {
			job.Result = factorsOf("3 5")
		}
		v := compareLogs([]submission{{Caller: "c1", Number: "15", Outcome: accepted, ID: job.ID, Cancel: o.told}}, []stored{{Job: job}})
		if v.Accepted != 1 || v.Cancelled != o.want.Cancelled || v.Uncancelled != o.want.Uncancelled || (v.broken() == 0) != o.fine {
			t.Errorf("told %q, is %s: %+v", o.told, o.status, v)
		}
	}
}

// TestMerge merges what two connections were told of one key.
func TestMerge(t *testing.T) {
	told := func(o outcome, id string) submission { return submission{Outcome: o, ID: id, Key: "k"} }
	for _, o := range []struct{ one, other, want submission }{
		{told(accepted, "a"), told(accepted, "a"), told(accepted, "a")},
		{told(accepted, "a"), told(accepted, "b"), told(unexpected, "a")},
		{told(accepted, "a"), told(refused, ""), told(accepted, "a")},
		{told(unknown, ""), told(accepted, "a"), told(accepted, "a")},
		{told(refused, ""), told(unknown, ""), told(unknown, "")},
		{told(refused, ""), told(refused, ""), told(refused, "")},
		{told(accepted, "a"), told(unexpected, ""), told(unexpected, "a")},
	} {
		l := o.one
		l.merge(&o.other)
		if l.Outcome != o.want.Outcome || l.ID != o.want.ID {
			t.Errorf("%+v and %+v: %+v", o.one, o.other, l)
		}
	}
}

// TestSightings looks at jobs in orders that are right and wrong.
func TestSightings(t *testing.T) {
	const (
		waits     = `{"request_id":"x","status":"pending"}`
		ended     = `{"request_id":"x","status":"completed","result":{"3":1,"5":1},"finished_at":"2031-01-01T00:00:00Z","attempts":1}`
		otherwise = `{"request_id":"x","status":"completed","result":{"3":1,"5":1},"finished_at":"2031-01-01T00:00:01Z","attempts":1}`
		cancelled = `{"request_id":"x","status":"cancelled"}`
	)
	type look struct {
		status int
		body   string
	}
	for name, o := range map[string]struct {
		looks []look
		wrong int
	}{
		"an end":          {[]look{{200, waits}, {200, ended}, {200, ended}}, 0},
		"no answer":       {[]look{{200, ended}, {503, ""}, {200, ended}}, 0},
		"back to waiting": {[]look{{200, ended}, {200, waits}}, 1},
		"another state":   {[]look{{200, ended}, {200, cancelled}}, 1},
		"another end":     {[]look{{200, ended}, {200, otherwise}, {200, ended}}, 1},
		"forgotten":       {[]look{{404, ""}}, 1},
	} {
		var s sightings
		for _, l := range o.looks {
			s.see("x", s.ended("x"), l.status, []byte(l.body))
		}
		v := &verdict{}
		v.look(&s, &orders{})
		if v.Stale != o.wrong || (v.broken() == 0) != (o.wrong == 0) {
			t.Errorf("%s: %d reads of %d are wrong: %v", name, v.Stale, v.Reads, v.Examples)
		}
	}
	var s sightings // two reads at once may see an end in either order
	before := s.ended("x")
	s.see("x", before, 200, []byte(ended))
	s.see("x", before, 200, []byte(waits))
	if s.wrong != 0 {
		t.Error("a read that began before an end was seen need not see it")
	}
}
