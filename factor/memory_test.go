package factor

import (
	"runtime"
	"testing"

	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/siqs"
)

// liveBytes is what is reachable on the heap. A second collection frees what had finalizers
// or lay in pools.
func liveBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemory: a machine with all of its relations, and the tables of its runner, take no
// more than was estimated before the sieve began, and at least a third of it.
func TestMemory(t *testing.T) {
	rng := factortest.Seeded(t)
	for _, bits := range []int{150, 180, 198} {
		n := factortest.Semiprime(rng, bits)
		before := liveBytes()
		run := NewRunner()
		m := searching(t, run, n)
		if m.Memory() == 0 {
			t.Fatalf("%d bits: nothing is estimated for a number that will be sieved", bits)
		}
		estimate := siqs.HeldBytes(n.BitLen()) + siqs.SieveBytes(n.BitLen())
		if got := m.Memory(); got != estimate || m.Sieves() && bits > 150 { // at 150, without ADX, no curve comes before the sieve
			t.Errorf("%d bits: %d bytes before the sieve, want %d; sieves: %v", bits, got, estimate, m.Sieves())
		}
		m = sieved(t, run, n)
		both := liveBytes() - before
		var most int64
		for !m.Done() {
			turn := m.Next(1)[0]
			most = max(most, TurnMemory(turn.Payload))
			result, err := run.Run(turn, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Apply(result); err != nil {
				t.Fatal(err)
			}
			if len(m.rest) > 0 {
				both = max(both, liveBytes()-before)
			}
		}
		runtime.KeepAlive(run)
		t.Logf("%d bits: estimated %d KB, live at most %d KB; a turn at most %d KB", bits, estimate>>10, both>>10, most>>10)
		if both > estimate || both < estimate/3 {
			t.Errorf("%d bits: %d KB are live, estimated were %d KB", bits, both>>10, estimate>>10)
		}
		if m.Memory() != 0 {
			t.Errorf("%d bits: a machine that is done still wants %d bytes", bits, m.Memory())
		}
	}
}

// TestTurnMemory: a turn of any kind has an estimate, and a damaged payload too.
func TestTurnMemory(t *testing.T) {
	for _, payload := range [][]byte{nil, {0}, {2, 3}, {2, 3, 0xff, 0xff}, {2, 4}, First("1234567").Payload, make([]byte, 100)} {
		if got := TurnMemory(payload); got != littleBytes && got > littleBytes+1<<10 {
			t.Errorf("%x: %d bytes", payload, got)
		}
	}
}

// TestCurveTurns: a turn of curves with polynomials holds no more than is estimated, and its
// runner no more than it says.
func TestCurveTurns(t *testing.T) {
	rng := factortest.Seeded(t)
	for _, bits := range []int{399, 997} {
		n := factortest.Semiprime(rng, bits)
		w := ecm.Work{N: n.Bytes(), Seed: 1, Count: 1, B1: 20_000, X: []byte{7}, From: 20_001, To: 30_000_000, Step: 18_480}
		payload := w.Encode()
		before := liveBytes()
		run := NewRunner()
		var most int64
		looks := 0
		look := func() bool {
			if looks++; looks%50 == 0 {
				most = max(most, liveBytes()-before)
			}
			return false
		}
		if _, err := run.Run(Turn{Payload: payload}, look); err != nil {
			t.Fatal(err)
		}
		kept, estimate := liveBytes()-before, TurnMemory(payload)
		t.Logf("%d bits: live at most %d KB, estimated %d KB; kept %d KB of %d KB", bits, most>>10, estimate>>10, kept>>10, run.Tables()>>10)
		if again := run.Needs(payload); again > estimate {
			t.Errorf("%d bits: the same turn again needs %d KB", bits, again>>10)
		}
		if most > estimate || most < estimate/4 || kept > run.Tables() || run.Tables() > estimate {
			t.Errorf("%d bits: live at most %d KB, estimated %d KB; kept %d KB, and %d KB as it says", bits, most>>10, estimate>>10, kept>>10, run.Tables()>>10)
		}
	}
}

// TestLittleTurns: a runner that works on numbers without a sieve holds less than littleBytes.
func TestLittleTurns(t *testing.T) {
	rng := factortest.Seeded(t)
	for _, bits := range []int{120, 336, 660} {
		n := factortest.Semiprime(rng, bits)
		if _, err := NewRunner().Run(First(n.String()), nil); err != nil { // what all runners share is made
			t.Fatal(err)
		}
		before := liveBytes()
		run := NewRunner()
		m, err := New(n.String())
		if err != nil {
			t.Fatal(err)
		}
		var most int64
		for range 12 {
			turns := m.Next(1)
			if len(turns) == 0 {
				break
			}
			result, err := run.Run(turns[0], nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Apply(result); err != nil {
				t.Fatal(err)
			}
			most = max(most, liveBytes()-before)
		}
		runtime.KeepAlive(run)
		t.Logf("%d bits: %d KB", bits, most>>10)
		if most > littleBytes {
			t.Errorf("%d bits: %d KB are live, more than %d KB", bits, most>>10, littleBytes>>10)
		}
	}
}
