package factor

import "math"

// rung is a row of the ladder of methods: what splits an odd composite, not a power
// and without prime factors below 300, of up to so many bits. Smaller factors come
// off before, by trial division and by the curves of the rung.
type rung struct {
	bits  int     // of the largest composite
	split Methods // the method that splits it
	trios int     // up to 64 bits: how many times three curves on the integer units, after Hart and before rho
	share float64 // above 128 bits: the part of the time of the sieve in turns that curves may take before split

	// For people; docs/factoring.md has these columns. %.0f in before is 1/share.
	name, before, turns, why, measured string
}

// What curves may take before the sieve in turns, as a part of its time: they are what
// finds small factors. In the first turn, ordinary numbers of 40 to 50 digits take the
// same from a sixteenth to all of that time, and hard ones only lose by curves.
const (
	firstTurnShare = 1.0 / 8
	curveShare     = 1.0 / 32
)

// ladder is the choice of methods by size. The runner and the machine read it, and a
// test compares docs/factoring.md with it. The curves themselves are in the tables of
// ecm: trioLevels to 64 bits, vectorLevels where eight curves run at once, quick128 to 128
// bits and Levels in turns.
var ladder = [...]rung{
	{
		40, ByHart, 16, 0, "Hart's one-line method; curves for what it misses", "none", "one, 0.3 to 3 us",
		"a loop without a division; it misses one in ten at 40 bits, and more above", "`bench tune`",
	},
	{
		64, ByCurves, 16, 0, "elliptic curves, three in step, from 62 bits eight at once with AVX-512 IFMA; rho if they all miss", "none", "one, 3 to 26 us",
		"Hart misses too many, rho takes 3 to 20 times as long, the sieve 1.5 times at 62 bits", "`bench tune`",
	},
	{
		84, ByQS, 0, 0, "QS", "three curves in step; with IFMA eight at once, until hardly any is missed", "one, 0.05 to 0.2 ms",
		"eight curves at once are ahead to 80 bits, and level at 84 with the sieve after them", "`bench tune`",
	},
	{
		128, ByQS, 0, 0, "QS", "3 to 15 curves in step, or 16 in two steps with IFMA to 100 bits, for smaller factors", "one, 0.2 to 5 ms",
		"everything stays in the first cache; the sieve in turns is 30 times as slow at 100 bits, 2.7 times at 128", "`bench tune`, BenchmarkSemiprime",
	},
	{
		141, ByQS, 0, firstTurnShare, "QS", "curves for 1/%.0f of the time of the sieve in turns, 8 ms at most", "one, 5 to 20 ms",
		"above 141 bits b needs more than 64 bits", "BenchmarkSemiprime",
	},
	{
		332, BySIQS, 0, curveShare, "the self-initialising quadratic sieve (SIQS)", "curves for 1/%.0f of its time", "many of 20 ms",
		"100 digits: above, curves are all there is; there is no number field sieve", "BenchmarkSieve, `bench worst`",
	},
	{
		math.MaxInt, ByCurves, 0, 0, "elliptic curves: B1 = 2e3, 1.1e4, 5e4, 2.5e5, 1e6, 3e6, ... without end", "none", "many of 20 ms, and for stage 2 from 5e4 on of up to 0.1 s",
		"what is not found is named as remaining", "Zimmermann and Dodson, 2006",
	},
}

// rungFor returns the row of the ladder for a composite of that many bits.
func rungFor(bits int) *rung {
	i := 0
	for ladder[i].bits < bits {
		i++
	}
	return &ladder[i]
}
