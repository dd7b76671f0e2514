package actors

import (
	"context"
	"slices"
	"time"

	"fairfactor"
	"fairfactor/actors/caller"
	"fairfactor/factor"
)

// touchEvery is how old the last use of a result may be before a new one is written
// down.
const touchEvery = time.Hour

// touchPage bounds the uses that are written down at once.
const touchPage = 1000

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
	var used []fairfactor.Known
	now := s.now()
	for i := range stored {
		k := &stored[i]
		if err := checkKnown(k); err != nil {
			s.log.Error("a known result is wrong, it counts as unknown", "number", k.Number, "err", err)
			continue
		}
		if k.Deadly != nil {
			s.deadly.Add(*k.Deadly)
		}
		if !k.Used.IsZero() && now.Sub(k.Used) >= touchEvery {
			again := *k
			again.Used = now
			used = append(used, again)
		}
		if known == nil {
			known = make(map[string]*fairfactor.Known, len(stored))
		}
		known[k.Number] = k
	}
	s.touch(used)
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
		primes[i] = factor.Prime{P: f.Prime, Exponent: f.Exponent, Proven: !f.Probable, Proof: factor.Proof(f.Proof.String())}
	}
	return primes
}

// touch notes that results were used, now and then: what is used stays longer.
func (s *System) touch(used []fairfactor.Known) {
	if len(used) == 0 {
		return
	}
	s.background(func(ctx context.Context) {
		ctx, cancel := s.run.Within(ctx, storeLimit)
		defer cancel()
		for some := range slices.Chunk(used, touchPage) {
			if err := s.cfg.Store.Learn(ctx, some); err != nil {
				s.log.Debug("the use of known results can't be stored", "err", err)
			}
		}
	})
}
