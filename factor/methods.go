package factor

// microTwins is how many twin curves are tried before rho takes over: a handful
// of numbers in a million get there. From sieveBits on the quadratic sieve is
// faster than curves if the factors are of like size; there microBefore twin
// curves look for smaller ones.
const (
	microTwins  = 24
	microBefore = 3
	sieveBits   = 62
)

// hartBits is the size up to which one line factoring is the fastest.
const hartBits = 40
