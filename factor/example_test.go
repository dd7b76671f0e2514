package factor_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"fairfactor/factor"
)

// Factorize does all the work in this process.
func ExampleFactorize() {
	primes, err := factor.Factorize(context.Background(), "4229327100217", 2)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range primes {
		fmt.Println(p.P, "to the power of", p.Exponent, "proven:", p.Proven)
	}
	fmt.Println(factor.Spell(primes))
	// Output:
	// 71 to the power of 2 proven: true
	// 839 to the power of 1 proven: true
	// 999983 to the power of 1 proven: true
	// 71 71 839 999983
}

// A context bounds the time. Factorize returns the primes found so far with the error.
func ExampleFactorize_canceled() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	primes, err := factor.Factorize(ctx, "600851475143", 1)
	fmt.Println(len(primes), errors.Is(err, context.Canceled))
	// Output:
	// 0 true
}

// A Machine hands out turns and a Runner runs them. The program between the two decides
// where and when: here one after another, in one goroutine.
func ExampleMachine() {
	const n = "1507450007848168720441242709257512554381221283" // 46 digits
	m, err := factor.New(n)
	if err != nil {
		log.Fatal(err)
	}
	runner, turns := factor.NewRunner(), 0
	for !m.Done() {
		for _, turn := range m.Next(1) {
			result, err := runner.Run(turn, nil)
			if err != nil {
				log.Fatal(err)
			}
			if err := m.Apply(result); err != nil {
				log.Fatal(err)
			}
			turns++
		}
	}
	fmt.Println("more than one turn:", turns > 1)
	fmt.Println("wrong:", factor.Verify(n, m.Primes()))
	// Output:
	// more than one turn: true
	// wrong: <nil>
}

// A checkpoint takes a factorization to another process, or past a restart. Pieces hold
// what is written once and never changes, so that the checkpoint itself stays small.
func ExampleRestore() {
	const n = "1507450007848168720441242709257512554381221283"
	m, err := factor.New(n)
	if err != nil {
		log.Fatal(err)
	}
	runner := factor.NewRunner()
	for _, turn := range m.Next(1) {
		result, err := runner.Run(turn, nil)
		if err != nil {
			log.Fatal(err)
		}
		if err := m.Apply(result); err != nil {
			log.Fatal(err)
		}
	}
	_, count := m.Cut()
	pieces := make([][]byte, count)
	for i := range pieces {
		pieces[i] = m.Piece(i)
	}
	checkpoint := m.Checkpoint(count)

	restored, err := factor.Restore(n, checkpoint)
	if err != nil {
		log.Fatal(err)
	}
	for i, ok := restored.Missing(); ok; i, ok = restored.Missing() {
		if err := restored.Load(i, pieces[i]); err != nil {
			log.Fatal(err)
		}
	}
	if err := factor.NewDriver(restored).Run(context.Background(), 2); err != nil {
		log.Fatal(err)
	}
	fmt.Println("wrong:", factor.Verify(n, restored.Primes()))
	// Output:
	// wrong: <nil>
}
