package postgres_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/postgres/pgtest"
)

// BenchmarkQuickJob measures what a quick job costs, with syncs to a real disk:
// bytes of the server's log, processor time of the server and of this process. Two
// goroutines write groups of as many jobs as there are writers, half each, every
// job of another caller, as a committer does that has a second group under way. A
// job is written once if it ended before it was accepted, and twice otherwise.
func BenchmarkQuickJob(b *testing.B) {
	for _, writers := range []int{48, 256} {
		for _, once := range []bool{true, false} {
			b.Run(fmt.Sprintf("writers=%d/once=%v", writers, once), func(b *testing.B) { quickJobs(b, writers, once) })
		}
	}
}

func quickJobs(b *testing.B, writers int, once bool) {
	server := pgtest.Start(b, "max_wal_size=4GB")
	url := server.Database(b)
	s := open(b, url)
	defer s.Close()
	pens := make([]*pen, writers)
	for i := range pens {
		pens[i] = claim(b, s, fmt.Sprintf("caller-%d", i))
	}
	write := func(pens []*pen) {
		var accepted, ended []fairfactor.Change
		for _, p := range pens {
			ch := p.next()
			ch.Job.Number = strconv.FormatUint(10_000_000_000_037*ch.Job.ID.Seq, 10)
			done := p.done(ch)
			done.Job.Started, done.Job.Attempts, done.Job.Turn = time.Now(), 1, ch.Job.ID.Seq*256
			done.Job.CPU, done.Job.Turns = 20*time.Microsecond, 1
			done.Job.Factors = []fairfactor.Factor{{Prime: strconv.FormatUint(ch.Job.ID.Seq, 10), Exponent: 1}, {Prime: "10000000000037", Exponent: 1}}
			accepted, ended = append(accepted, ch), append(ended, done)
		}
		groups := [][]fairfactor.Change{accepted, ended}
		if once {
			for i := range ended {
				ended[i].Op = fairfactor.AcceptEnded
			}
			groups = groups[1:]
		}
		for _, changes := range groups {
			if errs, err := s.Apply(context.Background(), changes); errs != nil || err != nil {
				b.Error(errs, err)
			}
		}
	}
	write(pens) // makes plans
	wal, theirs, ours := walOf(b, url), serverTime(b, server), ownTime(b)
	jobs := 0
	b.ResetTimer()
	for jobs < b.N {
		var both sync.WaitGroup
		for _, half := range [][]*pen{pens[:writers/2], pens[writers/2:]} {
			both.Go(func() { write(half) })
		}
		both.Wait()
		jobs += writers
	}
	b.StopTimer()
	n := float64(jobs)
	b.ReportMetric(n/b.Elapsed().Seconds(), "jobs/s")
	b.ReportMetric(float64(walOf(b, url)-wal)/n, "wal-B/job")
	b.ReportMetric(float64((serverTime(b, server)-theirs).Microseconds())/n, "db-us/job")
	b.ReportMetric(float64((ownTime(b)-ours).Microseconds())/n, "node-us/job")
	b.ReportMetric(0, "ns/op")
}

// walOf returns how many bytes the server has logged.
func walOf(b *testing.B, url string) (n int64) {
	c, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(b.Context())
	if err := c.QueryRow(b.Context(), "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

func serverTime(b *testing.B, server *pgtest.Server) time.Duration {
	used, err := server.CPU()
	if err != nil {
		b.Fatal(err)
	}
	return used
}

func ownTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
