package factor

// Bounds of the sieve: a number takes some hundred polynomials at most, and
// another multiplier only when all dependencies were trivial, one number in many
// millions.
const (
	maxPolynomials = 10_000
	maxMultipliers = 4
)

// split returns a proper factor of n, of up to qsMostBits bits, the smaller one of two
// if n is above 2^128. It takes another multiplier if the best one gives none, and
// gives up after maxMultipliers.
func (q *quadratic) split(stop *poller, n triple) (wide, bool) {
	for rank := range maxMultipliers {
		if d, found := q.splitWith(stop, n, rank); found || stop.stopped() {
			return d, found
		}
	}
	return wide{}, false
}

// splitWith is split with one multiplier, the best one for rank 0.
func (q *quadratic) splitWith(stop *poller, n triple, rank int) (wide, bool) {
	q.start(n, rank)
	for count := 0; count < maxPolynomials && !q.full() && q.nextA(); {
		for i := range 1 << (q.factors - 1) {
			if i > 0 {
				q.nextB(i)
			}
			if d, found := q.runSieve(); found {
				return d, true
			}
			if count++; count%128 == 0 && stop.poll() {
				return wide{}, false
			}
		}
	}
	return wide{}, false
}
