package factor

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/forms"
	"fairfactor/factor/internal/pm1"
	"fairfactor/factor/internal/siqs"
	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// What special forms, p-1 and p+1 may take, as a part of the time of the sieve that follows
// if they find nothing; and in the first turn at most so many nanoseconds.
const (
	formShare  = 1.0 / 800
	mostForms  = 4e6
	mostSmooth = 8e6
)

// smoothFromBits is the size from which on p-1 and p+1 are tried: below, the sieve takes no
// tenth of a second.
const smoothFromBits = 165

// smoothShares are the shares of p-1 and of p+1 with each sequence, as part of that of the
// curves, see curveBudget. In the first turn they come on top, so there they are halved, and
// p+1 has one sequence.
var smoothShares = [pm1.Methods]float64{pm1.Minus: 1.0 / 400, pm1.Plus: 1.0 / 800, pm1.Plus4: 1.0 / 800}

// special returns a proper factor of n > 2^128, an odd composite that is not a power, if it
// is of a special form, nil if not. power is 2^(n-1) modulo n.
func (r *Runner) special(n, power *big.Int) *big.Int {
	d, form := r.forms.Find(n, power, min(formShare*siqs.SieveNanos(n.BitLen()), mostForms))
	switch {
	case d == nil || r.poller.Stopped():
		return nil
	case form == forms.Related:
		r.by |= BySmooth
	default:
		r.by |= ByHart
	}
	return d
}

// smooth returns a proper factor of n > 2^128 by p-1 or p+1, nil if they find nothing or
// get turns of their own.
func (r *Runner) smooth(n *big.Int) *big.Int {
	if !smoothAtOnce(n.BitLen()) {
		return nil
	}
	for method := range pm1.Plus4 {
		budget := smoothShares[method] / 2 * siqs.SieveNanos(n.BitLen())
		b := pm1.Plan(method, (n.BitLen()+63)/64, budget)
		if b.B1 == 0 {
			continue
		}
		w := b.Whole(nil, method)
		if d, _ := r.pm1.Run(n, &w); d != nil {
			r.by |= BySmooth
			return d
		}
	}
	return nil
}

// smoothAtOnce reports whether p-1 and p+1 of a number of that many bits are part of the
// first turn.
func smoothAtOnce(bits int) bool {
	return bits >= smoothFromBits && smoothShares[pm1.Minus]/2*siqs.SieveNanos(bits) <= mostSmooth
}

// runSmooth runs a turn of p-1 or p+1.
func (r *Runner) runSmooth(w *pm1.Work) ([]byte, error) {
	r.parts, r.by = r.parts[:0], 0
	n := new(big.Int).SetBytes(w.N)
	d, x := r.pm1.Run(n, w)
	switch {
	case r.poller.Stopped():
		return nil, ErrStopped
	case d != nil:
		r.by |= BySmooth
		return r.partsBy(n, d)
	case x != nil && w.To == 0:
		return wire.AppendBlob([]byte{wire.Version, wire.FoundPoint}, x.Bytes()), nil
	}
	return []byte{wire.Version, wire.FoundNothing}, nil
}

// smoothSearch is where p-1 or p+1 is with a cofactor.
type smoothSearch struct {
	method pm1.Method
	bounds pm1.Bounds
	at     uint64   // stage 1 is done below it
	from   uint64   // stage 2 is done below it
	x      []byte   // residue reached; nil at the start
	work   pm1.Work // the piece handed out last
	open   bool     // it is out
}

func (s *smoothSearch) phase() string {
	return fmt.Sprintf("%v method, B1 = %d", s.method, s.bounds.B1)
}

// smoothTimes are the bounds of p-1 and p+1 before a level of curves, as multiples of the
// first bound of the level after it. So p-1 takes some 1/30 of the time of that level, p+1
// less.
var smoothTimes = [pm1.Methods]uint64{pm1.Minus: 27, pm1.Plus: 5, pm1.Plus4: 5}

// smoothBounds returns the bounds of the search number i from 0, each method in turn: once
// before the sieve if the first turn has not done it, else before each level of curves.
// They are zero if there is nothing to do.
func (c *cofactor) smoothBounds(i int) pm1.Bounds {
	method, level := pm1.Method(i%int(pm1.Methods)), i/int(pm1.Methods)
	if !c.sieves() {
		return pm1.BoundsOf(smoothTimes[method] * ecm.Levels[min(level+1, len(ecm.Levels)-1)].B1)
	}
	bits := c.n.BitLen()
	if level > 0 || bits < smoothFromBits || smoothAtOnce(bits) {
		return pm1.Bounds{}
	}
	return pm1.Plan(method, c.words, smoothShares[method]*siqs.SieveNanos(bits))
}

// nextSmooth returns the next turn of p-1 or p+1, nil if it has to wait.
func (c *cofactor) nextSmooth() *openTurn {
	for c.smooth == nil {
		if c.searches >= int(pm1.Methods)*(c.level+1) {
			return nil
		}
		if b := c.smoothBounds(c.searches); b.B1 != 0 {
			c.smooth = &smoothSearch{method: pm1.Method(c.searches % int(pm1.Methods)), bounds: b, from: b.B1 + 1}
			break
		}
		c.searches++
	}
	s := c.smooth
	if s.open {
		return nil
	}
	s.work = s.next(c)
	s.open = true
	t := Turn{Payload: s.work.Encode(), Predict: s.work.Nanos(c.words)}
	c.handed += float64(t.Predict)
	return &openTurn{turn: t, of: c, smooth: s}
}

// next returns the next piece of the search: all of it if that fits in a turn.
func (s *smoothSearch) next(c *cofactor) pm1.Work {
	whole := s.bounds.Whole(c.bytes, s.method)
	if s.at == 0 && whole.Nanos(c.words) < 2*stop.TurnNanos*time.Nanosecond {
		return whole
	}
	w := pm1.Work{N: c.bytes, Method: s.method, B1: s.bounds.B1, X: s.x}
	if s.at <= s.bounds.B1 {
		w.Lo, w.Hi = s.at, min(s.at+pm1.Stage1Span(s.method, c.words), s.bounds.B1+1)
	} else {
		w.From, w.To = s.from, min(s.from+pm1.Stage2Span(s.from, c.words), s.bounds.B2)
	}
	return w
}

// takeSmooth takes the result of a turn of p-1 or p+1 that found no factor.
func (c *cofactor) takeSmooth(o *openTurn, data []byte) error {
	s := o.smooth
	if c.gone || c.smooth != s {
		return nil
	}
	switch {
	case data[1] == wire.FoundNothing && len(data) == 2:
		if s.from = s.work.To; s.work.To == 0 { // all factors at once: that is the end of it
			s.from = s.bounds.B2
		}
		if s.from >= s.bounds.B2 {
			c.smooth = nil
			c.searches++
		}
	case data[1] == wire.FoundPoint && s.work.To == 0:
		r := wire.Reader{B: data[2:]}
		x := r.Blob(len(c.bytes))
		if v := new(big.Int).SetBytes(x); r.Bad || len(r.B) != 0 || v.Cmp(arith.Two) < 0 || v.Cmp(c.n) >= 0 {
			return ErrTurn
		}
		s.x, s.at = slices.Clone(x), s.work.Hi
	default:
		return ErrTurn
	}
	s.open = false
	c.done += float64(o.turn.Predict)
	return nil
}
