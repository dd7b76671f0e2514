package primorial

import (
	"math/big"
	"sync"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/fft"
)

// The trees cover the primes from Least on: Short to 2^16, Long from there to 2^20.
// Their memory is 0.1 MB and 2 MB; they take 1 ms and 30 ms when a number first needs
// them.
const (
	Least   = 307
	shortTo = 1 << 16
	longTo  = 1 << 20
)

// Short and Long return the trees, which no one may write to.
var (
	Short = sync.OnceValue(func() *Tree { return newTree(arith.PrimesBetween(nil, Least, shortTo)) })
	Long  = sync.OnceValue(func() *Tree { return newTree(arith.PrimesBetween(nil, shortTo, longTo)) })
)

// perLeaf is how many primes a leaf of a tree has.
const perLeaf = 16

// blockBits is the size of the products that a number is held against one by one, so
// that none takes longer than some milliseconds.
const blockBits = 1 << 17

// Tree is a set of odd primes and the products of its halves, of their halves and so on.
type Tree struct {
	product     *big.Int
	primes      []uint64 // of a leaf, ascending, else nil
	left, right *Tree
}

// newTree returns the tree of the primes, ascending and at least one.
func newTree(primes []uint64) *Tree {
	t := &Tree{product: new(big.Int)}
	if len(primes) > perLeaf {
		half := len(primes) / 2
		t.left, t.right = newTree(primes[:half]), newTree(primes[half:])
		t.product = fft.Mul(t.left.product, t.right.product)
		return t
	}
	t.primes = primes
	t.product.SetUint64(1)
	for _, p := range primes {
		t.product.Mul(t.product, new(big.Int).SetUint64(p))
	}
	return t
}

// Common returns the product of the primes of t that divide n > 1. It asks stop every
// few milliseconds and returns 1 once that reports true.
func (t *Tree) Common(n *big.Int, stop func() bool) *big.Int {
	v := t.modulo(n, stop)
	if v == nil {
		return big.NewInt(1)
	}
	return v.GCD(nil, nil, v, n)
}

// modulo returns the product of the primes of t modulo n, nil if it was stopped.
func (t *Tree) modulo(n *big.Int, stop func() bool) *big.Int {
	if t.left == nil || t.product.BitLen() <= blockBits {
		if stop() {
			return nil
		}
		return new(big.Int).Rem(t.product, n)
	}
	v, w := t.left.modulo(n, stop), t.right.modulo(n, stop)
	if v == nil || w == nil {
		return nil
	}
	return v.Rem(v.Mul(v, w), n)
}

// AppendPrimes appends the primes of g, a divisor of the product of t, ascending.
func (t *Tree) AppendPrimes(dst []uint64, g *big.Int) []uint64 {
	if g.Cmp(arith.One) == 0 {
		return dst
	}
	if t.left == nil {
		r := arith.NewReducer(g)
		for _, p := range t.primes {
			if r.Rem(uint32(p)) == 0 {
				dst = append(dst, p)
			}
		}
		return dst
	}
	low := new(big.Int).Rem(t.left.product, g)
	low.GCD(nil, nil, low, g)
	dst = t.left.AppendPrimes(dst, low)
	return t.right.AppendPrimes(dst, new(big.Int).Quo(g, low))
}
