package factor

import (
	"encoding/binary"
	"math/big"
	"time"
)

// solving is what follows the sieve, in stages: combinations of relations without
// large primes, the columns of the matrix, the matrix, its dependencies, and their
// roots. What the relations of a small number need is one turn. The machine only
// cuts the work and passes on what came back, which carries check sums: a false
// root can do no more than split nothing.
type solving struct {
	stage stage
	next  int // pieces of the stage that were handed out
	out   int // those that have no result yet

	sets    *matrix // columns are sets of relations that make up a column of the matrix
	cuts    []int   // of the sets: those from cuts[i] to cuts[i+1] are piece i
	columns [][]byte
	keep    []int // the sets that are left in the pruned matrix
	entries int
	matrix  []byte
	state   []byte // of the linear algebra
	seed    uint64
	step    int
	found   [][]uint64 // dependencies
	parts   []*big.Int // the number, as far as they have split it
}

// stage is where solving is.
type stage int

const (
	stageAll     stage = iota // everything in one turn
	stageCycles               // one turn
	stageColumns              // a turn for some of the sets each
	stageFilter               // one turn
	stageSteps                // some steps of block Lanczos a turn
	stageRoots                // a turn for each dependency
)

const (
	// wholeBase is the factor base up to which one turn does everything, in some
	// 60 ms.
	wholeBase = 5500
	// columnsPiece is the number of relations in the sets of a turn of columns.
	columnsPiece = 50_000
	// stepsNanos is what a turn of block Lanczos aims at: its payload holds the
	// matrix, so that short turns would cost more than they do.
	stepsNanos = 75e6
	// rootsAhead is how many roots are taken at a time: each splits a product of two
	// primes with a chance of one half.
	rootsAhead = 2
)

// solve begins what follows the sieve.
func (h *harvest) solve() *solving {
	s := &solving{stage: stageCycles, parts: []*big.Int{h.base.n}}
	if len(h.base.primes) <= wholeBase {
		s.stage = stageAll
	}
	return s
}

// pieces returns how many turns the stage has, and how many may be open at a time.
func (s *solving) pieces() (count, ahead int) {
	switch s.stage {
	case stageColumns:
		return len(s.cuts) - 1, len(s.cuts)
	case stageRoots:
		return len(s.found), rootsAhead
	}
	return 1, 1
}

// waits reports whether there is nothing to do until a turn ends.
func (s *solving) waits() bool {
	count, ahead := s.pieces()
	return s.next >= count || s.out >= ahead
}

// enter goes on to a stage.
func (s *solving) enter(to stage) { s.stage, s.next, s.out = to, 0, 0 }

// task is the work of one turn.
type task struct {
	payload []byte
	predict time.Duration
	piece   int // of the stage
}

// turn hands out the next piece of the stage.
func (h *harvest) turn(s *solving) (o task) {
	relations := time.Duration(h.count())
	switch s.stage {
	case stageAll:
		o = task{payload: h.gather([]byte{version, kindFinish}, nil), predict: h.predictAll()}
	case stageCycles:
		o = task{payload: cyclesPayload(h.count(), len(h.parent), h.ends), predict: time.Millisecond + 100*relations}
	case stageColumns:
		o = h.columnsTurn(s)
	case stageFilter:
		size := 0
		for _, c := range s.columns {
			size += len(c)
		}
		p := append(make([]byte, 0, size+2), version, kindFilter)
		for _, c := range s.columns {
			p = append(p, c...)
		}
		o = task{payload: p, predict: time.Millisecond + 15*time.Duration(size)}
	case stageSteps:
		n := len(s.keep)
		steps := max(1, int(stepsNanos/stepNanos(n, s.entries)))
		o = task{payload: solvePayload(s.matrix, s.state, steps), predict: predictSolve(n, s.entries, steps)}
	case stageRoots:
		o = h.rootTurn(s)
	}
	o.piece = s.next
	s.next++
	s.out++
	return o
}

// predictAll is the CPU that everything in one turn probably takes.
func (h *harvest) predictAll() time.Duration {
	base := time.Duration(len(h.base.primes))
	return time.Millisecond + 3*base*base/2 + 1000*time.Duration(h.count())
}

// columnsTurn asks for the columns of some sets: the relations in them are given new
// numbers.
func (h *harvest) columnsTurn(s *solving) task {
	part, used := s.sets.part(s.cuts[s.next], s.cuts[s.next+1])
	p := part.append([]byte{version, kindColumns}, nil)
	return task{payload: h.gather(p, chosen(used)), predict: time.Millisecond + 1000*time.Duration(len(part.entries))}
}

// rootTurn asks for the root of the next dependency.
func (h *harvest) rootTurn(s *solving) task {
	some := chosen(times(s.sets, s.keep, s.found[s.next]))
	predict := time.Millisecond + 400*time.Duration(len(some)) + 30_000*time.Duration(len(h.as))
	return task{payload: h.gather([]byte{version, kindRoot}, some), predict: predict}
}

// chosen returns the numbers of what is set, ascending.
func chosen(set []bool) []uint32 {
	list := make([]uint32, 0, len(set)/2)
	for i, in := range set {
		if in {
			list = append(list, uint32(i))
		}
	}
	return list
}

// advance is what a result of solving leads to.
type advance int

const (
	goOn   advance = iota // there is more to do
	split                 // parts are factors of the number, and as many as there will be
	failed                // no dependency splits the number
	tooFew                // more relations are needed: enough says how many
)

// take takes the result of a piece of a stage.
func (h *harvest) takeStage(s *solving, piece int, data []byte) (advance, error) {
	switch {
	case data[1] == foundSquares && (s.stage == stageAll || s.stage == stageRoots):
		return s.takeSquares(data)
	case data[1] == foundShort && (s.stage == stageAll || s.stage == stageFilter):
		return h.takeShort(data)
	case data[1] == foundCycles && s.stage == stageCycles:
		return goOn, s.takeCycles(data)
	case data[1] == foundColumns && s.stage == stageColumns:
		return goOn, s.takeColumns(piece, data)
	case data[1] == foundMatrix && s.stage == stageFilter:
		return goOn, s.takeMatrix(data)
	case data[1] == foundState && s.stage == stageSteps:
		return goOn, s.takeState(data)
	case data[1] == foundSets && s.stage == stageSteps:
		return goOn, s.takeSets(data)
	case data[1] == foundBroken && len(data) == 2 && s.stage == stageSteps:
		return s.takeBroken(), nil
	}
	return goOn, ErrTurn
}

// takeCycles takes the sets of relations and cuts them into pieces.
func (s *solving) takeCycles(data []byte) error {
	b, ok := unseal(data)
	if !ok {
		return ErrTurn
	}
	r := reader{b: b[2:]}
	sets := readMatrix(&r, len(r.b)<<10, len(r.b))
	if r.bad || len(r.b) != 0 {
		return ErrTurn
	}
	s.sets, s.cuts = sets, []int{0}
	for c := range sets.columns() {
		if sets.start[c+1]-sets.start[s.cuts[len(s.cuts)-1]] >= columnsPiece || c+1 == sets.columns() {
			s.cuts = append(s.cuts, c+1)
		}
	}
	s.columns = make([][]byte, len(s.cuts)-1)
	s.enter(stageColumns)
	return nil
}

// takeColumns takes one piece of the columns.
func (s *solving) takeColumns(piece int, data []byte) error {
	b, ok := unseal(data)
	if !ok {
		return ErrTurn
	}
	s.columns[piece] = b[2:]
	s.out--
	if s.waits() && s.out == 0 {
		s.enter(stageFilter)
	}
	return nil
}

// takeMatrix takes the pruned matrix.
func (s *solving) takeMatrix(data []byte) error {
	b, ok := unseal(data)
	if !ok {
		return ErrTurn
	}
	r := reader{b: b[2:]}
	columns, entries := r.uvarint(), r.uvarint()
	keep := r.ascending(len(r.b), s.sets.columns())
	if r.bad || columns != uint64(len(keep)) || columns == 0 || entries > uint64(len(r.b)) {
		return ErrTurn
	}
	s.keep, s.entries, s.matrix, s.columns = keep, int(entries), r.b, nil
	s.state = (&state{}).append(nil)
	s.enter(stageSteps)
	return nil
}

// takeState takes where the linear algebra is.
func (s *solving) takeState(data []byte) error {
	b, ok := unseal(data)
	if !ok {
		return ErrTurn
	}
	r := reader{b: b[2:]}
	s.seed, s.step, s.state = r.uvarint(), int(r.uvarint()), b[2:]
	s.enter(stageSteps)
	return nil
}

// takeSets takes the dependencies.
func (s *solving) takeSets(data []byte) error {
	sets, err := readSets(data, len(s.keep))
	if err != nil {
		return err
	}
	s.found, s.matrix, s.state = sets, nil, nil
	s.enter(stageRoots)
	return nil
}

// takeBroken begins the linear algebra again from another start, or gives it up.
func (s *solving) takeBroken() advance {
	s.seed++
	if s.seed >= maxStarts {
		return failed
	}
	s.step, s.state = 0, (&state{seed: s.seed}).append(nil)
	s.enter(stageSteps)
	return goOn
}

// takeShort notes how many relations are missing: too many columns could not be used.
func (h *harvest) takeShort(data []byte) (advance, error) {
	missing, k := binary.Uvarint(data[2:])
	if k <= 0 || 2+k != len(data) || missing > maxRows {
		return goOn, ErrTurn
	}
	h.enough = h.independent() + max(spareSquares, int(missing))
	return tooFew, nil
}

// takeSquares takes roots, which may split the number.
func (s *solving) takeSquares(data []byte) (advance, error) {
	roots, err := readSquares(data)
	if err != nil {
		return goOn, err
	}
	for _, d := range roots {
		s.parts = splitBy(s.parts, d)
	}
	s.out--
	count, _ := s.pieces()
	last := s.next >= count && s.out == 0
	switch {
	case len(s.parts) > 1 && (last || primes(s.parts)):
		return split, nil
	case last:
		return failed, nil
	}
	return goOn, nil
}

// retry asks for more relations after linear algebra that gave nothing. It reports
// false once that has happened too often with this multiplier.
func (h *harvest) retry() bool {
	h.tries++
	h.enough = h.independent() + spareSquares
	return h.tries < maxTries
}

// solvingNanos estimates the CPU of all that follows the sieve.
func (h *harvest) solvingNanos() float64 {
	if len(h.base.primes) <= wholeBase {
		return float64(h.predictAll())
	}
	columns := len(h.base.primes)
	return float64(columns)/63*stepNanos(columns, 50*columns) + 2*h.rootsNanos()
}

// rootsNanos estimates the CPU of the roots, about as much as that of the matrix.
func (h *harvest) rootsNanos() float64 { return 2 * (1e6 + 200*float64(h.count())) }

// left estimates the CPU that is left, in nanoseconds.
func (s *solving) left(h *harvest) float64 {
	switch s.stage {
	case stageSteps:
		steps := max(float64(len(s.keep))/63-float64(s.step), 0)
		return steps*stepNanos(len(s.keep), s.entries) + h.rootsNanos()
	case stageRoots:
		return h.rootsNanos()
	}
	return h.solvingNanos()
}

// phase says what is being done, for people.
func (s *solving) phase() string {
	switch s.stage {
	case stageSteps:
		return "quadratic sieve, linear algebra"
	case stageRoots:
		return "quadratic sieve, square roots"
	}
	return "quadratic sieve, matrix"
}
