package rules

import (
	"math/bits"
	"time"

	"fairfactor"
)

// Learned returns what a change that ends a job lets all know, false if nothing.
func Learned(ch *fairfactor.Change) (k fairfactor.Known, ok bool) {
	j := ch.Job
	if !ch.Learn || j == nil || len(j.Factors) == 0 || ch.Op != fairfactor.Finish && ch.Op != fairfactor.AcceptEnded {
		return k, false
	}
	return Result(fairfactor.Known{
		Number: j.Number, Factors: j.Factors, Complete: j.State == fairfactor.Completed, CPU: j.CPU, Used: j.Finished,
	}), true
}

// Result returns what is known of a number as every store keeps it. It shares
// nothing with k.
func Result(k fairfactor.Known) fairfactor.Known {
	k.Factors = append([]fairfactor.Factor(nil), k.Factors...)
	k.Used, k.Deadly = Kept(k.Used), nil
	return k
}

// CheckKnown refuses a result whose number or primes are not decimal.
func CheckKnown(k *fairfactor.Known) error {
	ok := k.Number != "" && Decimal(k.Number)
	for i := range k.Factors {
		ok = ok && k.Factors[i].Prime != "" && Decimal(k.Factors[i].Prime) && k.Factors[i].Exponent > 0
	}
	if !ok {
		return fairfactor.Errorf(fairfactor.Invalid, "what is said of number %.40q is not in decimal digits", k.Number)
	}
	return nil
}

// Merge returns what is known of a number when now is learned after was.
func Merge(was, now fairfactor.Known) fairfactor.Known {
	more := now
	if Found(&was) > Found(&now) {
		more = was
	}
	more.CPU = max(was.CPU, now.CPU)
	if more.Used = now.Used; was.Used.After(now.Used) {
		more.Used = was.Used
	}
	return more
}

// allFound is [Found] of a complete factorization.
const allFound = 1<<31 - 1

// Found says how much is known: the digits of all primes, or more than any number
// has if nothing is missing.
func Found(k *fairfactor.Known) int {
	if k.Complete {
		return allFound
	}
	n := 0
	for i := range k.Factors {
		n += len(k.Factors[i].Prime) * k.Factors[i].Exponent
	}
	return min(n, allFound-1)
}

// Worth is how useful a result is that took so much CPU: the larger the better.
// Results of the same worth, a power of two of microseconds, are as useful as they
// were used lately.
func Worth(cpu time.Duration) int { return bits.Len64(uint64(max(cpu.Microseconds(), 0))) }
