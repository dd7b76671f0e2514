package factor_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"fairfactor/factor"
)

// Numbers that take many turns.
const (
	twentyDigits = "10000000000000000016800000000000000005031" // two primes of 20 digits
	rsa100       = "1522605027922533360535618378132637429718068114961380688657908494580122963258952897654000350692006139"
)

// step runs one turn and gives the result to the machine.
func step(t *testing.T, r *factor.Runner, m *factor.Machine, turn factor.Turn) {
	t.Helper()
	res, err := r.Run(turn, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(res); err != nil {
		t.Fatal(err)
	}
}

func TestFirstIsTurnZero(t *testing.T) {
	for _, n := range []string{"1", "360", "98765432109876543210", twentyDigits, rsa100} {
		m, err := factor.New(n)
		if err != nil {
			t.Fatal(err)
		}
		if m.Done() || len(m.Remaining()) != 1 {
			t.Errorf("%s: done before the first turn", n)
		}
		got := m.Next(5)
		want := factor.First(n)
		if len(got) != 1 || got[0].ID != 0 || !slices.Equal(got[0].Payload, want.Payload) || got[0].Predict != want.Predict {
			t.Errorf("%s: Next gives %v, First %v", n, got, want)
		}
		if len(m.Next(1)) != 0 {
			t.Errorf("%s: more turns before the first result", n)
		}
		m.Return(0)
		if again := m.Next(1); len(again) != 1 || again[0].ID != 0 {
			t.Errorf("%s: the lost turn is not handed out again", n)
		}
	}
}

// TestAnyOrder gives results back in random order, twice, loses turns, and
// takes a checkpoint now and then.
func TestAnyOrder(t *testing.T) {
	r := seeded(t)
	run := factor.NewRunner()
	for _, n := range []string{"1000000000000000000000007000000000000000000000000000000000000057", "1237940039285380274899124357", product(r, 34, 38, 43, 45), product(r, 40, 40, 150), product(r, 50, 58)} {
		m, err := factor.New(n)
		if err != nil {
			t.Fatal(err)
		}
		var open []factor.Turn
		var old []factor.Result
		for steps := 0; !m.Done(); steps++ {
			if steps > 3000 {
				t.Fatalf("%s: not done after %d steps: %+v", n, steps, m.Progress())
			}
			open = append(open, m.Next(r.IntN(5))...)
			if len(open) == 0 {
				continue
			}
			i := r.IntN(len(open))
			turn := open[i]
			open = slices.Delete(open, i, i+1)
			switch r.IntN(10) {
			case 0:
				m.Return(turn.ID)
				m.Return(turn.ID)
				continue
			case 1:
				m = factor.Reborn(t, n, m)
				open = nil
				continue
			case 2:
				if err := m.Apply(factor.Result{ID: turn.ID, Data: []byte("nonsense")}); err == nil {
					t.Fatal("nonsense was taken")
				}
				continue
			case 3:
				if len(old) > 0 {
					if err := m.Apply(old[r.IntN(len(old))]); err != nil && m == nil {
						t.Fatal(err)
					}
				}
			}
			res, err := run.Run(turn, nil)
			if err != nil {
				t.Fatal(err)
			}
			old = append(old, res)
			for range 2 {
				if err := m.Apply(res); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := factor.Verify(n, m.Primes()); err != nil {
			t.Errorf("%s: %v", n, err)
		}
		if p := m.Progress(); p.Percent != 100 || len(p.Remaining) != 0 || len(m.Next(3)) != 0 {
			t.Errorf("%s: done, but %+v", n, p)
		}
	}
}

// product returns the product of random primes of the given sizes in bits.
func product(r *rand.Rand, bits ...int) string {
	n := primeOf(r, bits[0])
	for _, b := range bits[1:] {
		n.Mul(n, primeOf(r, b))
	}
	return n.String()
}

// TestTurnIDs checks that IDs ascend without a gap and that every open turn is
// its own work.
func TestTurnIDs(t *testing.T) {
	run := factor.NewRunner()
	m, _ := factor.New(twentyDigits)
	step(t, run, m, m.Next(1)[0])
	seen := map[string]bool{}
	for i, turn := range m.Next(40) {
		if turn.ID != uint64(i+1) {
			t.Fatalf("turn %d has ID %d", i+1, turn.ID)
		}
		if seen[string(turn.Payload)] {
			t.Fatalf("turn %d repeats another", turn.ID)
		}
		seen[string(turn.Payload)] = true
	}
}

// cpuTime returns the CPU that this process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// TestTurnsAreShort runs turns of numbers of many sizes against the bound of
// 100 ms of CPU, with a margin for the race detector.
func TestTurnsAreShort(t *testing.T) {
	r := seeded(t)
	run := factor.NewRunner()
	sizes := []int{50, 63, 80, 100, 150, 250, 500, 900}
	if testing.Short() {
		sizes = sizes[:5]
	}
	for _, bits := range sizes {
		n := product(r, bits, bits)
		m, _ := factor.New(n)
		var longest, predicted time.Duration
		for range 12 {
			turns := m.Next(1)
			if len(turns) == 0 {
				break
			}
			start := cpuTime(t)
			step(t, run, m, turns[0])
			if d := cpuTime(t) - start; d > longest {
				longest, predicted = d, turns[0].Predict
			}
		}
		t.Logf("%d bits: longest turn %v, predicted %v", 2*bits, longest, predicted)
		if longest > time.Second {
			t.Errorf("%d bits: a turn took %v", 2*bits, longest)
		}
	}
}

func TestWrongResults(t *testing.T) {
	run := factor.NewRunner()
	m, _ := factor.New("1000036000099") // 1000003 * 1000033
	first := m.Next(1)[0]
	other, err := run.Run(factor.First("1000036000097"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(other); !errors.Is(err, factor.ErrProduct) {
		t.Errorf("result of another number: %v", err)
	}
	claim := []byte{first.Payload[0], 1, 0, 1, 2, 1, 5, 0xe8, 0xd6, 0xca, 0x61, 0x63} // n itself, said to be prime
	if err := m.Apply(factor.Result{Data: claim}); !errors.Is(err, factor.ErrComposite) {
		t.Errorf("a composite that is said to be prime: %v", err)
	}
	again := m.Next(2)
	if len(again) != 1 || again[0].ID != first.ID {
		t.Fatalf("after wrong results: %v", again)
	}
	step(t, run, m, again[0])
	if !m.Done() {
		t.Error("not done")
	}
	if err := m.Apply(factor.Result{ID: 99, Data: claim}); err != nil {
		t.Errorf("unknown turn: %v", err)
	}
}

// TestCheckpoint restores after each of a number of steps; damaged checkpoints
// are refused.
func TestCheckpoint(t *testing.T) {
	r := seeded(t)
	run := factor.NewRunner()
	for _, n := range []string{twentyDigits, product(r, 300, 400), "360"} {
		m, _ := factor.New(n)
		for range 8 {
			_, count := m.Cut()
			cp := m.Checkpoint(count)
			again, err := factor.Restore(n, cp)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(again.Checkpoint(count), cp) || again.Done() != m.Done() ||
				!slices.Equal(again.Primes(), m.Primes()) || !slices.Equal(again.Remaining(), m.Remaining()) {
				t.Fatalf("%s: the restored machine differs", n)
			}
			for range 20 {
				bad := slices.Clone(cp)
				bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
				if _, err := factor.Restore(n, bad); err == nil {
					t.Fatalf("%s: a damaged checkpoint was restored", n)
				}
			}
			if _, err := factor.Restore(n, cp[:r.IntN(len(cp))]); err == nil {
				t.Fatalf("%s: a cut checkpoint was restored", n)
			}
			m = again
			for _, turn := range m.Next(2) {
				step(t, run, m, turn)
			}
		}
		if m.Done() {
			continue
		}
		if _, err := factor.Restore("361", m.Checkpoint(0)); err == nil {
			t.Errorf("%s: restored for another number", n)
		}
	}
}

func TestSameTurnSameResult(t *testing.T) {
	a, b := factor.NewRunner(), factor.NewRunner()
	m, _ := factor.New(rsa100)
	for range 5 {
		for _, turn := range m.Next(2) {
			x, err := a.Run(turn, nil)
			if err != nil {
				t.Fatal(err)
			}
			y, err := b.Run(turn, nil)
			if err != nil || !slices.Equal(x.Data, y.Data) {
				t.Fatalf("turn %d: two runners differ: %v", turn.ID, err)
			}
			if err := m.Apply(x); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestStop checks that a runner asks often enough and stops when told, at every
// place where it asks.
func TestStop(t *testing.T) {
	run := factor.NewRunner()
	m, _ := factor.New(product(seeded(t), 250, 300))
	for range 6 {
		turn := m.Next(1)[0]
		asked := 0
		last, gap := cpuTime(t), time.Duration(0)
		res, err := run.Run(turn, func() bool {
			asked++
			now := cpuTime(t)
			gap, last = max(gap, now-last), now
			return false
		})
		if err != nil {
			t.Fatal(err)
		}
		if gap > 300*time.Millisecond {
			t.Errorf("turn %d: %v of CPU between two looks at stop", turn.ID, gap)
		}
		for at := 1; at <= asked; at++ {
			left := at
			_, err := run.Run(turn, func() bool { left--; return left <= 0 })
			if !errors.Is(err, factor.ErrStopped) {
				t.Fatalf("turn %d, stopped at %d of %d: %v", turn.ID, at, asked, err)
			}
		}
		if err := m.Apply(res); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFactorizeCancel(t *testing.T) {
	n := product(seeded(t), 20, 250, 300)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(150*time.Millisecond, cancel)
	start := time.Now()
	_, err := factor.Factorize(ctx, n, 2)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("canceled after %v", d)
	}
	if _, err := factor.Factorize(ctx, "15", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled before the start: %v", err)
	}
	if _, err := factor.Factorize(context.Background(), "015", 1); !errors.Is(err, factor.ErrNotNumber) {
		t.Errorf("leading zero: %v", err)
	}
}
