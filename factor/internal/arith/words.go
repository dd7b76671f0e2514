package arith

// montWords are the constants of MontN, and scratch, for the assembly, which knows this
// layout.
type montWords struct {
	neg     uint64            // -1/n modulo 2^64
	n       [mostWords]uint64 // modulus
	twice   [mostWords]uint64 // 2n
	scratch [4][mostWords]uint64
}

// leastWords and mostWords are the numbers of words for which there is assembly.
const leastWords, mostWords = 3, 17

// kernel are the routines for one number of words. Products are below 2n if those of
// their operands are below n R, and so are all coordinates of points if those of the
// operands are, for 16n < R.
type kernel struct {
	mul    func(z, x, y *uint64, m *montWords) // x y/R
	square func(z, x *uint64, m *montWords)    // x x/R; nil where it is no faster than mul, below 6 words
	wide   func(z, x, y *uint64)               // z + x y, of 2k words; it has room in them
	// narrow is the sum T = a - b + more R over R, where a and b are of 2k words and 0 <= T <
	// R^2: below T/R + n.
	narrow func(z, a, b, more *uint64, m *montWords)
	add    func(z, x, y *uint64)               // x + y
	sub    func(z, x, y *uint64, m *montWords) // x - y + 2n
	reduce func(z *uint64, m *montWords)       // z, less n if it is not below n

	// On Montgomery curves, x and z in 2k words: p + q, where d = p - q; 2p, where a =
	// (A+2)/4; and acc times x less each of count babies that hits names.
	pointAdd    func(r, p, q, d *uint64, m *montWords)
	pointDouble func(r, p, a *uint64, m *montWords)
	meet        func(acc, x, babies *uint64, hits *uint16, count int, m *montWords)
}

//go:generate go run ./montgen
