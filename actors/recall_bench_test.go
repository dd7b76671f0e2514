package actors_test

import (
	"strings"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/caller"
	"fairfactor/store/memory"
)

// BenchmarkRecall is what the store of known results costs a submission before the
// caller's actor hears of it: a small number, one that is not known, one of 60 digits
// that is. The store itself is in memory; store/pebble has its own benchmark.
func BenchmarkRecall(b *testing.B) {
	store := memory.New()
	sys := actors.New(actors.Config{Store: store, KnownSize: 1000})
	known := fairfactor.Known{
		Number: "100433627766186892221372630609062766858404681029709092356097", Complete: true, Used: time.Now(),
		Factors: []fairfactor.Factor{{Prime: "618970019642690137449562111", Exponent: 1}, {Prime: "162259276829213363391578010288127", Exponent: 1}},
	}
	if err := store.Learn(b.Context(), []fairfactor.Known{known}); err != nil {
		b.Fatal(err)
	}
	for name, number := range map[string]string{"small": strings.Repeat("7", 30), "unknown": strings.Repeat("7", 31), "known": known.Number} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			subs := []caller.Submission{{Number: number}}
			for b.Loop() {
				sys.Recall(b.Context(), subs)
			}
			if (subs[0].Known != nil) != (name == "known") {
				b.Fatal("wrong answer")
			}
		})
	}
}
