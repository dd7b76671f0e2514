package cluster_test

import (
	"context"
	"sync/atomic"
	"testing"

	"fairfactor/cluster"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// counting is a node whose kind "sink" counts and answers its own message.
func counting(b *testing.B, seen *atomic.Int64, join ...string) *cluster.Node {
	c := config(nil, join...)
	answer := wrapperspb.String("done")
	c.Kinds["sink"] = actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*wrapperspb.StringValue); ok {
			seen.Add(1)
			if ctx.Sender() != nil {
				ctx.Respond(answer)
			}
		}
	})
	return start(b, c)
}

func BenchmarkTellLocal(b *testing.B) {
	var seen atomic.Int64
	n := counting(b, &seen)
	m := wrapperspb.String("x")
	b.ReportAllocs()
	for b.Loop() {
		n.Tell("sink", "one", m)
	}
	eventually(b, func() bool { return seen.Load() == int64(b.N) })
}

func BenchmarkAskLocal(b *testing.B) {
	var seen atomic.Int64
	n := counting(b, &seen)
	m := wrapperspb.String("x")
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, longest)
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Ask(ctx, "sink", "one", m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAskProtoactor is the same request as protoactor does it.
func BenchmarkAskProtoactor(b *testing.B) {
	var seen atomic.Int64
	n := counting(b, &seen)
	m := wrapperspb.String("x")
	pid := n.Process("sink", "one")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.System().Root.RequestFuture(pid, m, longest).Result(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkActivate(b *testing.B) {
	var seen atomic.Int64
	n := counting(b, &seen)
	m := wrapperspb.String("x")
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		n.Tell("sink", names(i), m)
		i++
	}
	eventually(b, func() bool { return seen.Load() == int64(b.N) })
}

func BenchmarkAskRemote(b *testing.B) {
	var seen atomic.Int64
	a := counting(b, &seen)
	c := counting(b, &seen, gossipOf(a))
	members(b, 2, a, c)
	m := wrapperspb.String("x")
	identity := ownedBy(b, a, c.ID())
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Ask(b.Context(), "sink", identity, m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("many", func(b *testing.B) {
		b.SetParallelism(64)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := a.Ask(b.Context(), "sink", identity, m); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}
