package pebble

import (
	"context"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
	"fairfactor/store/rules"
)

// Which callers have the most unfinished jobs, and which have used the most CPU, is found
// through their classes, see [rules.Class]: a key for each caller that is in one, the
// highest class first. The account says which classes its keys have.

// ranks are the classes of an account.
type ranks struct{ queued, cpu uint8 }

// rankBits is how many bits a class takes in the flags of an account, above flagPaused.
const rankBits = 8

// flags returns the classes as a part of an account's flags.
func (r ranks) flags() uint64 { return uint64(r.queued)<<rankBits | uint64(r.cpu)<<(2*rankBits) }

func ranksIn(flags uint64) ranks {
	return ranks{uint8(flags >> rankBits), uint8(flags >> (2 * rankBits))}
}

// rankKeyLen is the length of a key made by rankKey.
const rankKeyLen = 8

// rankKey orders callers by class, the highest first.
func rankKey(b []byte, order fairfactor.CallerOrder, class uint8, caller uint64) []byte {
	return put40(append(b, kindRank, byte(order), ^class), caller)
}

// rank moves an account to the classes that it belongs to now.
func (st *staging) rank(a *account) {
	now := ranks{rules.Class(a.ranks.queued, a.Queued), rules.Class(a.ranks.cpu, rules.CPUAmount(a.CPU))}
	if now == a.ranks {
		return
	}
	st.rerank(fairfactor.ByQueued, a.Number, a.ranks.queued, now.queued)
	st.rerank(fairfactor.ByCPU, a.Number, a.ranks.cpu, now.cpu)
	a.ranks = now
}

func (st *staging) rerank(order fairfactor.CallerOrder, caller uint64, was, is uint8) {
	if was == is {
		return
	}
	if was > 0 {
		st.key = rankKey(st.key[:0], order, was, caller)
		st.batch.Delete(st.key, nil)
	}
	if is > 0 {
		st.key = rankKey(st.key[:0], order, is, caller)
		st.mark()
	}
}

// CallersNamed implements [fairfactor.Store].
func (s *Store) CallersNamed(ctx context.Context, names []string) (callers []fairfactor.Caller, err error) {
	db := s.db.NewSnapshot()
	defer db.Close()
	for _, name := range names {
		if err := live(ctx); err != nil {
			return nil, err
		}
		a, ok, err := readAccount(db, name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		c, err := s.callerOf(db, &a)
		if err != nil {
			return nil, err
		}
		callers = append(callers, c)
	}
	return callers, live(ctx)
}

// Foremost implements [fairfactor.Store].
func (s *Store) Foremost(ctx context.Context, order fairfactor.CallerOrder, limit int) ([]fairfactor.Caller, error) {
	if err := rules.CheckRanking(order); err != nil {
		return nil, err
	}
	limit = min(limit, fairfactor.MaxRanked)
	f := foremost{s: s, db: s.db.NewSnapshot(), order: order, limit: limit, found: map[uint64]*account{}}
	defer f.db.Close()
	err := f.classes(ctx)
	if err == nil && order == fairfactor.ByQueued && !f.enough(0) {
		err = f.small(ctx)
	}
	if err != nil {
		return nil, err
	}
	callers := make([]fairfactor.Caller, 0, len(f.found))
	byName := make(map[string]*account, len(f.found))
	for _, a := range f.found {
		callers, byName[a.Name] = append(callers, a.Caller()), a
	}
	callers = rules.Rank(callers, order, limit)
	for i := range callers {
		if err := live(ctx); err != nil {
			return nil, err
		}
		if callers[i].Oldest, err = s.oldest(f.db, byName[callers[i].Name]); err != nil {
			return nil, err
		}
	}
	return callers, nil
}

// foremost collects candidates.
type foremost struct {
	s     *Store
	db    *pebbledb.Snapshot
	order fairfactor.CallerOrder
	limit int
	found map[uint64]*account // by number
}

// classes takes the callers in the highest classes: so many that those which are left
// have less than the last of the foremost ones, or that it gets too much.
func (f *foremost) classes(ctx context.Context) error {
	it, err := f.db.NewIter(iterBounds([]byte{kindRank, byte(f.order)}, []byte{kindRank, byte(f.order) + 1}))
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	last := uint8(0)
	for ok := it.First(); ok && len(f.found) < rules.MaxCandidates; ok = it.Next() {
		key := it.Key()
		if len(key) != rankKeyLen {
			return damaged(key, "it has an unknown form")
		}
		if class := ^key[2]; class != last {
			if last = class; f.enough(class) {
				return nil
			}
		}
		if err := f.add(ctx, get40(key[3:])); err != nil {
			return err
		}
	}
	return readError(it.Error())
}

// enough reports whether no caller in a class, or below, is among the foremost ones.
func (f *foremost) enough(class uint8) bool {
	if len(f.found) < f.limit {
		return false
	}
	more := 0
	for _, a := range f.found {
		if amountOf(a, f.order) >= rules.ClassEnd(class) {
			more++
		}
	}
	return more >= f.limit
}

func amountOf(a *account, order fairfactor.CallerOrder) uint64 {
	if order == fairfactor.ByCPU {
		return rules.CPUAmount(a.CPU)
	}
	return a.Queued
}

// small takes some of the callers that have few unfinished jobs.
func (f *foremost) small(ctx context.Context) error {
	f.s.mu.Lock()
	numbers := f.s.backlogged.after(nil, 0, fairfactor.MaxRanked)
	f.s.mu.Unlock()
	for _, number := range numbers {
		if err := f.add(ctx, number); err != nil {
			return err
		}
	}
	return nil
}

// add takes a caller. One that can't be read is reported and left out.
func (f *foremost) add(ctx context.Context, number uint64) error {
	if err := live(ctx); err != nil || f.found[number] != nil {
		return err
	}
	name, ok, err := f.s.name(number)
	if err == nil && ok {
		var a account
		if a, ok, err = readAccount(f.db, name); err == nil && ok && a.Number == number && amountOf(&a, f.order) > 0 {
			f.found[number] = &a
		}
	}
	if fairfactor.CodeOf(err) == fairfactor.Internal {
		f.s.log.Error("the account of a caller can't be read", "number", number, "err", err)
		return nil
	}
	return err
}
