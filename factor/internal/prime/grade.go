package prime

// Grade says what is known of a part.
type Grade byte

const (
	Composite Grade = iota
	Probable
	Proven
	ProvenMinus
	ProvenJacobi
	Unproven // passed the tests, and a proof has been tried
	Grades   // how many there are
)
