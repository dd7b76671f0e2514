package factor_test

import (
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"fairfactor/factor"
)

// TestShedKeepsAFullWindowCheap factors numbers with very many turns handed out
// ahead, as a scheduler does. The sieve must need about as many turns as with none
// ahead: those that it does not need any more are shed.
func TestShedKeepsAFullWindowCheap(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 5 {
		n := new(big.Int).Mul(primeOf(rng, 66), primeOf(rng, 67)).String()
		alone, ahead := turnsOf(t, n, 1), turnsOf(t, n, 256)
		t.Logf("%s: %d turns alone, %d with 256 ahead", n, alone, ahead)
		if ahead > 3*alone+4 {
			t.Errorf("%s: %d turns with 256 ahead, %d alone", n, ahead, alone)
		}
	}
}

// turnsOf runs a machine with so many turns in a queue and returns how many ran.
func turnsOf(t *testing.T, n string, window int) (ran int) {
	m, err := factor.New(n)
	if err != nil {
		t.Fatal(err)
	}
	r := factor.NewRunner()
	var queue []factor.Turn
	for !m.Done() {
		queue = append(queue, m.Next(window-len(queue))...)
		if len(queue) == 0 {
			t.Fatal("nothing to do")
		}
		turn := queue[0]
		queue = queue[1:]
		result, err := r.Run(turn, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Apply(result); err != nil {
			t.Fatal(err)
		}
		ran++
		for _, id := range m.Shed() {
			for i := range queue {
				if queue[i].ID == id {
					queue = append(queue[:i:i], queue[i+1:]...)
					break
				}
			}
		}
	}
	if err := factor.Product(n, m.Primes()); err != nil {
		t.Error(err)
	}
	return ran
}
