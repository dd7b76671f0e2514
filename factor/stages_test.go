package factor

import (
	"bytes"
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/siqs"
	"fairfactor/factor/internal/wire"
)

// Reborn returns the machine of n as it is after a checkpoint of m.
func Reborn(t *testing.T, n string, m *Machine) *Machine {
	t.Helper()
	_, count := m.Cut()
	again, err := Restore(n, m.Checkpoint(count))
	if err != nil {
		t.Fatal(err)
	}
	for i, ok := again.Missing(); ok; i, ok = again.Missing() {
		if err := again.Load(i, m.Piece(i)); err != nil {
			t.Fatal(err)
		}
	}
	return again
}

// sieved returns the machine of n with the relations that it needs.
func sieved(t *testing.T, run *Runner, n *big.Int) *Machine {
	t.Helper()
	m := searching(t, run, n)
	c := m.rest[0]
	c.handed = 1e18 // no curves before the sieve
	for c.collection == nil || c.collection.Independent() < c.collection.Enough {
		res, err := run.Run(m.Next(1)[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Apply(res); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// fewSteps makes a turn of block Lanczos one of at most so many steps: at this size
// one turn would take all of them.
func fewSteps(turn Turn, steps int) Turn {
	if turn.Payload[1] == wire.KindSolve {
		p := wire.Reader{B: turn.Payload[2:]}
		p.Uvarint()
		packed := p.Blob(len(p.B))
		turn.Payload = siqs.SolvePayload(packed, p.B, steps)
	}
	return turn
}

// stageKinds are the turns of the stages, in their order.
var stageKinds = []byte{wire.KindCycles, wire.KindColumns, wire.KindFilter, wire.KindSolve, wire.KindRoot}

// TestStages sieves the smallest number that is solved in stages, 61 digits, and
// takes it through them.
func TestStages(t *testing.T) {
	if testing.Short() {
		t.Skip("long; what follows the sieve does not depend on the processor, and TestStagesAnyOrder has smaller numbers")
	}
	r := factortest.Seeded(t)
	bits := 200
	for siqs.ParametersFor(bits).Base <= siqs.WholeBase {
		bits++
	}
	n := factortest.Semiprime(r, bits)
	run := NewRunner()
	m := sieved(t, run, n)
	t.Run("faults", func(t *testing.T) { stagesWithFaults(t, r, n, Reborn(t, n.String(), m)) })
	t.Run("stop", func(t *testing.T) { stagesStopped(t, r, Reborn(t, n.String(), m)) })
	t.Run("restart", func(t *testing.T) { algebraRestarted(t, n) })
}

// stagesWithFaults loses, damages, doubles and reorders results of every kind of
// turn, and restores the machine from a checkpoint in the middle of every stage.
func stagesWithFaults(t *testing.T, r *rand.Rand, n *big.Int, m *Machine) {
	runs := [2]*Runner{NewRunner(), NewRunner()}
	result := func(turn Turn) Result {
		t.Helper()
		res, err := runs[r.IntN(2)].Run(turn, nil)
		if err != nil {
			t.Fatalf("turn of kind %d: %v", turn.Payload[1], err)
		}
		return res
	}
	// again takes a turn that was lost.
	again := func(lost uint64) Turn {
		t.Helper()
		more := m.Next(9)
		if len(more) != 1 || more[0].ID != lost {
			t.Fatalf("%d turns once turn %d is lost: %v", len(more), lost, more)
		}
		return more[0]
	}
	count := map[byte]int{}
	var old []Result
	restores := 0
	for steps := 0; !m.Done(); steps++ {
		morePieces(m)
		turns := m.Next(9)
		if len(turns) == 0 || steps > 200 {
			t.Fatalf("%d turns after %d steps: %+v", len(turns), steps, m.Progress())
		}
		r.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
		for at, turn := range turns {
			kind := turn.Payload[1]
			if kind == wire.KindProve {
				step(t, runs[0], m, turn)
				continue
			}
			if !slices.Contains(stageKinds, kind) {
				t.Fatalf("a turn of kind %d, though there are relations enough", kind)
			}
			first := count[kind] == 0
			count[kind]++
			if first {
				m.Return(turn.ID)
				if turn2 := again(turn.ID); !bytes.Equal(turn2.Payload, turn.Payload) {
					t.Fatalf("a lost turn of kind %d came back as another", kind)
				}
			}
			res := result(fewSteps(turn, 15))
			if first {
				for range 5 {
					bad := slices.Clone(res.Data)
					bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
					if err := m.Apply(Result{ID: res.ID, Data: bad}); !errors.Is(err, ErrTurn) {
						t.Fatalf("a damaged result of kind %d: %v", kind, err)
					}
					again(turn.ID)
				}
			}
			old = append(old, res)
			for range 2 {
				if err := m.Apply(res); err != nil {
					t.Fatalf("result of kind %d: %v", kind, err)
				}
			}
			if first && !m.Done() {
				m = Reborn(t, n.String(), m)
				restores++
				for _, late := range append(old, result(turns[(at+1)%len(turns)])) {
					if err := m.Apply(late); err != nil {
						t.Fatalf("a result of the life before: %v", err)
					}
				}
				break
			}
		}
	}
	if err := Verify(n.String(), m.Primes()); err != nil {
		t.Error(err)
	}
	t.Logf("turns by kind: %v, %d checkpoints", count, restores)
	for _, kind := range stageKinds {
		if count[kind] == 0 {
			t.Errorf("no turn of kind %d", kind)
		}
	}
	if restores < 4 || count[wire.KindSolve] < 4 { // the first root may have been the last
		t.Errorf("%d checkpoints, %d turns of block Lanczos", restores, count[wire.KindSolve])
	}
}

// stagesStopped stops a turn of each kind the first time that it asks, the last, and
// between. The same turn gives the same result afterwards.
func stagesStopped(t *testing.T, r *rand.Rand, m *Machine) {
	seen := map[byte]bool{}
	for !m.Done() {
		turn := m.Next(1)[0]
		kind := turn.Payload[1]
		run := NewRunner()
		asked := 0
		want, err := run.Run(turn, func() bool { asked++; return false })
		if err != nil {
			t.Fatal(err)
		}
		if !seen[kind] {
			t.Logf("turn of kind %d: asks %d times", kind, asked)
			for _, at := range []int{1, 1 + r.IntN(asked), asked} {
				run := NewRunner()
				left := at
				res, err := run.Run(turn, func() bool { left--; return left <= 0 })
				if !errors.Is(err, ErrStopped) || res.Data != nil {
					t.Fatalf("turn of kind %d, stopped at %d of %d: %v", kind, at, asked, err)
				}
				if res, err = run.Run(turn, nil); err != nil || !bytes.Equal(res.Data, want.Data) {
					t.Fatalf("turn of kind %d, stopped at %d of %d and run again: %v, the same: %v", kind, at, asked, err, bytes.Equal(res.Data, want.Data))
				}
			}
		}
		seen[kind] = true
		if err := m.Apply(want); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range stageKinds {
		if !seen[kind] {
			t.Errorf("no turn of kind %d", kind)
		}
	}
}

// TestLanczosBreaksDown lets block Lanczos break down: with a matrix that has no
// dependencies it does from every start. The machine tries all starts, then gathers
// more relations, and splits the number with them.
func TestLanczosBreaksDown(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	whole := &gf2.Matrix{Rows: gf2.LanczosColumns, Start: []uint32{0}}
	for c := range uint32(gf2.LanczosColumns) {
		whole.Push([]uint32{c})
	}
	packed := whole.Append(nil, nil)
	broken := []byte{wire.Version, wire.FoundBroken}
	for seed := range uint64(gf2.MaxStarts) {
		res, err := run.Run(Turn{Payload: siqs.SolvePayload(packed, gf2.FirstState(seed), gf2.LanczosColumns)}, nil)
		if err != nil || !bytes.Equal(res.Data, broken) {
			t.Fatalf("start %d on a matrix without dependencies: %v, %v", seed, res.Data, err)
		}
	}

	n := factortest.Semiprime(r, 112)
	m := searching(t, run, n)
	c := m.rest[0]
	c.handed = 1e18
	h, starts, enough := c.collection, 0, 0
	for steps := 0; !m.Done(); steps++ {
		if steps > 2000 {
			t.Fatalf("not done: %+v", m.Progress())
		}
		stepwise(m)
		turns := m.Next(1)
		if len(turns) == 0 {
			t.Fatalf("nothing to do: %+v", m.Progress())
		}
		turn := turns[0]
		if h == nil {
			h = c.collection
		}
		if turn.Payload[1] != wire.KindSolve || starts == gf2.MaxStarts {
			step(t, run, m, turn)
			continue
		}
		p := wire.Reader{B: turn.Payload[2:]}
		p.Uvarint()
		p.Blob(len(p.B))
		if seed := p.Uvarint(); seed != uint64(starts) {
			t.Fatalf("start %d has seed %d", starts, seed)
		}
		starts++
		enough = h.Independent()
		if err := m.Apply(Result{ID: turn.ID, Data: broken}); err != nil {
			t.Fatal(err)
		}
		if starts < gf2.MaxStarts {
			continue
		}
		if c.postprocessing != nil || c.collection != h || h.Tries != 1 || h.Enough <= enough {
			t.Fatalf("after %d breakdowns: %+v, %d relations of %d", starts, c.postprocessing, enough, h.Enough)
		}
		if more := m.Next(1); len(more) != 1 || more[0].Payload[1] != wire.KindSieve {
			t.Fatalf("after %d breakdowns: %v", starts, more)
		} else {
			step(t, run, m, more[0])
		}
	}
	if starts != gf2.MaxStarts || h.Independent() <= enough {
		t.Errorf("%d starts, %d relations, %d before", starts, h.Independent(), enough)
	}
	if err := Verify(n.String(), m.Primes()); err != nil {
		t.Error(err)
	}
}

// step runs one turn and gives the result to the machine.
func step(t *testing.T, run *Runner, m *Machine, turn Turn) {
	t.Helper()
	res, err := run.Run(turn, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(res); err != nil {
		t.Fatal(err)
	}
}

// disk keeps a checkpoint with its pieces as a store does.
type disk struct {
	n          string
	checkpoint []byte
	pieces     map[int][]byte
}

// save writes what is new.
func (d *disk) save(m *Machine) {
	first, count := m.Cut()
	for i := first; i < count; i++ {
		if data := m.Piece(i); data != nil {
			d.pieces[i] = data
		}
	}
	d.checkpoint = m.Checkpoint(count)
}

// restore returns the machine without its pieces.
func (d *disk) restore(t *testing.T) *Machine {
	t.Helper()
	m, err := Restore(d.n, d.checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// load hands the machine the piece that it wants next, if any.
func (d *disk) load(t *testing.T, m *Machine) (more bool) {
	t.Helper()
	i, ok := m.Missing()
	if ok {
		if err := m.Load(i, d.pieces[i]); err != nil {
			t.Fatal(err)
		}
	}
	return ok
}

// algebraRestarted restarts a machine while it sieves, so that old relations are loaded
// between new ones, and then in the middle of its linear algebra: that goes on where it was
// when the checkpoint was taken, unless a part of that is lost or belongs to another one.
func algebraRestarted(t *testing.T, n *big.Int) {
	// The linear algebra has some 80 steps, and the sieve at least 45 turns: what follows takes
	// at most half of either.
	const steps = 5
	run := NewRunner()
	m := searching(t, run, n)
	m.rest[0].handed = 1e18
	d := &disk{n: n.String(), pieces: map[int][]byte{}}
	// next runs turns until there is one of linear algebra, and returns it with the steps
	// that have been taken.
	next := func() (Turn, int) {
		t.Helper()
		for range 2000 {
			turns := m.Next(1)
			if len(turns) == 0 {
				t.Fatalf("nothing to do: %+v", m.Progress())
			}
			if turns[0].Payload[1] == wire.KindSolve {
				p := wire.Reader{B: turns[0].Payload[2:]}
				p.Uvarint()
				p.Blob(len(p.B))
				p.Uvarint()
				return turns[0], int(p.Uvarint())
			}
			step(t, run, m, turns[0])
			d.load(t, m)
		}
		t.Fatal("no linear algebra")
		return Turn{}, 0
	}
	for range 3 {
		for range 6 {
			step(t, run, m, m.Next(1)[0])
			d.load(t, m)
		}
		d.save(m)
		m = d.restore(t)
	}
	// Two results come when the linear algebra has begun.
	var late []Result
	for _, turn := range m.Next(2) {
		res, err := run.Run(turn, nil)
		if err != nil {
			t.Fatal(err)
		}
		late = append(late, res)
	}
	turn, _ := next()
	before := m.rest[0].collection.Independent()
	for _, res := range late {
		if err := m.Apply(res); err != nil {
			t.Fatal(err)
		}
	}
	if m.rest[0].collection.Independent() == before {
		t.Error("no relation came late")
	}
	step(t, run, m, fewSteps(turn, steps))
	for round, test := range []struct {
		name string
		harm func()
		want bool // that it goes on
	}{
		{"whole", func() {}, true},
		{"again", func() {}, true},
		{"lost", func() { delete(d.pieces, partNumber(m, 1)) }, false},
		{"half", func() {
			part := partNumber(m, 1)
			old := d.pieces[part]
			turn, _ := next()
			step(t, run, m, fewSteps(turn, steps))
			d.save(m)
			d.pieces[part] = old
		}, false},
		{"once more", func() {}, true},
	} {
		turn, was := next()
		step(t, run, m, fewSteps(turn, steps))
		d.save(m)
		test.harm()
		count := len(d.pieces)
		m = d.restore(t)
		if turns := m.Next(1); len(turns) != 0 {
			t.Fatalf("%s: a turn of kind %d before the relations are there", test.name, turns[0].Payload[1])
		}
		for d.load(t, m) {
		}
		turn, at := next()
		switch {
		case test.want && at != was+steps:
			t.Errorf("%s: goes on from step %d, was at %d", test.name, at, was+steps)
		case !test.want && at != 0:
			t.Errorf("%s: goes on from step %d", test.name, at)
		}
		step(t, run, m, fewSteps(turn, steps))
		d.save(m)
		if round > 0 && len(d.pieces) > count+1 {
			t.Errorf("%s: %d pieces, %d before", test.name, len(d.pieces), count)
		}
	}
	for !m.Done() {
		step(t, run, m, m.Next(1)[0])
	}
	if err := Verify(n.String(), m.Primes()); err != nil {
		t.Error(err)
	}
}

// partNumber returns the number of the piece that has a part of the linear algebra.
func partNumber(m *Machine, part int) int {
	return slices.IndexFunc(m.saves, func(s savedPiece) bool { return s.h != nil && s.at == -1-part })
}
