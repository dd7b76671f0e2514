package actors

import (
	"cmp"
	"context"
	"encoding/hex"
	"math/big"
	"slices"
	"sync"

	"fairfactor"
	"fairfactor/actors/caller"
	"fairfactor/factor"
)

var _ fairfactor.Knowledge = (*Service)(nil)

// Bounds of what Factorization does on the spot: a number of fewer digits than
// [caller.KnownDigits] gets the first turn of a job, a millisecond or two at most; any
// other is divided by small primes, and what is left is tested for primality, a few
// milliseconds at 300 digits.
const (
	trialBound = 10_000 // primes below it are tried
	testDigits = 300    // longest number that is tested for primality
)

// Factorization implements fairfactor.Knowledge.
func (v *Service) Factorization(ctx context.Context, number string) (fairfactor.Factorization, error) {
	if err := ctx.Err(); err != nil {
		return fairfactor.Factorization{}, fairfactor.Wrap(fairfactor.Canceled, err, "the request has ended")
	}
	if len(number) < caller.KnownDigits {
		return onTheSpot(number)
	}
	if v.sys.cfg.KnownSize > 0 {
		stored, err := v.sys.cfg.Store.Known(ctx, []string{number})
		if err != nil {
			return fairfactor.Factorization{}, err
		}
		if len(stored) == 1 && checkKnown(&stored[0]) == nil {
			return factorization(number, stored[0].Factors), nil
		}
	}
	return factorization(number, nil), nil
}

// runners are for the numbers that are factored on the spot.
var runners = sync.Pool{New: func() any { return factor.NewRunner() }}

// onTheSpot factors a small number.
func onTheSpot(number string) (fairfactor.Factorization, error) {
	runner := runners.Get().(*factor.Runner)
	defer runners.Put(runner)
	result, err := runner.Run(factor.First(number), nil)
	if err != nil {
		return fairfactor.Factorization{}, fairfactor.Wrap(fairfactor.Invalid, err, "this is not a number that can be factored")
	}
	primes, _, err := factor.Decode(number, result)
	if err != nil {
		return fairfactor.Factorization{}, fairfactor.Wrap(fairfactor.Internal, err, "the number could not be factored")
	}
	return factorization(number, factorsOf(primes)), nil
}

func factorsOf(primes []factor.Prime) []fairfactor.Factor {
	fs := make([]fairfactor.Factor, len(primes))
	for i, p := range primes {
		fs[i] = fairfactor.Factor{Prime: p.P, Exponent: p.Exponent, Probable: !p.Proven, Proof: fairfactor.ParseProof(string(p.Proof))}
	}
	return fs
}

// factorization says what is known of a number. known are primes of it, which
// were checked. It divides what is left by small primes and tests it.
func factorization(number string, known []fairfactor.Factor) fairfactor.Factorization {
	f := fairfactor.Factorization{Number: number, Factors: slices.Clone(known)}
	rest, _ := new(big.Int).SetString(number, 10)
	for _, k := range known {
		p, _ := new(big.Int).SetString(k.Prime, 10)
		for range k.Exponent {
			rest.Quo(rest, p)
		}
	}
	f.Factors = divide(f.Factors, rest)
	tested := rest.BitLen() > 1 && len(rest.String()) <= testDigits
	if tested && rest.ProbablyPrime(0) {
		f.Factors = append(f.Factors, fairfactor.Factor{Prime: rest.String(), Exponent: 1, Probable: rest.BitLen() > certainBits})
		rest.SetInt64(1)
	}
	slices.SortFunc(f.Factors, func(a, b fairfactor.Factor) int {
		return cmp.Or(cmp.Compare(len(a.Prime), len(b.Prime)), cmp.Compare(a.Prime, b.Prime))
	})
	f.Factors = together(f.Factors)
	f.Cofactor = rest.String()
	f.Status = statusOf(&f, tested)
	return f
}

// together makes one of primes that come twice in an ascending list.
func together(ascending []fairfactor.Factor) (factors []fairfactor.Factor) {
	for _, f := range ascending {
		if n := len(factors); n > 0 && factors[n-1].Prime == f.Prime {
			factors[n-1].Exponent += f.Exponent
			continue
		}
		factors = append(factors, f)
	}
	return factors
}

// certainBits is the size up to which the Baillie-PSW test is a proof.
const certainBits = 64

// smallPrimes are those below trialBound.
var smallPrimes = sync.OnceValue(func() (primes []int64) {
	composite := make([]bool, trialBound)
	for p := 2; p < trialBound; p++ {
		if composite[p] {
			continue
		}
		primes = append(primes, int64(p))
		for m := p * p; m < trialBound; m += p {
			composite[m] = true
		}
	}
	return primes
})

// divide takes small primes out of rest and appends them to what is known.
func divide(known []fairfactor.Factor, rest *big.Int) []fairfactor.Factor {
	var p, quotient, remainder big.Int
	for _, small := range smallPrimes() {
		p.SetInt64(small)
		exponent := 0
		for rest.BitLen() > 1 {
			if quotient.QuoRem(rest, &p, &remainder); remainder.Sign() != 0 {
				break
			}
			rest.Set(&quotient)
			exponent++
		}
		if exponent > 0 {
			known = append(known, fairfactor.Factor{Prime: p.String(), Exponent: exponent})
		}
	}
	return known
}

// statusOf is the status of a factorization whose cofactor is not a prime that the
// test would have noticed, if it was tested.
func statusOf(f *fairfactor.Factorization, tested bool) fairfactor.Status {
	switch one := len(f.Factors) == 1 && f.Factors[0].Exponent == 1; {
	case f.Number == "1":
		return fairfactor.Unit
	case f.Cofactor == "1" && one && f.Factors[0].Probable:
		return fairfactor.ProbablePrime
	case f.Cofactor == "1" && one:
		return fairfactor.Prime
	case f.Cofactor == "1":
		return fairfactor.FullyFactored
	case len(f.Factors) > 0:
		return fairfactor.SomeFactors
	case tested:
		return fairfactor.Composite
	}
	return fairfactor.Unknown
}

// Factorizations implements fairfactor.Knowledge. The cursor is the key of the last
// number of the page before.
func (v *Service) Factorizations(ctx context.Context, cursor string, limit int) ([]fairfactor.Factorization, string, error) {
	var after fairfactor.NumberKey
	if n, err := hex.Decode(after[:], []byte(cursor[:min(len(cursor), 2*len(after))])); err != nil || cursor != "" && (n != len(after) || len(cursor) != 2*n) {
		return nil, "", fairfactor.BadCursor(cursor)
	}
	if limit < 1 || limit > fairfactor.MaxPage {
		return nil, "", fairfactor.Errorf(fairfactor.Invalid, "limit is %d: it must be between 1 and %d", limit, fairfactor.MaxPage)
	}
	stored, err := v.sys.cfg.Store.ListKnown(ctx, after, limit)
	if err != nil {
		return nil, "", err
	}
	var page []fairfactor.Factorization
	for i := range stored {
		if err := checkKnown(&stored[i]); err != nil {
			v.sys.log.Error("a known result is wrong, it is left out", "number", stored[i].Number, "err", err)
			continue
		}
		page = append(page, factorization(stored[i].Number, stored[i].Factors))
	}
	next := ""
	if len(stored) == limit {
		last := fairfactor.KeyOfNumber(stored[limit-1].Number)
		next = hex.EncodeToString(last[:])
	}
	return page, next, nil
}

// errNotRemembered refuses what nothing would remember.
var errNotRemembered = fairfactor.Errorf(fairfactor.Conflict, "this node remembers no factors: it was started with --known-size 0")

// Teach implements fairfactor.Knowledge. A result is worth what factoring its number
// is predicted to take; primes that the test here does not prove count as probable.
func (v *Service) Teach(ctx context.Context, results []fairfactor.Known) ([]error, error) {
	if v.sys.cfg.KnownSize == 0 {
		return nil, errNotRemembered
	}
	var errs []error
	var good []fairfactor.Known
	for i, k := range results {
		err := v.sys.examine(&k)
		if err == nil {
			good = append(good, k)
			continue
		}
		if errs == nil {
			errs = make([]error, len(results))
		}
		errs[i] = err
	}
	return errs, v.sys.cfg.Store.Learn(ctx, good)
}

// examine prepares a result that a stranger sent.
func (s *System) examine(k *fairfactor.Known) error {
	if len(k.Number) < caller.KnownDigits {
		return fairfactor.ErrSmall
	}
	if err := checkKnown(k); err != nil || !k.Complete {
		return fairfactor.Wrap(fairfactor.Invalid, err, "these are not the prime factors of the number")
	}
	k.Factors = slices.Clone(k.Factors)
	for i := range k.Factors {
		p, _ := new(big.Int).SetString(k.Factors[i].Prime, 10)
		k.Factors[i].Probable = p.BitLen() > certainBits
	}
	k.CPU, k.Used = max(factor.Predict(len(k.Number)), caller.KnownCPU), s.now()
	return nil
}
