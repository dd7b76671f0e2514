package pebble

import (
	"context"
	"errors"
	"math/bits"
	"slices"

	"fairfactor"
)

// Which callers have unfinished jobs is kept in memory, a bit for each, because
// the disk can't say it at the cost of the answer: what was removed from the
// queues stands between those that have something until it is compacted away. A
// start reads it from the queues, a step for each caller that has one.

// chunkBits is how many numbers one part of a set holds, chunkBits/8 bytes.
const chunkBits = 1024

// numberSet is a set of callers' numbers. It takes memory where numbers are.
type numberSet struct {
	chunks map[uint64]*numbers // by number/chunkBits; none is empty
	sorted []uint64            // their keys, ascending
}

type numbers struct {
	n    int // members
	bits [chunkBits / 64]uint64
}

// set puts a number in or takes it out.
func (s *numberSet) set(number uint64, in bool) {
	at, bit := number/chunkBits, number%chunkBits
	c := s.chunks[at]
	if c == nil {
		if !in {
			return
		}
		if s.chunks == nil {
			s.chunks = map[uint64]*numbers{}
		}
		c = &numbers{}
		s.chunks[at] = c
		i, _ := slices.BinarySearch(s.sorted, at)
		s.sorted = slices.Insert(s.sorted, i, at)
	}
	word, mask := &c.bits[bit/64], uint64(1)<<(bit%64)
	switch has := *word&mask != 0; {
	case in && !has:
		*word |= mask
		c.n++
	case !in && has:
		*word &^= mask
		c.n--
	}
	if c.n == 0 {
		delete(s.chunks, at)
		i, _ := slices.BinarySearch(s.sorted, at)
		s.sorted = slices.Delete(s.sorted, i, i+1)
	}
}

// after appends the members above a number, ascending, until list has limit.
func (s *numberSet) after(list []uint64, number uint64, limit int) []uint64 {
	from := number + 1
	if from == 0 {
		return list
	}
	i, _ := slices.BinarySearch(s.sorted, from/chunkBits)
	for ; i < len(s.sorted); i++ {
		at := s.sorted[i]
		c := s.chunks[at]
		for word := range c.bits {
			for left := c.bits[word]; left != 0; left &= left - 1 {
				n := at*chunkBits + uint64(word*64+bits.TrailingZeros64(left))
				if n < from {
					continue
				}
				if len(list) >= limit {
					return list
				}
				list = append(list, n)
			}
		}
	}
	return list
}

// backloggedStep is how many callers are looked up between two looks at the set.
const backloggedStep = 256

// Backlogged implements [fairfactor.Store].
func (s *Store) Backlogged(ctx context.Context, after uint64, limit int) (callers []fairfactor.Backlogged, err error) {
	if s.unlisted != nil {
		return nil, s.unlisted
	}
	var numbers []uint64
	for len(callers) < limit {
		if err := live(ctx); err != nil {
			return nil, err
		}
		s.mu.Lock()
		numbers = s.backlogged.after(numbers[:0], after, min(limit-len(callers), backloggedStep))
		s.mu.Unlock()
		if len(numbers) == 0 {
			break
		}
		for _, number := range numbers {
			a, ok, err := s.numbered(number)
			if err != nil {
				return nil, err
			}
			if ok && a.Queued > 0 {
				callers = append(callers, fairfactor.Backlogged{Number: number, Name: a.Name, Group: a.Group, Weight: a.Weight, Paused: a.Paused, Queued: a.Queued})
			}
		}
		after = numbers[len(numbers)-1]
	}
	return callers, live(ctx)
}

// numbered returns the account of the caller with a number, if it is known.
func (s *Store) numbered(number uint64) (account, bool, error) {
	name, ok, err := s.name(number)
	if err != nil || !ok {
		return account{}, false, err
	}
	a, ok, err := readAccount(s.db, name)
	return a, ok && a.Number == number, err // the name may have come back with another number
}

// nextSteps is after how many jobs of one caller seeking the next caller is
// quicker than stepping on.
const nextSteps = 8

// loadBacklogged finds the callers that have unfinished jobs. Queues that are
// damaged keep the store from saying who has some, and from nothing else.
func (s *Store) loadBacklogged() error {
	it, err := s.db.NewIter(iterBounds(kindBounds(kindQueued)))
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	last, steps := uint64(0), 0
	for ok := it.First(); ok; {
		key := it.Key()
		if len(key) != slotLen {
			s.unlisted = damaged(key, "it has an unknown form")
			return nil
		}
		if caller := get40(key[1:]); caller != last {
			s.backlogged.set(caller, true)
			last, steps = caller, 0
		}
		if steps++; steps < nextSteps {
			ok = it.Next()
		} else {
			ok = it.SeekGE(slot(nil, kindQueued, last+1, 0))
		}
	}
	err = readError(it.Error())
	if e := new(fairfactor.Error); errors.As(err, &e) && e.Code == fairfactor.Internal {
		s.unlisted, err = err, nil
	}
	return err
}
