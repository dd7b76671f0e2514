package wire

// Version is the first byte of payloads, results and checkpoints. A change of the layout
// changes the version, so that a cluster of mixed nodes refuses what it cannot
// read.
const Version = 2

// Kinds of payloads, the second byte.
const (
	KindSplit   = 1  // the quick methods on one number
	KindCurves  = 2  // elliptic curves on one composite
	KindSieve   = 3  // polynomials of the quadratic sieve
	KindSolve   = 4  // linear algebra, some steps of it
	KindFinish  = 5  // all that follows the sieve
	KindCycles  = 6  // combinations of relations
	KindColumns = 7  // columns of the matrix
	KindFilter  = 8  // the matrix, pruned
	KindRoot    = 9  // the root of a square
	KindProve   = 10 // a proof of primality
	KindSmooth  = 11 // the p-1 or the p+1 method on one composite
	KindJacobi  = 12 // a piece of a proof of primality by APR-CL
)

// Kinds of results, the second byte.
const (
	FoundParts     = 1  // the number is split into parts
	FoundNothing   = 2  // the curves found no factor
	FoundPoint     = 3  // a curve under way reached a point
	FoundRelations = 4  // relations of the quadratic sieve
	FoundSquares   = 5  // differences of roots of the same square
	FoundCycles    = 6  // sets of relations that are free of large primes together
	FoundColumns   = 7  // columns of odd exponents
	FoundMatrix    = 8  // the matrix that is to be solved
	FoundShort     = 9  // more relations are needed
	FoundState     = 10 // where the linear algebra is
	FoundSets      = 11 // dependencies
	FoundBroken    = 12 // the linear algebra has broken down
	FoundProof     = 13 // a prime is proven, or is composite after all
)

// MaxBytes bounds a number in a payload or result: 65,536 bits, 19,728 digits.
const MaxBytes = 1 << 13
