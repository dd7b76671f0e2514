package factor_test

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"fairfactor/factor"
)

// TestMethods: numbers that are made for one method each name it, in the result
// of the first turn and in the machine, before and after a checkpoint.
func TestMethods(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 5))
	square := primeOf(r, 60)
	square.Mul(square, square)
	large := primeOf(r, 100)
	cases := []struct {
		n    string
		want []string
	}{
		{"1", nil},
		{"97", nil},
		{"1009", nil},
		{"1000000007", nil},
		{large.String(), nil},
		{"91", []string{"trial"}},
		{"1024", []string{"trial"}},
		{"1022117", []string{"trial"}}, // 1009 * 1013
		{square.String(), []string{"power"}},
		{new(big.Int).Exp(large, big.NewInt(3), nil).String(), []string{"power"}},
		{product(r, 18, 19), []string{"hart"}},
		{product(r, 27, 28), []string{"ecm"}},
		{product(r, 22, 75), []string{"ecm"}},
		{product(r, 50, 50), []string{"qs"}},
	}
	run := factor.NewRunner()
	for _, c := range cases {
		res, err := run.Run(factor.First(c.n), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Methods().Names(); !slices.Equal(got, c.want) {
			t.Errorf("%s: by %v, want %v", c.n, got, c.want)
		}
		m, _ := factor.New(c.n)
		step(t, run, m, m.Next(1)[0])
		if m.Methods() != res.Methods() {
			t.Errorf("%s: by %v in the machine, %v in the result", c.n, m.Methods().Names(), res.Methods().Names())
		}
		again, err := factor.Restore(c.n, m.Checkpoint(0))
		if err != nil || again.Methods() != m.Methods() {
			t.Errorf("%s: by %v before a checkpoint, not after: %v", c.n, m.Methods().Names(), err)
		}
	}
}

// TestMethodsOfAWholeMachine: the large sieve is told too, besides what the first
// turn found.
func TestMethodsOfAWholeMachine(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 6))
	n := product(r, 2, 72, 73)
	run := factor.NewRunner()
	m, _ := factor.New(n)
	for !m.Done() {
		step(t, run, m, m.Next(1)[0])
	}
	if got := m.Methods().Names(); !slices.Equal(got, []string{"trial", "siqs"}) {
		t.Errorf("%s: by %v", n, got)
	}
}
