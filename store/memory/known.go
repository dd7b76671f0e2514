package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"fairfactor"
	"fairfactor/store/rules"
)

// Known implements [fairfactor.Store].
func (s *Store) Known(ctx context.Context, numbers []string) (results []fairfactor.Known, err error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, number := range numbers {
		k, known := s.results[number]
		d, deadly := s.deadly[number]
		if !known && !deadly {
			continue
		}
		k = rules.Result(k)
		if k.Number = number; deadly {
			k.Deadly = &d
		}
		results = append(results, k)
	}
	return results, nil
}

// Learn implements [fairfactor.Store].
func (s *Store) Learn(ctx context.Context, results []fairfactor.Known) error {
	if err := live(ctx); err != nil {
		return err
	}
	for i := range results {
		if err := rules.CheckKnown(&results[i]); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range results {
		s.learn(rules.Result(results[i]))
	}
	return nil
}

// learn adds a result. s.mu is held.
func (s *Store) learn(k fairfactor.Known) {
	if s.results == nil {
		s.results = map[string]fairfactor.Known{}
	}
	if was, ok := s.results[k.Number]; ok {
		k = rules.Merge(was, k)
	}
	s.results[k.Number] = k
}

// ListKnown implements [fairfactor.Store].
func (s *Store) ListKnown(ctx context.Context, after fairfactor.NumberKey, limit int) ([]fairfactor.Known, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var results []fairfactor.Known
	for number, k := range s.results {
		if key := fairfactor.KeyOfNumber(number); bytes.Compare(key[:], after[:]) > 0 {
			results = append(results, rules.Result(k))
		}
	}
	slices.SortFunc(results, func(a, b fairfactor.Known) int {
		x, y := fairfactor.KeyOfNumber(a.Number), fairfactor.KeyOfNumber(b.Number)
		return bytes.Compare(x[:], y[:])
	})
	return results[:min(len(results), max(limit, 0))], nil
}

// TrimKnown implements [fairfactor.Store].
func (s *Store) TrimKnown(ctx context.Context, keep, limit int) (int, error) {
	if err := live(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []fairfactor.Known
	for _, k := range s.results {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b fairfactor.Known) int {
		return cmp.Or(cmp.Compare(rules.Worth(a.CPU), rules.Worth(b.CPU)), a.Used.Compare(b.Used))
	})
	n := max(min(len(all)-keep, limit), 0)
	for _, k := range all[:n] {
		delete(s.results, k.Number)
	}
	return n, nil
}
