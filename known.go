package fairfactor

import (
	"context"
	"crypto/sha256"
	"time"
)

// Known is what is known of a number, no matter which caller had it factored.
type Known struct {
	Number string // canonical decimal
	// Factors are primes of the number, ascending: all of them if Complete.
	Factors  []Factor
	Complete bool
	CPU      time.Duration // that it took to find them: what it is worth to know them
	Used     time.Time     // when they were found, or asked for lately
	// Deadly says that processes died of the number, nil for nearly all. It is returned by
	// Known only, also for a number that nothing else is known of.
	Deadly *Deadly
}

// KnownStore keeps what is known of numbers. It is a part of [Store]. What it
// returns may have been damaged or come from a stranger, so it is multiplied out and
// its primes are tested before it is used.
type KnownStore interface {
	// Known returns what is known of these numbers, in any order; nothing for
	// those that are neither known nor deadly, or whose record is damaged.
	Known(ctx context.Context, numbers []string) ([]Known, error)
	// Learn makes results durable. What is known of a number already stays if it is
	// more: all primes are more than some, and some are more than fewer digits. Of CPU
	// and Used the larger one stays.
	Learn(ctx context.Context, results []Known) error
	// ListKnown returns at most limit of the numbers that are known, in the order of
	// [KeyOfNumber], after the given key; all of them begin after the zero key.
	ListKnown(ctx context.Context, after NumberKey, limit int) ([]Known, error)
	// TrimKnown forgets at most limit of the least useful results, as long as there
	// are more than keep, and returns how many it forgot. Useful is what took much CPU,
	// in powers of two, and among those what was used last. Its cost grows with what it
	// forgets.
	TrimKnown(ctx context.Context, keep, limit int) (int, error)
}

// NumberKey is a number's place among those that are known: numbers of any length
// have keys of one length, in no order that means anything.
type NumberKey [16]byte

// KeyOfNumber returns the key of a number in canonical decimal.
func KeyOfNumber(number string) NumberKey {
	sum := sha256.Sum256([]byte(number))
	return NumberKey(sum[:len(NumberKey{})])
}

// Knowledge is what the service knows of numbers without making a job. Every method
// may fail with an [*Error].
type Knowledge interface {
	// Factorization returns what is known of a number in canonical decimal. A small
	// one is factored on the spot, and of a larger one small factors are looked for, as
	// far as a few milliseconds allow.
	Factorization(ctx context.Context, number string) (Factorization, error)
	// Factorizations returns at most limit of the numbers whose factors are
	// remembered, after the cursor, and the cursor of the next page, empty on the last
	// one; the first page has the empty cursor.
	Factorizations(ctx context.Context, cursor string, limit int) ([]Factorization, string, error)
	// Teach adds factorizations that were found elsewhere, once they are verified: each
	// must have all primes of its number. The first result has the error of each,
	// [ErrSmall] for those that are not worth remembering; nil if all were taken.
	Teach(ctx context.Context, results []Known) ([]error, error)
}

// ErrSmall refuses to remember the factors of a number that are found sooner than
// looked up.
var ErrSmall = Errorf(Invalid, "the number is too small to be remembered: it is factored sooner than looked up")

// Status says how much is known of a number, in the words of factordb.com.
type Status string

// Values of [Status].
const (
	Unit          Status = "Unit" // 1
	Prime         Status = "P"    // proven
	ProbablePrime Status = "PRP"  // passed the Baillie-PSW test
	FullyFactored Status = "FF"   // composite, all primes known
	SomeFactors   Status = "CF"   // composite, some factors known
	Composite     Status = "C"    // composite, no factor known
	Unknown       Status = "U"
)

// Factorization is what is known of a number.
type Factorization struct {
	Number   string // canonical decimal
	Status   Status
	Factors  []Factor // primes, ascending
	Cofactor string   // what is left without them: 1 if nothing is
}
