package postgres

import (
	"strconv"
	"strings"
	"sync"
)

// places remembers where in the table the rows of callers are that this store wrote
// last. While a long transaction keeps PostgreSQL from removing what was overwritten, an
// index leads to all that a row ever was, and the row of a busy caller is written with
// every group. It is looked for at its place then. Otherwise by its number: that is when
// PostgreSQL removes what was overwritten, so that the row can stay in its block.
//
// So a row that has moved to another block is looked for at its place. Now and then it is
// looked for by its number: if room was made in its block by that, all is well again.
type places struct {
	mu       sync.Mutex
	byNumber map[int64]*place // guarded by mu
}

// place is where a row is.
type place struct {
	at          string // (block,item)
	block, item uint64
	moved       bool // it is looked for at its place
	left, span  int  // groups until it is looked for by its number, and how many there were
}

// Bounds of places: how many are remembered, of about 100 bytes each, and how many groups
// find a row at its place between two that look for it by its number.
const (
	placesKept   = 20_000
	shortestSpan = 20
	longestSpan  = 512
)

// noPlace is where no row is.
const noPlace = "(0,0)"

// of returns where the rows of callers are, as far as they are to be looked for there.
func (p *places) of(numbers []uint64) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := make([]string, len(numbers))
	for i, number := range numbers {
		at[i] = noPlace
		if w := p.byNumber[int64(number)]; w != nil && w.moved && w.left > 0 {
			at[i] = w.at
		}
	}
	return at
}

// at returns where the row of a caller was when this store wrote it last. Another one may
// have written it since.
func (p *places) at(number int64) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.byNumber[number]; w != nil {
		return w.at
	}
	return noPlace
}

// set notes where rows were written.
func (p *places) set(numbers []int64, at []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byNumber == nil || len(p.byNumber)+len(numbers) > placesKept {
		p.byNumber = map[int64]*place{} // those in use are there again with their next groups
	}
	for i, number := range numbers {
		w := p.byNumber[number]
		if w == nil {
			w = &place{}
			p.byNumber[number] = w
		}
		w.write(at[i])
	}
}

// write notes that the row was written again.
func (w *place) write(at string) {
	first, second, _ := strings.Cut(strings.Trim(at, "()"), ",")
	block, _ := strconv.ParseUint(first, 10, 32) // PostgreSQL writes no other form
	item, _ := strconv.ParseUint(second, 10, 16)
	switch {
	case !w.moved:
		if w.moved = w.at != "" && block != w.block; w.moved {
			w.left, w.span = shortestSpan, shortestSpan
		}
	case w.left > 0:
		w.left--
	case block == w.block && item <= w.item: // there is room that was not there
		w.moved = false
	default:
		w.span = min(2*w.span, longestSpan)
		w.left = w.span
	}
	w.at, w.block, w.item = at, block, item
}
