package postgres_test

import (
	"flag"
	"math/rand/v2"
	"testing"

	"fairfactor"
	"fairfactor/store/postgres/pgtest"
)

// finished is how many finished jobs BenchmarkFull has: go test -bench Full -args -finished 10000000.
var finished = flag.Int("finished", 1_000_000, "finished jobs in BenchmarkFull")

// BenchmarkFull asks a database with many finished jobs and 100,000 that wait.
func BenchmarkFull(b *testing.B) {
	url := pgtest.Start(b, "fsync=off", "max_wal_size=4GB").Database(b)
	open(b, url).Close()
	fill(b, url, *finished, 100_000)
	exec(b, url, "UPDATE fairfactor.jobs SET state = 5, number = '15' WHERE seq = 1 AND caller <= 12")
	s := open(b, url)
	defer s.Close()
	last := uint64(*finished / 100)
	run := func(name string, call func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("job", func() error {
		_, err := s.Job(b.Context(), fairfactor.ID{Nonce: 7, Caller: 1 + rand.Uint64N(100), Seq: 1 + rand.Uint64N(last)})
		return err
	})
	run("list=all", func() error {
		_, err := s.List(b.Context(), fairfactor.Query{Limit: 100})
		return err
	})
	run("list=caller", func() error {
		_, err := s.List(b.Context(), fairfactor.Query{Caller: "c042", Limit: 100})
		return err
	})
	run("list=failed", func() error {
		_, err := s.List(b.Context(), fairfactor.Query{States: fairfactor.In(fairfactor.Failed), Limit: 100})
		return err
	})
	for name, q := range map[string]fairfactor.Query{
		"12 cancelled":       {States: fairfactor.In(fairfactor.Cancelled)},
		"cancelled+pending":  {States: fairfactor.In(fairfactor.Cancelled, fairfactor.Pending)},
		"number":             {Number: "15"},
		"since+until":        {Since: second(100), Until: second(101)},
		"caller+since+until": {Caller: "c042", Since: second(100), Until: second(101)},
	} {
		run("list="+name, func() error {
			q.Limit = 100
			page, err := s.List(b.Context(), q)
			if len(page.Jobs) == 0 {
				b.Error("nothing was found")
			}
			return err
		})
	}
	run("activation", func() error {
		claim, err := s.ClaimCaller(b.Context(), "c105", "")
		if err != nil {
			return err
		}
		_, err = s.Backlog(b.Context(), claim.Number, 0, 256, nil)
		return err
	})
}

// BenchmarkForemost finds the first 1,000 of 100,000 callers that have unfinished jobs: one
// each, and one in a hundred up to 200.
func BenchmarkForemost(b *testing.B) {
	url := pgtest.Start(b, "fsync=off", "max_wal_size=4GB").Database(b)
	open(b, url).Close()
	exec(b, url, `INSERT INTO fairfactor.callers (number, name, epoch, last, queued, known, queued_class)
		SELECT i, 'caller-' || i, 1, n, n, true, CASE WHEN n < 16 THEN 0 ELSE floor(ln((n / 6)::float8) / ln(2::float8) + 1e-9) END
		FROM (SELECT i, CASE WHEN i % 100 = 0 THEN 1 + i / 502 ELSE 1 END AS n FROM generate_series(1, 100000) AS i) AS c`)
	exec(b, url, `INSERT INTO fairfactor.queue (caller, ord, seq, nonce, accepted, number, key, submitted, started, attempts, turn, cpu, turns, factors, reason)
		SELECT c.number, n, n, 7, c.number * 1000 + n, '35', '', now(), now(), 0, 0, 0, 0, '', '' FROM fairfactor.callers AS c, generate_series(1, c.queued) AS n`)
	exec(b, url, "VACUUM ANALYZE")
	s := open(b, url)
	defer s.Close()
	for _, order := range []fairfactor.CallerOrder{fairfactor.ByQueued, fairfactor.ByCPU} {
		b.Run(order.String(), func(b *testing.B) {
			for b.Loop() {
				if all, err := s.Foremost(b.Context(), order, fairfactor.MaxRanked); err != nil || order == fairfactor.ByQueued && (len(all) != fairfactor.MaxRanked || all[0].Queued != 200) {
					b.Fatal(len(all), err)
				}
			}
		})
	}
}

// BenchmarkPopularNumber lists the jobs of a number that 100,000 jobs have, among as many
// others: of all callers, in some states, and of callers with many and with none of them.
func BenchmarkPopularNumber(b *testing.B) {
	url := pgtest.Start(b, "fsync=off", "max_wal_size=4GB").Database(b)
	open(b, url).Close()
	fill(b, url, 200_000, 1000)
	exec(b, url, "UPDATE fairfactor.jobs SET number = '15' WHERE caller <= 50")
	exec(b, url, "UPDATE fairfactor.jobs SET state = 4 WHERE caller <= 50 AND seq % 1000 = 0")
	exec(b, url, "VACUUM ANALYZE")
	s := open(b, url)
	defer s.Close()
	for name, q := range map[string]fairfactor.Query{
		"all": {Number: "15"}, "completed": {Number: "15", States: fairfactor.In(fairfactor.Completed)}, "failed": {Number: "15", States: fairfactor.In(fairfactor.Failed)},
		"since": {Number: "15", Since: second(100)}, "caller": {Number: "15", Caller: "c042"}, "caller without": {Number: "15", Caller: "c077"},
	} {
		b.Run(name, func(b *testing.B) {
			q.Limit = 100
			for b.Loop() {
				page, err := s.List(b.Context(), q)
				if err != nil || len(page.Jobs) != 100 && q.Caller != "c077" {
					b.Fatal(len(page.Jobs), err)
				}
			}
		})
	}
}
