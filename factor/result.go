package factor

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/wire"
)

// Prime is one prime factor.
type Prime struct {
	// P is the prime in canonical decimal digits.
	P string
	// Exponent is how often it divides the number, at least 1.
	Exponent int
	// Proven says that primality is proven; otherwise the prime passed the
	// Baillie-PSW test and more, and no counterexample is known.
	Proven bool
	// Proof says by which method primality is proven, [NoProof] if it is not.
	Proof Proof
}

// Proof names a method that proves primality. The names are stable: they are
// what commands and servers print.
type Proof string

// Methods of proof.
const (
	// NoProof is that of a prime with Proven false.
	NoProof Proof = ""
	// Deterministic is trial division or a test that has been checked to know
	// all primes of the size: Baillie-PSW up to 2^64, strong tests to the first
	// 13 prime bases up to 3.3e24.
	Deterministic Proof = "deterministic"
	// MinusOne is factors of the prime less one (Pocklington; Brillhart, Lehmer,
	// Selfridge).
	MinusOne Proof = "n-1"
	// PlusOne is the power of two that a Mersenne prime plus one is (Lucas; Lehmer).
	PlusOne Proof = "n+1"
	// APRCL is Jacobi sums (Adleman, Pomerance, Rumely; Cohen, Lenstra).
	APRCL Proof = "apr-cl"
)

// proofBy returns the method that a prime of the grade is proven by.
func proofBy(g prime.Grade) Proof {
	switch g {
	case prime.Proven:
		return Deterministic
	case prime.ProvenMinus:
		return MinusOne
	case prime.ProvenPlus:
		return PlusOne
	case prime.ProvenJacobi:
		return APRCL
	}
	return NoProof
}

// primeBy returns a prime of the grade.
func primeBy(g prime.Grade, p string, exp int) Prime {
	proof := proofBy(g)
	return Prime{P: p, Exponent: exp, Proven: proof != NoProof, Proof: proof}
}

// part is a factor with its exponent. Parts up to 128 bits are in w; larger
// ones in b.
type part struct {
	w     arith.Uint128
	b     *big.Int // nil if the part is in w
	exp   int
	grade prime.Grade

	proving bool         // the turn of its proof is open, or the pieces of it
	pieces  *jacobiProof // of a proof by APR-CL in pieces, else nil
}

// less orders parts by value.
func (p *part) less(q *part) bool {
	switch {
	case p.b == nil && q.b == nil:
		return p.w.Less(q.w)
	case p.b != nil && q.b != nil:
		return p.b.Cmp(q.b) < 0
	}
	return p.b == nil
}

// equal reports whether p and q have the same value.
func (p *part) equal(q *part) bool { return !p.less(q) && !q.less(p) }

// value returns the part as a big integer; do not change it.
func (p *part) value() *big.Int {
	if p.b != nil {
		return p.b
	}
	return p.w.Big()
}

// partOf returns v as a part.
func partOf(v *big.Int, exp int, g prime.Grade) part {
	if v.BitLen() <= 128 {
		return part{w: arith.Uint128Of(v.Bytes()), exp: exp, grade: g}
	}
	return part{b: v, exp: exp, grade: g}
}

// insert adds p to parts, which stay ascending, each value once.
func insert(parts []part, p part) []part {
	i := len(parts)
	for i > 0 && p.less(&parts[i-1]) {
		i--
	}
	if i > 0 && p.equal(&parts[i-1]) {
		parts[i-1].exp += p.exp
		if parts[i-1].grade == prime.Probable {
			parts[i-1].grade = p.grade
		}
		return parts
	}
	parts = append(parts, part{})
	copy(parts[i+1:], parts[i:])
	parts[i] = p
	return parts
}

// encodeParts returns the data of a result that splits a number by some methods.
func encodeParts(parts []part, by Methods) []byte {
	return appendParts(make([]byte, 0, partsSize(parts)), parts, by)
}

// partsSize is the most bytes that the data of a result with these parts takes.
func partsSize(parts []part) int {
	size := 4
	for i := range parts {
		size += 4
		if b := parts[i].b; b != nil {
			size += 2 + (b.BitLen()+7)/8
		} else {
			size += (parts[i].w.Len() + 7) / 8
		}
	}
	return size
}

// appendParts appends what encodeParts returns.
func appendParts(d []byte, parts []part, by Methods) []byte {
	d = append(d, wire.Version, wire.FoundParts, byte(by))
	d = binary.AppendUvarint(d, uint64(len(parts)))
	for i := range parts {
		p := &parts[i]
		d = append(d, byte(p.grade))
		d = binary.AppendUvarint(d, uint64(p.exp))
		if p.b != nil {
			d = wire.AppendBlob(d, p.b.Bytes())
		} else {
			d = binary.AppendUvarint(d, uint64(p.w.Len()+7)/8)
			d = p.w.AppendBytes(d)
		}
	}
	return d
}

// partsReader walks the parts of a result's data without allocating.
type partsReader struct {
	r    wire.Reader
	left uint64
}

// readParts starts at the parts in data, if that is what data holds.
func readParts(data []byte) (partsReader, error) {
	if len(data) < 4 || data[0] != wire.Version || data[1] != wire.FoundParts {
		return partsReader{}, ErrTurn
	}
	pr := partsReader{r: wire.Reader{B: data[3:]}}
	pr.left = pr.r.Uvarint()
	if pr.r.Bad || pr.left > uint64(len(data)) {
		return partsReader{}, ErrTurn
	}
	return pr, nil
}

// rawPart is a part as it is on the wire.
type rawPart struct {
	digits []byte // most significant first, value at least 2
	exp    int
	grade  prime.Grade
}

// next returns the next part, or false at the end; then err tells whether the
// data was sound.
func (pr *partsReader) next() (p rawPart, ok bool, err error) {
	if pr.left == 0 {
		if len(pr.r.B) != 0 {
			return p, false, ErrTurn
		}
		return p, false, nil
	}
	pr.left--
	p.grade = prime.Grade(pr.r.Byte())
	e := pr.r.Uvarint()
	p.digits = pr.r.Blob(wire.MaxBytes)
	p.exp = int(e)
	if pr.r.Bad || p.grade >= prime.Grades || e == 0 || e > 8*wire.MaxBytes ||
		len(p.digits) == 0 || p.digits[0] == 0 || len(p.digits) == 1 && p.digits[0] == 1 {
		return p, false, ErrTurn
	}
	return p, true, nil
}

// decodeParts returns the parts in data.
func decodeParts(data []byte) ([]part, error) {
	pr, err := readParts(data)
	if err != nil {
		return nil, err
	}
	var parts []part
	for {
		p, ok, err := pr.next()
		if err != nil || !ok {
			return parts, err
		}
		q := part{exp: p.exp, grade: p.grade}
		if len(p.digits) <= 16 {
			q.w = arith.Uint128Of(p.digits)
		} else {
			q.b = new(big.Int).SetBytes(p.digits)
		}
		parts = append(parts, q)
	}
}

// Decode reads the result of n's first turn: the primes found, ascending, and
// whether that is all of them, with no proof to come. If not,
// make a [Machine] and give it the result.
// Data that is damaged, or whose parts do not multiply to n, is an error.
func Decode(n string, first Result) (primes []Prime, done bool, err error) {
	return new(Decoder).Decode(n, first)
}

// Decoder decodes the results of many first turns with little memory for each.
type Decoder struct {
	primes []Prime
	digits strings.Builder
}

// maxDigitsKept is how many digits a [Decoder] keeps as parts of one string.
const maxDigitsKept = 1 << 10

// Decode is [Decode]. The primes are good until the next call. Their digits are for good,
// but they stay in memory together with those of some dozens of other numbers.
func (d *Decoder) Decode(n string, first Result) (primes []Prime, done bool, err error) {
	if w, ok := arith.ParseUint128(n); ok {
		primes, done, err = d.decode128(w, first.Data)
	} else {
		primes, done, err = decodeBig(n, first.Data)
	}
	if err != nil {
		return nil, false, fmt.Errorf("factor: decode the first result: %w", err)
	}
	return primes, done, nil
}

// keep returns digits as a string.
func (d *Decoder) keep(digits []byte) string {
	if free := d.digits.Cap() - d.digits.Len(); free < len(digits) {
		room := min(2*d.digits.Cap(), maxDigitsKept)
		d.digits.Reset()
		d.digits.Grow(max(room, len(digits)))
	}
	from := d.digits.Len()
	d.digits.Write(digits)
	return d.digits.String()[from:]
}

// decode128 is Decode up to 128 bits. All primes share one string.
func (d *Decoder) decode128(n arith.Uint128, data []byte) ([]Prime, bool, error) {
	pr, err := readParts(data)
	if err != nil {
		return nil, false, err
	}
	var (
		text   [64]byte
		digits = text[:0]
		ends   [26]int // the product of 27 different primes exceeds 128 bits
		count  int
		done   = true
		prod   = arith.Uint128{Lo: 1}
	)
	primes := slices.Grow(d.primes[:0], int(min(pr.left, 26)))
	d.primes = primes
	for {
		p, ok, err := pr.next()
		if err != nil {
			return nil, false, err
		}
		if !ok {
			break
		}
		if len(p.digits) > 16 || p.exp > 128 {
			return nil, false, ErrTurn
		}
		v := arith.Uint128Of(p.digits)
		for range p.exp {
			if prod, ok = prod.Mul(v); !ok {
				return nil, false, ErrProduct
			}
		}
		if p.grade == prime.Composite {
			done = false
			continue
		}
		done = done && p.grade != prime.Probable
		if count == len(ends) {
			return nil, false, ErrTurn
		}
		digits = arith.AppendUint128(digits, v)
		ends[count] = len(digits)
		count++
		primes = append(primes, primeBy(p.grade, "", p.exp))
	}
	if prod != n {
		return nil, false, ErrProduct
	}
	all, start := d.keep(digits), 0
	for i := range primes {
		primes[i].P = all[start:ends[i]]
		start = ends[i]
		if i > 0 && !ascends(primes[i-1].P, primes[i].P) {
			return nil, false, ErrTurn
		}
	}
	return primes, done, nil
}

// decodeBig is Decode above 128 bits.
func decodeBig(n string, data []byte) ([]Prime, bool, error) {
	v, ok := parseBig(n)
	if !ok {
		return nil, false, ErrNotNumber
	}
	parts, err := decodeParts(data)
	if err != nil {
		return nil, false, err
	}
	if !multipliesTo(parts, v) {
		return nil, false, ErrProduct
	}
	primes, done := primesOf(parts), true
	for i := range parts {
		done = done && parts[i].grade != prime.Composite && !parts[i].pending()
	}
	for i := 1; i < len(primes); i++ {
		if !ascends(primes[i-1].P, primes[i].P) {
			return nil, false, ErrTurn
		}
	}
	return primes, done, nil
}

// multipliesTo reports whether the product of the parts is n. It stops early
// when the product grows beyond n.
func multipliesTo(parts []part, n *big.Int) bool {
	prod := big.NewInt(1)
	size := 0
	for i := range parts {
		v := parts[i].value()
		if size += (v.BitLen() - 1) * parts[i].exp; size > n.BitLen() {
			return false
		}
		prod.Mul(prod, new(big.Int).Exp(v, big.NewInt(int64(parts[i].exp)), nil))
	}
	return prod.Cmp(n) == 0
}

// primesOf returns the primes among the parts.
func primesOf(parts []part) []Prime {
	primes := make([]Prime, 0, len(parts))
	for i := range parts {
		p := &parts[i]
		if p.grade == prime.Composite {
			continue
		}
		var text string
		if p.b != nil {
			text = p.b.String()
		} else {
			text = string(arith.AppendUint128(nil, p.w))
		}
		primes = append(primes, primeBy(p.grade, text, p.exp))
	}
	return primes
}

// Spell lists primes with a space between, each as often as it divides.
func Spell(primes []Prime) string {
	var words []string
	for _, p := range primes {
		for range p.Exponent {
			words = append(words, p.P)
		}
	}
	return strings.Join(words, " ")
}

// ascends reports whether a < b for canonical digits.
func ascends(a, b string) bool {
	return len(a) < len(b) || len(a) == len(b) && a < b
}
