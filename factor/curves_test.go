package factor

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/wire"
)

// rsa110 is a product of two primes of 55 digits: there are only curves for it.
const rsa110 = "35794234179725868774991807832568455403003778024228226193532908190484670252364677411513516111204504060317568667"

// unsplit returns a machine of n whose first turn has found nothing, with curves that
// were run before.
func unsplit(t *testing.T, n string, done ...Curves) *Machine {
	t.Helper()
	m, err := New(n)
	if err != nil {
		t.Fatal(err)
	}
	m.Credit(done)
	m.Next(1)
	v, _ := new(big.Int).SetString(n, 10)
	if err := m.Apply(Result{Data: encodeParts([]part{partOf(v, 1, 0)}, 0)}); err != nil {
		t.Fatal(err)
	}
	return m
}

// findNothing runs turns that find nothing until the machine has run that many
// curves or more at the first bound.
func findNothing(t *testing.T, m *Machine, B1, count uint64) {
	t.Helper()
	for !slices.ContainsFunc(m.Curves(), func(c Curves) bool { return c.B1 == B1 && c.Count >= count }) {
		turn := m.Next(1)[0]
		data := []byte{wire.Version, wire.FoundNothing}
		if o := m.open[turn.ID]; o.curve != nil && o.curve.work.To == 0 || o.smooth != nil && o.smooth.work.To == 0 {
			data = wire.AppendBlob([]byte{wire.Version, wire.FoundPoint}, []byte{7})
		}
		if err := m.Apply(Result{ID: turn.ID, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
}

// firstCurves returns the first bound of the curves that come next.
func firstCurves(t *testing.T, m *Machine) uint64 {
	t.Helper()
	for {
		o := m.open[m.Next(1)[0].ID]
		if o.smooth != nil {
			o.of.smooth, o.of.searches = nil, o.of.searches+1
			continue
		}
		w, err := ecm.DecodeWork(o.turn.Payload)
		if err != nil {
			t.Fatal(err)
		}
		return w.B1
	}
}

// TestRecordGoesOn: curves that were run are not run again, whether the machine comes from a
// checkpoint, or is a new one that is told of them, as a retry is.
func TestRecordGoesOn(t *testing.T) {
	m := unsplit(t, rsa110)
	findNothing(t, m, 11_000, 40)
	done := m.Curves()
	if len(done) != 2 || done[0] != (Curves{B1: 2000, Count: 25}) || done[1].B1 != 11_000 {
		t.Fatalf("curves: %v", done)
	}
	restored, err := Restore(rsa110, m.Checkpoint(0))
	if err != nil {
		t.Fatal(err)
	}
	for name, again := range map[string]*Machine{"restored": restored, "told": unsplit(t, rsa110, done...)} {
		if got := again.Curves(); !slices.Equal(got, done) {
			t.Errorf("%s: curves %v, want %v", name, got, done)
		}
		if B1 := firstCurves(t, again); B1 != 11_000 {
			t.Errorf("%s: goes on with B1 = %d", name, B1)
		}
		findNothing(t, again, 50_000, 1)
		if got, want := again.Curves()[1].Count, uint64(85); got < want-3 || got > want+5 {
			t.Errorf("%s: %d curves at 11,000 in all, want about %d: those at 2,000 are worth some", name, got, want)
		}
	}
}

// TestFactorsKeepTheRecord: what was run on a number was run on its factors.
func TestFactorsKeepTheRecord(t *testing.T) {
	p, q := new(big.Int).Exp(big.NewInt(10), big.NewInt(150), nil), new(big.Int).Exp(big.NewInt(10), big.NewInt(170), nil)
	p.Add(p, big.NewInt(1)) // both are composite without small factors that matter here
	q.Add(q, big.NewInt(1))
	n := new(big.Int).Mul(p, q)
	m := unsplit(t, n.String(), Curves{B1: 250_000, Count: 77}, Curves{B1: 11_000, Count: 3})
	c := m.rest[0]
	m.replace(c, []*big.Int{p, q})
	if len(m.rest) != 2 {
		t.Fatalf("%d cofactors", len(m.rest))
	}
	m.rest[0].ran(3, 5)
	want := []Curves{{B1: 11_000, Count: 3}, {B1: 250_000, Count: 77}}
	if got := m.Curves(); !slices.Equal(got, want) {
		t.Errorf("curves on both %v, want %v", got, want)
	}
}

// TestDivisors: divisors that are known are used, prime or not, and others do no harm.
func TestDivisors(t *testing.T) {
	p, q, r := "1000000000000000000000000000057", "10000000000000000000000000000000000000121", "100000000000000000000000000000000000000000000000151"
	n := big.NewInt(1)
	for _, s := range []string{p, q, r} {
		v, _ := new(big.Int).SetString(s, 10)
		n.Mul(n, v)
	}
	a, _ := new(big.Int).SetString(p, 10)
	b, _ := new(big.Int).SetString(q, 10)
	m, _ := New(n.String())
	m.Divide([]string{"12345678901234567891", new(big.Int).Mul(a, b).String(), p})
	run := NewRunner()
	for range 40 {
		if m.Done() {
			break
		}
		for _, turn := range m.Next(1) {
			res, err := run.Run(turn, nil)
			if err == nil {
				err = m.Apply(res)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if !m.Done() {
		t.Fatalf("not done: %v of %v", m.Remaining(), m.Primes())
	}
	if err := Verify(n.String(), m.Primes()); err != nil {
		t.Error(err)
	}
}

// TestPlan makes up records of curves and holds the plan to what it promises.
func TestPlan(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		var r record
		for range rng.IntN(6) {
			B1 := uint64(1) << (7 + rng.IntN(30))
			if rng.IntN(2) == 0 {
				B1 = ecm.Levels[rng.IntN(len(ecm.Levels))].B1
			}
			r.add(Curves{B1: B1, Count: 1 + rng.Uint64N(3000)})
		}
		if !slices.IsSortedFunc(r.done, func(a, b Curves) int { return int(a.B1) - int(b.B1) }) {
			t.Fatalf("not ascending: %v", r.done)
		}
		at := r.level(0)
		for level := range at {
			if r.missing(level) != 0 {
				t.Fatalf("%v: level %d is left out and misses %d curves", r.done, level, r.missing(level))
			}
		}
		if r.missing(at) == 0 {
			t.Fatalf("%v: nothing is missing at level %d", r.done, at)
		}
		more := r.clone()
		i := rng.IntN(len(ecm.Levels) - 1)
		more.add(Curves{B1: ecm.Levels[i].B1, Count: 1})
		for level := range ecm.Levels {
			if more.missing(level) > r.missing(level) {
				t.Fatalf("%v: one more curve of level %d makes level %d miss more", r.done, i, level)
			}
		}
		if before := r.missing(i); before > 0 && before-more.missing(i) != 1 {
			t.Fatalf("%v: a curve of level %d: %d missing before, %d after", r.done, i, before, more.missing(i))
		}
		more.add(Curves{B1: ecm.Levels[i].B1, Count: ecm.Levels[i].Curves})
		if more.level(0) <= i {
			t.Fatalf("all curves of level %d, and the plan is at %d", i, more.level(0))
		}
		read := wire.Reader{B: appendRecord(nil, more.done)}
		if back := readRecord(&read); read.Bad || len(read.B) != 0 || !slices.Equal(back.done, more.done) {
			t.Fatalf("%v came back as %v", more.done, back.done)
		}
	}
}

// TestCreditIsBounded: what a caller claims can't grow without bound, or break the plan.
func TestCreditIsBounded(t *testing.T) {
	m, _ := New(rsa110)
	claims := []Curves{{B1: 1, Count: 5}, {B1: MaxCurveB1 + 1, Count: 5}}
	for i := range 100 {
		claims = append(claims, Curves{B1: MinCurveB1 + uint64(i), Count: 1 << 63})
	}
	m.Credit(claims)
	if got := m.Curves(); len(got) > MaxCurveBounds+len(ecm.Levels) || got[0] != (Curves{B1: MinCurveB1, Count: MaxCurveCount}) {
		t.Errorf("%d bounds, first %v", len(got), got[0])
	}
	last := len(ecm.Levels) - 1
	m = unsplit(t, rsa110, Curves{B1: MaxCurveB1, Count: MaxCurveCount})
	if B1 := firstCurves(t, m); B1 != ecm.Levels[last].B1 {
		t.Errorf("after everything, B1 = %d", B1)
	}
	if p := m.Progress(); p.Percent > 99 || p.Left < 0 {
		t.Errorf("progress %v, %v left", p.Percent, p.Left)
	}
}

// TestCheckpointWithoutRecords reads a checkpoint of the version before, of RSA-110 after
// five curves or so at 50,000.
func TestCheckpointWithoutRecords(t *testing.T) {
	text, err := os.ReadFile("testdata/checkpoint-without-records.hex")
	if err != nil {
		t.Fatal(err)
	}
	old, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Restore(rsa110, old)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(m.Curves()); got != "[{2000 25} {11000 90} {50000 5}]" {
		t.Errorf("curves: %s", got)
	}
	if B1 := firstCurves(t, m); B1 != 50_000 {
		t.Errorf("goes on with B1 = %d", B1)
	}
	if _, err := Restore(rsa110, m.Checkpoint(0)); err != nil {
		t.Error(err)
	}
}

// TestPartsHaveCurvesOfTheirOwn: p-1 finds a factor of a number of 97 digits with more CPU than
// the rest of 75 digits has for curves. They are run on it all the same, and find the
// next factor, of 12 digits, before the sieve.
func TestPartsHaveCurvesOfTheirOwn(t *testing.T) {
	const number = "3147525226907384220629848181534278782727646872358953396286245834212589725965509221391997785001011"
	m, err := New(number)
	if err != nil {
		t.Fatal(err)
	}
	run := NewRunner()
	for !m.Done() {
		turn := m.Next(1)[0]
		if turn.Payload[1] == wire.KindSieve {
			t.Fatalf("a turn of the sieve after %v: %+v", m.Curves(), m.Progress())
		}
		step(t, run, m, turn)
	}
	if err := Verify(number, m.Primes()); err != nil {
		t.Error(err)
	}
}
