package engine

import (
	"fairfactor/factor"
	"fairfactor/factor/tune"
)

// All that bench uses of the engine's tuning interface, in one place: the service
// has no use for it, and it may change with the engine.

// sieveSize are the parameters of the large sieve for one size of number.
type sieveSize = tune.SieveSize

// method names one way to split a number.
type method = factor.Methods

// methods are the ways that are compared with one another. The large sieve is one
// of them, and takes turns.
var methods = []method{factor.ByHart, factor.ByCurves, factor.ByRho, factor.ByQS, largeSieve}

const largeSieve = factor.BySIQS

// errSize says that a method or a set of parameters can't do numbers of that size.
var errSize = tune.ErrSize

// sieveSizeFor returns the engine's own parameters for numbers of that many bits.
func sieveSizeFor(bits int) sieveSize { return tune.SieveSizeFor(bits) }

// newSieve returns a machine that factors n with the large sieve alone.
func newSieve(n string, size sieveSize) (*factor.Machine, error) { return tune.NewSieve(n, size) }

// newMethods returns what runs methods one by one.
func newMethods() *tune.Runner { return tune.NewRunner() }

// split tries one method on n; found is false if that method missed the factors.
func split(r *tune.Runner, n string, by method) (found bool, err error) { return r.Split(n, by) }
