package main

import (
	"context"
	"errors"
	"fmt"

	"fairfactor/factor"
)

// certify makes the certificates of the primes of an answer that is complete. That of a prime
// which is too long stays empty.
func certify(ctx context.Context, runner *factor.Runner, a *answer) error {
	a.remaining = []string{} // whatever happens
	list := make([]string, len(a.primes))
	for i, p := range a.primes {
		text, err := runner.Certify(p.P, func() bool { return ctx.Err() != nil })
		switch {
		case errors.Is(err, factor.ErrStopped):
			return fmt.Errorf("%w before all certificates were made; found %s", errInterrupted, factor.Spell(a.primes))
		case err != nil && !errors.Is(err, factor.ErrUncertified):
			return err
		}
		list[i] = text
	}
	a.certificates = list
	return nil
}

// reportUncertified says which primes of an answer have no certificate.
func (a *answer) reportUncertified(io streams) {
	for i, text := range a.certificates {
		if p := a.primes[i].P; text == "" {
			fmt.Fprintf(io.err, "fairfactor: no certificate of %s: it has %d digits, %d is the most\n", shortened(p), len(p), factor.CertifiableDigits)
		}
	}
}

// shortened returns digits, or the first and the last ones of many.
func shortened(digits string) string {
	if len(digits) <= 60 {
		return digits
	}
	return digits[:20] + "..." + digits[len(digits)-20:]
}
