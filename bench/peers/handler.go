package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"fairfactor/factor"
)

// conns is how many connections a process has to a Redis, and how many messages it
// fetches ahead: more than are used at once.
const conns = 128

// handlersOf reads the last argument of a worker's role: how many jobs it has under
// way at once.
func handlersOf(args []string) (n int, err error) {
	if n, err = strconv.Atoi(args[len(args)-1]); err == nil && n < 1 {
		err = fmt.Errorf("%d handlers", n)
	}
	return n, err
}

// handler factors numbers, the same way in every worker. It may be used by many
// goroutines.
type handler struct{ runners sync.Pool }

// factors returns the factors of a number as text, such as "2^3 1000003".
func (h *handler) factors(number string) (string, error) {
	runner, _ := h.runners.Get().(*factor.Runner)
	if runner == nil {
		runner = factor.NewRunner()
	}
	defer h.runners.Put(runner)
	result, err := runner.Run(factor.First(number), nil)
	if err != nil {
		return "", err
	}
	primes, done, err := factor.Decode(number, result)
	if err != nil {
		return "", err
	}
	if !done {
		return "", fmt.Errorf("%s takes more than one turn", number)
	}
	var words []string
	for _, p := range primes {
		words = append(words, p.P+"^"+strconv.Itoa(p.Exponent))
	}
	return strings.Join(words, " "), nil
}

// parse reads what [handler.factors] has written. What can't be read is a factor
// that is wrong.
func parse(text string) map[string]int {
	factors := map[string]int{}
	for word := range strings.FieldsSeq(text) {
		prime, exponent, _ := strings.Cut(word, "^")
		factors[prime], _ = strconv.Atoi(exponent)
	}
	return factors
}
