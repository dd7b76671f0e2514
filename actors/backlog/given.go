package backlog

import (
	"cmp"
	"slices"

	"fairfactor"
	"fairfactor/factor"
)

// given are primes of a job's number that were known before the job began: its turns
// work on what is left without them.
type given struct {
	primes []factor.Prime
	rest   string
}

// use has a job begin with the primes that are known of its number. If any is wrong, none
// is used. Those that are only probable are divisors, so that the job may prove them.
func (o *open) use(known []fairfactor.Factor) {
	o.job.Factors, o.divisors = nil, nil
	var g given
	for _, f := range known {
		if f.Probable {
			o.divisors = append(o.divisors, f.Prime)
		} else {
			g.primes = append(g.primes, factor.Prime{P: f.Prime, Exponent: f.Exponent, Proven: true, Proof: factor.Proof(f.Proof.String())})
		}
	}
	if len(g.primes) == 0 {
		return
	}
	var err error
	if g.rest, err = factor.Check(o.job.Number, g.primes); err == nil {
		o.given, o.job.Factors = &g, factors(g.primes)
	}
}

// tell has a machine begin where earlier work on the number has ended.
func (o *open) tell(m *factor.Machine) {
	done := make([]factor.Curves, len(o.job.Curves))
	for i, c := range o.job.Curves {
		done[i] = factor.Curves(c)
	}
	m.Credit(done)
	m.Divide(o.divisors)
}

// curves are those that were run on what is left of the number.
func (o *open) curves() []fairfactor.Curves {
	if o.machine == nil {
		return o.job.Curves
	}
	var done []fairfactor.Curves
	for _, c := range o.machine.Curves() {
		done = append(done, fairfactor.Curves(c))
	}
	return done
}

// number is what the turns of a job work on.
func (o *open) number() string {
	if o.given != nil {
		return o.given.rest
	}
	return o.job.Number
}

// withGiven returns primes that turns found with those that were known before,
// ascending.
func (o *open) withGiven(found []factor.Prime) []factor.Prime {
	if o.given == nil {
		return found
	}
	all := slices.Clone(o.given.primes)
	for _, p := range found {
		if i := slices.IndexFunc(all, func(q factor.Prime) bool { return q.P == p.P }); i >= 0 {
			all[i].Exponent += p.Exponent
		} else {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(p, q factor.Prime) int { return byValue(p.P, q.P) })
	return all
}

// Union returns the primes of two parts of one factorization, ascending, each with the
// larger of its exponents.
func Union(a, b []fairfactor.Factor) []fairfactor.Factor {
	all := slices.Clone(a)
	for _, f := range b {
		i := slices.IndexFunc(all, func(g fairfactor.Factor) bool { return g.Prime == f.Prime })
		if i < 0 {
			all = append(all, f)
		} else if f.Exponent > all[i].Exponent {
			all[i].Exponent = f.Exponent
		}
	}
	slices.SortFunc(all, func(f, g fairfactor.Factor) int { return byValue(f.Prime, g.Prime) })
	return all
}

// byValue compares canonical decimals.
func byValue(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }
