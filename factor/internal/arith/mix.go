package arith

// Mix returns number i of the sequence of seed: 8 or more, below 2^63, well mixed,
// always the same (Steele, Lea, Flood, OOPSLA 2014: SplitMix64).
func Mix(seed, i uint64) uint64 {
	z := seed + (i+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return (z^z>>31)>>1 | 8
}

// Seed is the sequence of those that have none of their own: the curves of the first
// turn, the bases of strong tests, the choice of A coefficients.
const Seed = 1
