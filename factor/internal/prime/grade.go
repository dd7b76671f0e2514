package prime

// Grade says what is known of a factor. Grades are on the wire.
type Grade byte

// The grades.
const (
	Composite    Grade = iota
	Probable           // passed the tests; a proof may follow
	Proven             // by a test that makes no error at that size
	ProvenMinus        // by N-1
	ProvenJacobi       // by APR-CL
	Unproven           // passed the tests, and a proof has been tried
	ProvenPlus         // by N+1: a Mersenne number, by the test of Lucas and Lehmer
	Grades             // how many there are
)
