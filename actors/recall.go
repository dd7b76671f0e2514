package actors

import (
	"context"
	"time"

	"fairfactor"
	"fairfactor/actors/caller"
	"fairfactor/factor"
)

// touchEvery is how old the last use of a result may be before a new one is written
// down.
const touchEvery = time.Hour

// recall looks up which of the submitted numbers are known, once for all of them. Short
// numbers are passed over, which is all that they pay. A store that can't be asked
// costs the knowledge, not the submission.
func (s *System) recall(ctx context.Context, subs []caller.Submission) {
	if s.cfg.KnownSize == 0 {
		return
	}
	var numbers []string
	for i := range subs {
		if len(subs[i].Number) >= caller.KnownDigits {
			numbers = append(numbers, subs[i].Number)
		}
	}
	if len(numbers) == 0 {
		return
	}
	known := s.known(ctx, numbers)
	if len(known) == 0 {
		return
	}
	for i := range subs {
		if k, ok := known[subs[i].Number]; ok {
			subs[i].Known = k
		}
	}
}

// known returns what is known of numbers, each result multiplied out and its primes
// tested. One that is wrong is left out.
func (s *System) known(ctx context.Context, numbers []string) map[string]*fairfactor.Known {
	stored, err := s.cfg.Store.Known(ctx, numbers)
	if err != nil {
		s.log.Debug("what is known can't be read", "err", err)
		return nil
	}
	var known map[string]*fairfactor.Known
	for i := range stored {
		k := &stored[i]
		if err := checkKnown(k); err != nil {
			s.log.Error("a known result is wrong, it counts as unknown", "number", k.Number, "err", err)
			continue
		}
		s.touch(*k)
		if known == nil {
			known = make(map[string]*fairfactor.Known, len(stored))
		}
		known[k.Number] = k
	}
	return known
}

// checkKnown makes sure of a result, and whether it is complete.
func checkKnown(k *fairfactor.Known) error {
	rest, err := factor.Check(k.Number, primesOf(k.Factors))
	k.Complete = rest == "1"
	return err
}

func primesOf(fs []fairfactor.Factor) []factor.Prime {
	primes := make([]factor.Prime, len(fs))
	for i, f := range fs {
		primes[i] = factor.Prime{P: f.Prime, Exponent: f.Exponent, Proven: !f.Probable}
	}
	return primes
}

// touch notes that a result was used, now and then: what is used stays longer.
func (s *System) touch(k fairfactor.Known) {
	now := s.now()
	if now.Sub(k.Used) < touchEvery {
		return
	}
	k.Used = now
	s.background(func(ctx context.Context) {
		ctx, cancel := s.run.Within(ctx, storeLimit)
		defer cancel()
		if err := s.cfg.Store.Learn(ctx, []fairfactor.Known{k}); err != nil {
			s.log.Debug("the use of a known result can't be stored", "err", err)
		}
	})
}
