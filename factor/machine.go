package factor

import (
	"fmt"
	"math/big"
	"slices"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/siqs"
	"fairfactor/factor/internal/wire"
)

// Machine is the factorization of one number, cut into turns. It takes results
// in any order and does no I/O, reads no clock and starts no goroutine; the
// same results in the same order always lead to the same turns. It is not safe
// for concurrent use.
type Machine struct {
	n       string
	parts   []part  // primes found, ascending
	methods Methods // what found factors
	rest    []*cofactor
	open    map[uint64]*openTurn
	lost    []uint64     // open turns to hand out again, in the order they were lost
	next    uint64       // the next turn's ID
	begun   bool         // the first turn's result has been applied
	applied uint64       // results applied
	record  record       // the curves that were run before the first result, or before the last factor was found
	known   []*big.Int   // divisors of the number that wait for the first result
	saves   []savedPiece // pieces of the checkpoint, by number
	loaded  int          // those of them that were there when the machine was restored and are loaded
	missing int          // those that were there
}

// openTurn is a turn that was handed out and has no result yet.
type openTurn struct {
	turn   Turn
	of     *cofactor     // what it works on; nil for the first turn
	curve  *curve        // the curve that it carries on, nil for whole ones
	count  uint64        // whole curves in it
	level  int           // of these
	smooth *smoothSearch // the search that it carries on
	lost   bool          // waits in Machine.lost

	collection     *siqs.Collection     // what relations or squares of this turn belong to, else nil
	spans          []siqs.Span          // polynomials that it sieves
	nums           []int                // the numbers of their a's
	postprocessing *siqs.Postprocessing // what follows the sieve
	piece          int                  // the number of that piece
	prime          *big.Int             // what it proves
	proof          *jacobiProof         // the proof that it is a piece of, number piece
}

// New returns the machine of n, which must be in canonical decimal digits
// ([ErrNotNumber]).
func New(n string) (*Machine, error) {
	if !canonical(n) {
		return nil, fmt.Errorf("factor: new machine: %w", ErrNotNumber)
	}
	return &Machine{n: n, open: make(map[uint64]*openTurn)}, nil
}

// Next returns turns that may be run now, at most max of them, lost ones first.
// They are open until [Machine.Apply] or [Machine.Return]. There are
// always more until the number is done, with three exceptions: before the result of
// the first turn is applied, while linear algebra is out, and when only proofs of
// primality are left.
func (m *Machine) Next(max int) []Turn {
	var turns []Turn
	for len(turns) < max && len(m.lost) > 0 {
		o := m.open[m.lost[0]]
		m.lost = m.lost[1:]
		o.lost = false
		turns = append(turns, o.turn)
	}
	if !m.begun {
		if m.next == 0 && len(turns) < max {
			turns = append(turns, m.hand(&openTurn{turn: First(m.n)}))
		}
		return turns
	}
	for len(turns) < max {
		if o := m.nextProof(); o != nil {
			turns = append(turns, m.hand(o))
			continue
		}
		c := m.pick()
		if c == nil {
			break
		}
		if !c.fresh && c.collection == nil && c.sieving() && !m.startSieve(c) {
			continue
		}
		turns = append(turns, m.hand(c.nextTurn()))
	}
	return turns
}

// pick returns the cofactor whose turn it is: those that the quick methods have
// not seen first, then the one with the fewest turns handed out, small ones
// first; nil if there is nothing to do until a turn ends. The quick methods give
// one turn a cofactor; while it is open, other methods run.
func (m *Machine) pick() *cofactor {
	var best *cofactor
	for _, c := range m.rest {
		switch {
		case c.fresh && !c.splitting:
			return c
		case c.waits():
		case best == nil || c.turns < best.turns:
			best = c
		}
	}
	return best
}

// hand gives the turn its ID and opens it.
func (m *Machine) hand(o *openTurn) Turn {
	o.turn.ID = m.next
	m.next++
	m.open[o.turn.ID] = o
	return o.turn
}

// Return says that the open turn id was lost: Next hands it out again. Unknown
// ids are ignored.
func (m *Machine) Return(id uint64) {
	o, ok := m.open[id]
	if !ok || o.lost {
		return
	}
	if o.of != nil && o.of.gone {
		delete(m.open, id)
		return
	}
	o.lost = true
	m.lost = append(m.lost, id)
}

// Apply takes the result of a turn, in any order. Results of turns that are not
// open, because they came twice or belong to another life of the machine, are
// ignored. A result that does not check out is an error, and Next hands its
// turn out again.
func (m *Machine) Apply(r Result) error {
	o, ok := m.open[r.ID]
	if !ok {
		return nil
	}
	if err := m.take(o, r.Data); err != nil {
		m.Return(r.ID)
		return fmt.Errorf("factor: apply the result of turn %d: %w", r.ID, err)
	}
	if o.lost {
		m.lost = slices.DeleteFunc(m.lost, func(id uint64) bool { return id == r.ID })
	}
	delete(m.open, r.ID)
	m.applied++
	m.dropLost()
	return nil
}

// dropLost forgets lost turns on cofactors that are gone.
func (m *Machine) dropLost() {
	m.lost = slices.DeleteFunc(m.lost, func(id uint64) bool {
		o := m.open[id]
		dead := o.of != nil && o.of.gone
		if dead {
			delete(m.open, id)
		}
		return dead
	})
}

// take checks data and brings the state up to it; after an error the state is
// as before.
func (m *Machine) take(o *openTurn, data []byte) error {
	if len(data) < 2 || data[0] != wire.Version {
		return ErrTurn
	}
	first := o.of == nil
	switch {
	case o.prime != nil:
		if data[1] != wire.FoundProof {
			return ErrTurn
		}
		if o.proof != nil {
			return m.takePiece(o, data)
		}
		return m.takeProof(o, data)
	case data[1] == wire.FoundParts && o.collection == nil:
		return m.takeParts(o, Result{Data: data})
	case o.smooth != nil:
		return o.of.takeSmooth(o, data)
	case data[1] == wire.FoundPoint && !first && o.curve != nil:
		return o.of.takePoint(o.curve, data)
	case data[1] == wire.FoundRelations && o.spans != nil:
		return o.of.takeRelations(o, data)
	case o.postprocessing != nil:
		return m.takePostprocessing(o, data)
	case data[1] == wire.FoundNothing && !first && len(data) == 2 && o.curves():
		o.of.takeNothing(o)
		return nil
	}
	return ErrTurn
}

// takeParts takes the result of a turn that looked for factors of o.of, or of
// the whole number.
func (m *Machine) takeParts(o *openTurn, r Result) error {
	parts, err := decodeParts(r.Data)
	if err != nil {
		return err
	}
	whole, exp := new(big.Int), 1
	if o.of != nil {
		whole, exp = o.of.n, o.of.exp
	} else {
		whole.SetString(m.n, 10)
	}
	if !multipliesTo(parts, whole) {
		return ErrProduct
	}
	for i := range parts {
		if !plausible(&parts[i]) {
			return ErrComposite
		}
	}
	quick := o.of == nil || o.of.splitTurn(o)
	switch {
	case o.of == nil:
		m.begun = true
		defer m.divide()
	case o.of.gone:
		m.refine(parts)
		return nil
	case quick && len(parts) == 1 && parts[0].grade == prime.Composite && parts[0].exp == 1:
		o.of.fresh, o.of.splitting = false, false
		return nil
	default:
		m.remove(o.of)
	}
	m.methods |= r.Methods()
	fresh := !quick || composites(parts) > 1 // several large ones: the turn has not looked at each
	for i := range parts {
		m.put(parts[i], exp, fresh, o.of)
	}
	m.refine(parts)
	return nil
}

// composites returns how many of the parts are composite.
func composites(parts []part) (count int) {
	for i := range parts {
		if parts[i].grade == prime.Composite {
			count++
		}
	}
	return count
}

// plausible tests a part that claims to be prime once more: a result may come
// from another process.
func plausible(p *part) bool {
	switch {
	case p.grade == prime.Composite:
		return true
	case p.b != nil && p.grade != prime.Probable || p.grade == prime.Proven && !prime.KnownPrime(p.value()):
		return false
	}
	return p.value().ProbablyPrime(0)
}

// put adds a part, exp times, to the primes or to the cofactors. from is the cofactor that
// it is a part of, nil for the number itself.
func (m *Machine) put(p part, exp int, fresh bool, from *cofactor) {
	p.exp *= exp
	if p.grade != prime.Composite {
		m.parts = insert(m.parts, p)
		return
	}
	v := p.value()
	for _, c := range m.rest {
		if c.n.Cmp(v) == 0 {
			c.exp += p.exp
			return
		}
	}
	c := newCofactor(v, p.exp, fresh)
	if from == nil {
		c.begin(&m.record)
	} else {
		c.inherit(&from.record, from.searches)
	}
	m.rest = append(m.rest, c)
	slices.SortFunc(m.rest, func(a, b *cofactor) int { return a.n.Cmp(b.n) })
}

// remove takes c out of the cofactors; open turns on it may still come back.
func (m *Machine) remove(c *cofactor) {
	c.gone = true
	m.record = c.record.clone()
	m.rest = slices.DeleteFunc(m.rest, func(d *cofactor) bool { return c == d })
}

// refine splits cofactors that have a factor in common with one of the parts.
func (m *Machine) refine(parts []part) {
	for i := range parts {
		v := parts[i].value()
		for _, c := range slices.Clone(m.rest) {
			g := new(big.Int).GCD(nil, nil, v, c.n)
			if g.Cmp(arith.One) == 0 || g.Cmp(c.n) == 0 {
				continue
			}
			m.remove(c)
			for _, d := range [...]*big.Int{g, new(big.Int).Quo(c.n, g)} {
				grade := prime.Composite
				if d.ProbablyPrime(20) {
					grade = prime.GradeOf(d)
				}
				m.put(partOf(d, 1, grade), c.exp, true, c)
			}
		}
	}
}

// Done reports whether n is factored completely, and every prime of at most 100
// digits proven.
func (m *Machine) Done() bool {
	return m.begun && len(m.rest) == 0 && m.unprovenPrimes() == 0
}

// Primes returns the primes found so far, ascending.
func (m *Machine) Primes() []Prime { return primesOf(m.parts) }

// Remaining returns the composite cofactors that are left, ascending, in
// decimal digits: n itself before the first result, nothing when Done or when only
// proofs are left.
func (m *Machine) Remaining() []string {
	if !m.begun {
		return []string{m.n}
	}
	var rest []string
	for _, c := range m.rest {
		rest = append(rest, c.n.String())
	}
	return rest
}
