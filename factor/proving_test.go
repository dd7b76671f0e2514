package factor

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/wire"
)

// proofTurn returns a machine of the prime n after its first turn, and the turn of
// its proof.
func proofTurn(t *testing.T, run *Runner, n *big.Int) (*Machine, Turn) {
	t.Helper()
	m, err := New(n.String())
	if err != nil {
		t.Fatal(err)
	}
	res, err := run.Run(m.Next(1)[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	primes, done, err := Decode(n.String(), res)
	if err != nil || done || len(primes) != 1 || primes[0].Proven {
		t.Fatalf("%v: the first turn says %v, done %v: %v", n, primes, done, err)
	}
	if err := m.Apply(res); err != nil || m.Done() {
		t.Fatalf("%v: done %v before its proof: %v", n, m.Done(), err)
	}
	if p := m.Progress(); p.Percent == 100 || p.Left <= 0 || len(p.Remaining) != 0 || len(p.Found) != 1 {
		t.Fatalf("%v: %+v", n, p)
	}
	turns := m.Next(3)
	if len(turns) != 1 || turns[0].Payload[1] != wire.KindProve || turns[0].Predict <= 0 {
		t.Fatalf("%v: turns %v", n, turns)
	}
	return m, turns[0]
}

// TestSmallPrimesProvenAtOnce factors numbers to 128 bits: their primes come
// proven, by the method of their size.
func TestSmallPrimesProvenAtOnce(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	for range 60 {
		p := factortest.RandomPrime(r, 82+r.IntN(40))
		n := new(big.Int).Mul(p, big.NewInt(6))
		res, err := run.Run(First(n.String()), nil)
		if err != nil {
			t.Fatal(err)
		}
		primes, done, err := Decode(n.String(), res)
		if err != nil || !done || len(primes) != 3 {
			t.Fatalf("%v: %v, done %v, %v", n, primes, done, err)
		}
		if q := primes[2]; !q.Proven || q.Proof == Deterministic != (p.Cmp(prime.ProvenBelow.Big()) < 0) {
			t.Errorf("%v", q)
		}
		m, _ := New(n.String())
		m.Next(1)
		if err := m.Apply(res); err != nil || !m.Done() {
			t.Errorf("%v: %v", n, err)
		}
	}
}

func TestProofTurns(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	for _, n := range []*big.Int{
		factortest.RandomPrime(r, 129), factortest.RandomPrime(r, 200), factortest.RandomPrime(r, 332), factortest.RandomPrime(r, 333), factortest.RandomPrime(r, 664),
		new(big.Int).Add(new(big.Int).Lsh(big.NewInt(3), 189), arith.One), new(big.Int).Add(new(big.Int).Lsh(big.NewInt(3), 534), arith.One),
	} {
		m, turn := proofTurn(t, run, n)
		m.Return(turn.ID) // lost
		if again := m.Next(3); len(again) != 1 || again[0].ID != turn.ID {
			t.Fatalf("%v: the lost proof is not handed out again: %v", n, again)
		}
		cp := m.Checkpoint(0) // in the middle
		after, err := Restore(n.String(), cp)
		if err != nil || after.Done() {
			t.Fatalf("%v: restored: %v", n, err)
		}
		other := after.Next(3)
		if len(other) != 1 || !slices.Equal(other[0].Payload, turn.Payload) {
			t.Fatalf("%v: after a checkpoint: %v", n, other)
		}
		res, err := run.Run(turn, nil)
		if err != nil {
			t.Fatal(err)
		}
		easy := n.TrailingZeroBits() == 0 && new(big.Int).Sub(n, arith.One).TrailingZeroBits() > 100
		inPieces := n.BitLen() > prime.AtOnceBits && !easy
		for range 2 { // twice
			if err := m.Apply(res); err != nil || m.Done() == inPieces {
				t.Fatalf("%v: %v, %+v", n, err, m.Progress())
			}
		}
		if err := after.Apply(Result{ID: other[0].ID, Data: res.Data}); err != nil || after.Done() == inPieces {
			t.Fatalf("%v: %v", n, err)
		}
		finishPieces(t, run, m)
		finishPieces(t, run, after)
		if p := m.Primes()[0]; !p.Proven || easy && p.Proof != MinusOne || inPieces && p.Proof != APRCL {
			t.Errorf("%+v", p)
		}
		again, err := Restore(n.String(), m.Checkpoint(0))
		if err != nil || !again.Done() || !slices.Equal(again.Primes(), m.Primes()) {
			t.Errorf("%v: the proof is not kept: %v, %v", n, err, again.Primes())
		}
	}
}

// finishPieces runs the pieces of the proofs that m waits for, the last ones first; some
// are lost, come back damaged or twice.
func finishPieces(t *testing.T, run *Runner, m *Machine) {
	t.Helper()
	for rounds := 0; !m.Done(); rounds++ {
		turns := m.Next(100)
		if len(turns) == 0 || rounds > 5 {
			t.Fatalf("%d turns: %+v", len(turns), m.Progress())
		}
		if turns[0].Payload[1] != wire.KindJacobi || turns[0].Predict <= 0 {
			t.Fatalf("a turn of kind %d", turns[0].Payload[1])
		}
		m.Return(turns[0].ID)
		turns = append(turns[1:], m.Next(100)...)
		slices.Reverse(turns)
		for i, turn := range turns {
			if m.Done() || len(m.Next(1)) != 0 {
				t.Fatalf("at piece %d of %d: %+v", i, len(turns), m.Progress())
			}
			res, err := run.Run(turn, nil)
			if err != nil {
				t.Fatal(err)
			}
			wrong := slices.Clone(res.Data)
			wrong[2] = byte(prime.ProvenJacobi + prime.Probable - prime.Grade(wrong[2]))
			if err := m.Apply(Result{ID: turn.ID, Data: wrong}); !errors.Is(err, ErrProof) {
				t.Fatalf("piece %d of %d claims grade %d: %v", i, len(turns), wrong[2], err)
			}
			if err := m.Apply(Result{ID: turn.ID, Data: res.Data[:3]}); !errors.Is(err, ErrTurn) {
				t.Fatalf("a damaged piece was taken: %v", err)
			}
			for range 2 {
				if err := m.Apply(res); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestMersennePrimes proves Mersenne primes in one turn, short and long.
func TestMersennePrimes(t *testing.T) {
	run := NewRunner()
	for _, p := range []uint{521, 2203} {
		n := new(big.Int).Lsh(arith.One, p)
		n.Sub(n, arith.One)
		m, turn := proofTurn(t, run, n)
		res, err := run.Run(turn, nil)
		if err == nil {
			err = m.Apply(res)
		}
		if q := m.Primes(); err != nil || !m.Done() || q[0].Proof != PlusOne {
			t.Errorf("2^%d-1: %v, %v", p, q, err)
		}
	}
	m, turn := proofTurn(t, run, factortest.RandomPrime(factortest.Seeded(t), 400))
	if err := m.Apply(Result{ID: turn.ID, Data: []byte{wire.Version, wire.FoundProof, byte(prime.ProvenPlus)}}); !errors.Is(err, ErrProof) {
		t.Errorf("N+1 of no Mersenne number: %v", err)
	}
}

// TestPieceOfAComposite tells the machine that a piece has shown a prime to be composite.
func TestPieceOfAComposite(t *testing.T) {
	run := NewRunner()
	n := factortest.RandomPrime(factortest.Seeded(t), 400)
	m, turn := proofTurn(t, run, n)
	if err := m.Apply(Result{ID: turn.ID, Data: []byte{wire.Version, wire.FoundProof, byte(prime.Probable)}}); err != nil {
		t.Fatal(err)
	}
	pieces := m.Next(2)
	if err := m.Apply(Result{ID: pieces[0].ID, Data: []byte{wire.Version, wire.FoundProof, byte(prime.Composite), 0}}); err != nil {
		t.Fatal(err)
	}
	if m.Done() || len(m.Primes()) != 0 || !slices.Equal(m.Remaining(), []string{n.String()}) {
		t.Fatalf("%+v", m.Progress())
	}
	res, err := run.Run(pieces[1], nil)
	if err == nil {
		err = m.Apply(res) // too late
	}
	if err != nil || m.Done() {
		t.Fatal(err)
	}
	composite := factortest.Semiprime(factortest.Seeded(t), 400)
	damaged := slices.Concat(pieces[0].Payload[:5], composite.Bytes())
	if res, err := run.Run(Turn{Payload: damaged}, nil); err != nil || res.Data[2] != byte(prime.Composite) {
		t.Errorf("a piece of a composite: %v, %v", res.Data, err)
	}
}

// TestNoProofAbove leaves primes above ProvableBits as they are.
func TestNoProofAbove(t *testing.T) {
	n := factortest.RandomPrime(factortest.Seeded(t), prime.ProvableBits+1).String()
	res, err := NewRunner().Run(First(n), nil)
	if err != nil {
		t.Fatal(err)
	}
	if primes, done, err := Decode(n, res); err != nil || !done || primes[0].Proven {
		t.Errorf("%v, done %v, %v", primes, done, err)
	}
}

// TestProofsOfSeveral proves several primes of one number, the last turn first.
func TestProofsOfSeveral(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	var parts []part
	n := big.NewInt(1)
	for _, size := range []int{140, 150, 90, 160} {
		p := factortest.RandomPrime(r, size)
		n.Mul(n, p)
		parts = insert(parts, partOf(p, 1, prime.Probable))
	}
	m, _ := New(n.String())
	m.Next(1)
	if err := m.Apply(Result{Data: encodeParts(parts, 0)}); err != nil {
		t.Fatal(err)
	}
	turns := append(m.Next(3), m.Next(3)...)
	if len(turns) != 4 {
		t.Fatalf("%d turns for 4 primes", len(turns))
	}
	slices.Reverse(turns)
	for i, turn := range turns {
		if m.Done() || len(m.Next(1)) != 0 {
			t.Fatalf("before proof %d: %+v", i, m.Progress())
		}
		res, err := run.Run(turn, nil)
		if err == nil {
			err = m.Apply(res)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range m.Primes() {
		if !p.Proven {
			t.Errorf("%v", p)
		}
	}
	if !m.Done() {
		t.Error("not done")
	}
}

func TestWrongProofs(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	easy := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(3), 189), arith.One)
	hard := factortest.RandomPrime(r, 300)
	_, c := run.prover.Prove(easy)
	sound := c.Encode([]byte{wire.Version, wire.FoundProof, byte(prime.ProvenMinus)})
	c.Factors[0].Base = 1
	for _, bad := range [][]byte{
		{wire.Version, wire.FoundProof},
		{wire.Version, wire.FoundProof, byte(prime.Probable)},
		{wire.Version, wire.FoundProof, byte(prime.Proven)},
		{wire.Version, wire.FoundProof, byte(prime.Grades)},
		{wire.Version, wire.FoundProof, byte(prime.ProvenMinus)},
		{wire.Version, wire.FoundProof, byte(prime.ProvenMinus), 0},
		{wire.Version, wire.FoundProof, byte(prime.ProvenJacobi), 0},
		{wire.Version, wire.FoundNothing},
		encodeParts([]part{partOf(easy, 1, prime.ProvenJacobi)}, 0),
		c.Encode([]byte{wire.Version, wire.FoundProof, byte(prime.ProvenMinus)}),
		append(slices.Clone(sound), 0),
	} {
		m, turn := proofTurn(t, run, easy)
		if err := m.Apply(Result{ID: turn.ID, Data: bad}); !errors.Is(err, ErrTurn) && !errors.Is(err, ErrProof) || m.Done() {
			t.Errorf("%x was taken: %v", bad, err)
		}
		if again := m.Next(2); len(again) != 1 || again[0].ID != turn.ID {
			t.Errorf("after %x: %v", bad, again)
		}
		if err := m.Apply(Result{ID: turn.ID, Data: sound}); err != nil || !m.Done() {
			t.Errorf("after %x: %v", bad, err)
		}
	}
	m, turn := proofTurn(t, run, hard)
	if err := m.Apply(Result{ID: turn.ID, Data: sound}); err == nil {
		t.Error("the proof of another number was taken")
	}
	large := factortest.RandomPrime(r, 400)
	m, turn = proofTurn(t, run, large)
	if err := m.Apply(Result{ID: turn.ID, Data: []byte{wire.Version, wire.FoundProof, byte(prime.ProvenJacobi)}}); !errors.Is(err, ErrProof) {
		t.Errorf("APR-CL above its bound: %v", err)
	}
	// First turns must not claim what they can't.
	m, _ = New(hard.String())
	m.Next(1)
	for _, g := range []prime.Grade{prime.Proven, prime.ProvenMinus, prime.ProvenJacobi, prime.Unproven} {
		if err := m.Apply(Result{Data: encodeParts([]part{partOf(hard, 1, g)}, 0)}); !errors.Is(err, ErrComposite) {
			t.Errorf("a first turn claims grade %d: %v", g, err)
		}
	}
}

// TestNotPrimeAfterAll tells the machine that a prime is composite, as a counterexample
// to Baillie-PSW would: it becomes a cofactor, and the search goes on.
func TestNotPrimeAfterAll(t *testing.T) {
	run := NewRunner()
	for _, size := range []int{130, 200, 400} {
		n := factortest.RandomPrime(factortest.Seeded(t), size)
		square := new(big.Int).Mul(n, n)
		m, err := New(square.String())
		if err != nil {
			t.Fatal(err)
		}
		res, err := run.Run(m.Next(1)[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Apply(res); err != nil {
			t.Fatal(err)
		}
		turn := m.Next(1)[0]
		if err := m.Apply(Result{ID: turn.ID, Data: []byte{wire.Version, wire.FoundProof, byte(prime.Composite)}}); err != nil {
			t.Fatal(err)
		}
		if m.Done() || len(m.Primes()) != 0 || !slices.Equal(m.Remaining(), []string{n.String()}) || m.rest[0].exp != 2 {
			t.Fatalf("%v: %+v", n, m.Progress())
		}
		for range 3 {
			turn := m.Next(1)[0]
			if k := turn.Payload[1]; k == wire.KindSplit || k == wire.KindProve {
				t.Fatalf("%v: a turn of kind %d", n, turn.Payload[1])
			}
			if res, err = run.Run(turn, nil); err == nil {
				err = m.Apply(res)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Restore(square.String(), m.Checkpoint(0)); err != nil {
			t.Error(err)
		}
	}
	composite := factortest.Semiprime(factortest.Seeded(t), 200)
	res, err := run.Run(Turn{Payload: provePayload(composite)}, nil)
	if err != nil || !slices.Equal(res.Data, []byte{wire.Version, wire.FoundProof, 0}) {
		t.Errorf("a composite: %x, %v", res.Data, err)
	}
}

// TestProofStops asks a proof to stop at every place where it asks.
func TestProofStops(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	for _, size := range []int{100, 128, 150, 332} {
		turn := Turn{Payload: provePayload(factortest.RandomPrime(r, size))}
		asked := 0
		res, err := run.Run(turn, func() bool { asked++; return false })
		if err != nil {
			t.Fatal(err)
		}
		if size > 128 && asked == 0 { // more than ten times, unless n - 1 is easy
			t.Errorf("%d bits: asked %d times", size, asked)
		}
		for at := 1; at <= asked; at += 1 + asked/15 {
			left := at
			if _, err := run.Run(turn, func() bool { left--; return left <= 0 }); !errors.Is(err, ErrStopped) {
				t.Fatalf("%d bits, stopped at %d of %d: %v", size, at, asked, err)
			}
		}
		again, err := NewRunner().Run(turn, nil)
		if err != nil || !slices.Equal(again.Data, res.Data) {
			t.Errorf("%d bits: another runner differs: %v", size, err)
		}
	}
}
