package siqs

import (
	"encoding/binary"
	"math/big"
	"time"

	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/wire"
)

// Postprocessing is what follows the sieve, in stages: combinations of relations without
// large primes, the columns of the matrix, the matrix, its dependencies, and their
// roots. What the relations of a small number need is one turn. The machine only
// cuts the work and passes on what came back, which carries check sums: a false
// root can do no more than split nothing.
type Postprocessing struct {
	Stage stage
	Next  int // pieces of the stage that were handed out
	out   int // those that have no result yet

	Sets    *gf2.Matrix // columns are sets of relations that make up a column of the matrix
	Cuts    []int       // of the sets: those from cuts[i] to cuts[i+1] are piece i
	Columns [][]byte
	keep    []int // the sets that are left in the pruned matrix
	entries int
	matrix  []byte
	state   []byte // of the linear algebra
	seed    uint64
	step    int
	found   [][]uint64 // dependencies
	Parts   []*big.Int // the number, as far as they have split it
}

// stage is how far the postprocessing has come.
type stage int

const (
	stageAll     stage = iota // everything in one turn
	StageCycles               // one turn
	StageColumns              // a turn for some of the sets each
	stageFilter               // one turn
	stageSteps                // some steps of block Lanczos a turn
	stageRoots                // a turn for each dependency
)

const (
	// WholeBase is the factor base up to which one turn does everything, in some
	// 60 ms.
	WholeBase = 5500
	// columnsPiece is the number of relations in the sets of a turn of columns.
	columnsPiece = 50_000
	// stepsNanos is what a turn of block Lanczos aims at: its payload holds the
	// matrix, so that short turns would cost more than they do.
	stepsNanos = 75e6
	// rootsAhead is how many roots are taken at a time: each splits a product of two
	// primes with a chance of one half.
	rootsAhead = 2
)

// StartPostprocessing begins what follows the sieve.
func (h *Collection) StartPostprocessing() *Postprocessing {
	s := &Postprocessing{Stage: StageCycles, Parts: []*big.Int{h.Base.N}}
	if len(h.Base.primes) <= WholeBase {
		s.Stage = stageAll
	}
	h.beginAlgebra()
	return s
}

// pieces returns how many turns the stage has, and how many may be open at a time.
func (s *Postprocessing) pieces() (count, ahead int) {
	switch s.Stage {
	case StageColumns:
		return len(s.Cuts) - 1, len(s.Cuts)
	case stageRoots:
		return len(s.found), rootsAhead
	}
	return 1, 1
}

// Waits reports whether there is nothing to do until a turn ends.
func (s *Postprocessing) Waits() bool {
	count, ahead := s.pieces()
	return s.Next >= count || s.out >= ahead
}

// enter goes on to a stage.
func (s *Postprocessing) enter(to stage) { s.Stage, s.Next, s.out = to, 0, 0 }

// Task is the work of one turn.
type Task struct {
	Payload []byte
	Predict time.Duration
	Piece   int // of the stage
}

// NextTask hands out the next piece of the stage.
func (h *Collection) NextTask(s *Postprocessing) (o Task) {
	relations := time.Duration(h.count())
	switch s.Stage {
	case stageAll:
		o = Task{Payload: h.AppendRelations([]byte{wire.Version, wire.KindFinish}, nil), Predict: h.predictAll()}
	case StageCycles:
		o = Task{Payload: h.cyclesPayload(), Predict: time.Millisecond + 100*relations}
	case StageColumns:
		o = h.columnsTask(s)
	case stageFilter:
		size := 0
		for _, c := range s.Columns {
			size += len(c)
		}
		p := append(make([]byte, 0, size+2), wire.Version, wire.KindFilter)
		for _, c := range s.Columns {
			p = append(p, c...)
		}
		o = Task{Payload: p, Predict: time.Millisecond + 15*time.Duration(size)}
	case stageSteps:
		n := len(s.keep)
		steps := max(1, int(stepsNanos/gf2.StepNanos(n, s.entries)))
		o = Task{Payload: SolvePayload(s.matrix, s.state, steps), Predict: gf2.PredictSolve(n, s.entries, steps)}
	case stageRoots:
		o = h.rootTask(s)
	}
	o.Piece = s.Next
	s.Next++
	s.out++
	return o
}

// predictAll is the CPU that everything in one turn probably takes.
func (h *Collection) predictAll() time.Duration {
	base := time.Duration(len(h.Base.primes))
	return time.Millisecond + 3*base*base/2 + 1000*time.Duration(h.count())
}

// columnsTask asks for the columns of some sets: the relations in them are given new
// numbers.
func (h *Collection) columnsTask(s *Postprocessing) Task {
	part, used := s.Sets.Part(s.Cuts[s.Next], s.Cuts[s.Next+1])
	p := part.Append([]byte{wire.Version, wire.KindColumns}, nil)
	return Task{Payload: h.AppendRelations(p, chosen(used)), Predict: time.Millisecond + 1000*time.Duration(len(part.Entries))}
}

// rootTask asks for the root of the next dependency.
func (h *Collection) rootTask(s *Postprocessing) Task {
	some := chosen(times(s.Sets, s.keep, s.found[s.Next]))
	predict := time.Millisecond + 400*time.Duration(len(some)) + 30_000*time.Duration(len(h.coefficients))
	return Task{Payload: h.AppendRelations([]byte{wire.Version, wire.KindRoot}, some), Predict: predict}
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

// Outcome is what a result leads to.
type Outcome int

const (
	Continue Outcome = iota // there is more to do
	Split                   // parts are factors of the number, and as many as there will be
	Failed                  // no dependency splits the number
	TooFew                  // more relations are needed: enough says how many
)

// Take takes the result of a piece of a stage.
func (h *Collection) Take(s *Postprocessing, piece int, data []byte) (Outcome, error) {
	switch {
	case data[1] == wire.FoundSquares && (s.Stage == stageAll || s.Stage == stageRoots):
		return s.takeSquares(data)
	case data[1] == wire.FoundShort && (s.Stage == stageAll || s.Stage == stageFilter):
		return h.takeShort(data)
	case data[1] == wire.FoundCycles && s.Stage == StageCycles:
		return Continue, s.takeCycles(data)
	case data[1] == wire.FoundColumns && s.Stage == StageColumns:
		return Continue, s.takeColumns(piece, data)
	case data[1] == wire.FoundMatrix && s.Stage == stageFilter:
		return Continue, h.takeMatrix(s, data)
	case data[1] == wire.FoundState && s.Stage == stageSteps:
		return Continue, h.takeState(s, data)
	case data[1] == wire.FoundSets && s.Stage == stageSteps:
		return Continue, s.takeSets(data)
	case data[1] == wire.FoundBroken && len(data) == 2 && s.Stage == stageSteps:
		return h.takeBroken(s), nil
	}
	return Continue, wire.ErrTurn
}

// takeCycles takes the sets of relations and cuts them into pieces.
func (s *Postprocessing) takeCycles(data []byte) error {
	b, ok := wire.Unseal(data)
	if !ok {
		return wire.ErrTurn
	}
	r := wire.Reader{B: b[2:]}
	sets := gf2.ReadMatrix(&r, len(r.B)<<10, len(r.B))
	if r.Bad || len(r.B) != 0 {
		return wire.ErrTurn
	}
	s.Sets, s.Cuts = sets, []int{0}
	for c := range sets.Columns() {
		if sets.Start[c+1]-sets.Start[s.Cuts[len(s.Cuts)-1]] >= columnsPiece || c+1 == sets.Columns() {
			s.Cuts = append(s.Cuts, c+1)
		}
	}
	s.Columns = make([][]byte, len(s.Cuts)-1)
	s.enter(StageColumns)
	return nil
}

// takeColumns takes one piece of the columns.
func (s *Postprocessing) takeColumns(piece int, data []byte) error {
	b, ok := wire.Unseal(data)
	if !ok {
		return wire.ErrTurn
	}
	s.Columns[piece] = b[2:]
	s.out--
	if s.Waits() && s.out == 0 {
		s.enter(stageFilter)
	}
	return nil
}

// takeMatrix takes the pruned matrix.
func (h *Collection) takeMatrix(s *Postprocessing, data []byte) error {
	b, ok := wire.Unseal(data)
	if !ok {
		return wire.ErrTurn
	}
	r := wire.Reader{B: b[2:]}
	columns, entries := r.Uvarint(), r.Uvarint()
	keep := r.Ascending(len(r.B), s.Sets.Columns())
	if r.Bad || columns != uint64(len(keep)) || columns == 0 || entries > uint64(len(r.B)) {
		return wire.ErrTurn
	}
	s.keep, s.entries, s.matrix, s.Columns = keep, int(entries), r.B, nil
	s.state = h.algebra.stateFor(s.matrix, len(keep))
	s.enter(stageSteps)
	s.readState()
	return nil
}

// takeState takes where the linear algebra is.
func (h *Collection) takeState(s *Postprocessing, data []byte) error {
	b, ok := wire.Unseal(data)
	if !ok {
		return wire.ErrTurn
	}
	s.state = b[2:]
	h.algebra.takeState(s.state, s.matrix)
	s.enter(stageSteps)
	s.readState()
	return nil
}

// readState notes which start the state belongs to and how many steps were taken.
func (s *Postprocessing) readState() {
	r := wire.Reader{B: s.state}
	s.seed, s.step = r.Uvarint(), int(r.Uvarint())
}

// takeSets takes the dependencies.
func (s *Postprocessing) takeSets(data []byte) error {
	sets, err := gf2.ReadSets(data, len(s.keep))
	if err != nil {
		return err
	}
	s.found, s.matrix, s.state = sets, nil, nil
	s.enter(stageRoots)
	return nil
}

// takeBroken begins the linear algebra again from another start, or gives it up.
func (h *Collection) takeBroken(s *Postprocessing) Outcome {
	s.seed++
	if s.seed >= gf2.MaxStarts {
		return Failed
	}
	s.step, s.state, h.algebra.state = 0, gf2.FirstState(s.seed), nil
	s.enter(stageSteps)
	return Continue
}

// takeShort notes how many relations are missing: too many columns could not be used.
func (h *Collection) takeShort(data []byte) (Outcome, error) {
	missing, k := binary.Uvarint(data[2:])
	if k <= 0 || 2+k != len(data) || missing > gf2.MaxRows {
		return Continue, wire.ErrTurn
	}
	h.Enough = h.Independent() + max(SpareRelations, int(missing))
	h.algebra.end()
	return TooFew, nil
}

// takeSquares takes roots, which may split the number.
func (s *Postprocessing) takeSquares(data []byte) (Outcome, error) {
	roots, err := ReadSquares(data)
	if err != nil {
		return Continue, err
	}
	for _, d := range roots {
		s.Parts = splitBy(s.Parts, d)
	}
	s.out--
	count, _ := s.pieces()
	last := s.Next >= count && s.out == 0
	switch {
	case len(s.Parts) > 1 && (last || primes(s.Parts)):
		return Split, nil
	case last:
		return Failed, nil
	}
	return Continue, nil
}

// Retry asks for more relations after linear algebra that gave nothing. It reports
// false once that has happened too often with this multiplier.
func (h *Collection) Retry() bool {
	h.Tries++
	h.algebra.end()
	h.Enough = h.Independent() + SpareRelations
	return h.Tries < MaxTries
}

// SolvingNanos estimates the CPU of all that follows the sieve.
func (h *Collection) SolvingNanos() float64 {
	if len(h.Base.primes) <= WholeBase {
		return float64(h.predictAll())
	}
	columns := len(h.Base.primes)
	return float64(columns)/63*gf2.StepNanos(columns, 50*columns) + 2*h.rootsNanos()
}

// rootsNanos estimates the CPU of the roots, about as much as that of the matrix.
func (h *Collection) rootsNanos() float64 { return 2 * (1e6 + 200*float64(h.count())) }

// Left estimates the CPU that is left, in nanoseconds.
func (s *Postprocessing) Left(h *Collection) float64 {
	switch s.Stage {
	case stageSteps:
		steps := max(float64(len(s.keep))/63-float64(s.step), 0)
		return steps*gf2.StepNanos(len(s.keep), s.entries) + h.rootsNanos()
	case stageRoots:
		return h.rootsNanos()
	}
	return h.SolvingNanos()
}

// Phase says what is being done, for people.
func (s *Postprocessing) Phase() string {
	switch s.Stage {
	case stageSteps:
		return "quadratic sieve, linear algebra"
	case stageRoots:
		return "quadratic sieve, square roots"
	}
	return "quadratic sieve, matrix"
}
