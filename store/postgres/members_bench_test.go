package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/postgres/pgtest"
)

// BenchmarkRenew is what a renewal of a lease costs in a cluster of that many
// members, on average: of more than a few, some judge the others and keep all out
// meanwhile. Each member renews five times in a lease, so members × ns/op may not
// reach a fifth of it.
func BenchmarkRenew(b *testing.B) {
	const lease = time.Hour
	server := pgtest.Start(b)
	for _, members := range []int{3, 30, 100, 300, 1000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			s := open(b, server.Database(b))
			defer s.Close()
			table := s.Members()
			ids := make([]string, members)
			for i := range ids {
				ids[i] = fmt.Sprintf("node-%04d", i)
				m := fairfactor.Member{ID: ids[i], Name: ids[i], Address: fmt.Sprintf("10.0.%d.%d:1", i/256, i%256), Gossip: fmt.Sprintf("10.0.%d.%d:2", i/256, i%256)}
				if _, err := table.Join(b.Context(), m, lease); err != nil {
					b.Fatal(err)
				}
			}
			at := 0
			for b.Loop() {
				if _, err := table.Renew(b.Context(), ids[at%members], nil, lease); err != nil {
					b.Fatal(err)
				}
				at++
			}
		})
	}
}
