package storetest

import (
	"bytes"
	"context"
	"math/bits"
	"slices"

	"fairfactor"
)

// The model keeps what is known in a list, in no order.

func (m *model) Known(ctx context.Context, numbers []string) (found []fairfactor.Known, err error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.known {
		if slices.Contains(numbers, k.Number) {
			k.Deadly = m.deadlyOf(k.Number)
			found = append(found, k)
		}
	}
	for i := range m.deadly {
		number := m.deadly[i].Number
		unknown := !slices.ContainsFunc(found, func(k fairfactor.Known) bool { return k.Number == number })
		if unknown && slices.Contains(numbers, number) {
			found = append(found, fairfactor.Known{Number: number, Deadly: m.deadlyOf(number)})
		}
	}
	return found, nil
}

func (m *model) Learn(ctx context.Context, results []fairfactor.Known) error {
	if err := ended(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range results {
		if !digitsOnly(&fairfactor.Job{Number: k.Number, Factors: k.Factors}) {
			return fairfactor.Errorf(fairfactor.Invalid, "not decimal digits")
		}
	}
	for _, k := range results {
		m.learn(k)
	}
	return nil
}

// learnFrom makes known what the end of a job says.
func (m *model) learnFrom(ch *fairfactor.Change) {
	ends := ch.Op == fairfactor.Finish || ch.Op == fairfactor.AcceptEnded
	if ends && ch.Learn && len(ch.Job.Factors) > 0 {
		m.learn(fairfactor.Known{
			Number: ch.Job.Number, Factors: ch.Job.Factors, Complete: ch.Job.State == fairfactor.Completed, CPU: ch.Job.CPU, Used: ch.Job.Finished,
		})
	}
}

func (m *model) learn(k fairfactor.Known) {
	k.Factors, k.Used = slices.Clone(k.Factors), asStored(k.Used)
	for i := range m.known {
		was := &m.known[i]
		if was.Number != k.Number {
			continue
		}
		if was.Complete && !k.Complete || was.Complete == k.Complete && !k.Complete && digitsOf(was) > digitsOf(&k) {
			k.Factors, k.Complete = was.Factors, was.Complete
		}
		k.CPU = max(k.CPU, was.CPU)
		if was.Used.After(k.Used) {
			k.Used = was.Used
		}
		*was = k
		return
	}
	m.known = append(m.known, k)
}

func digitsOf(k *fairfactor.Known) (n int) {
	for _, f := range k.Factors {
		n += len(f.Prime) * f.Exponent
	}
	return n
}

func (m *model) ListKnown(ctx context.Context, after fairfactor.NumberKey, limit int) (page []fairfactor.Known, err error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.known {
		if key := fairfactor.KeyOfNumber(k.Number); bytes.Compare(key[:], after[:]) > 0 {
			page = append(page, k)
		}
	}
	slices.SortFunc(page, func(a, b fairfactor.Known) int {
		x, y := fairfactor.KeyOfNumber(a.Number), fairfactor.KeyOfNumber(b.Number)
		return bytes.Compare(x[:], y[:])
	})
	return page[:min(len(page), max(limit, 0))], nil
}

func (m *model) TrimKnown(ctx context.Context, keep, limit int) (n int, err error) {
	if err := ended(ctx); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for ; n < limit && len(m.known) > max(keep, 0); n++ {
		least := 0
		for i := range m.known {
			if lessUseful(&m.known[i], &m.known[least]) {
				least = i
			}
		}
		m.known = slices.Delete(m.known, least, least+1)
	}
	return n, nil
}

func lessUseful(a, b *fairfactor.Known) bool {
	x, y := bits.Len64(uint64(a.CPU.Microseconds())), bits.Len64(uint64(b.CPU.Microseconds()))
	return x < y || x == y && a.Used.Before(b.Used)
}
