package storetest

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"time"

	"fairfactor"
)

// The model keeps the numbers that are deadly in a list, in no order.

// judge keeps what the end of a job says of whether its number is deadly.
func (m *model) judge(ch *fairfactor.Change) {
	if ch.Op != fairfactor.Finish && ch.Op != fairfactor.AcceptEnded {
		return
	}
	j := ch.Job
	was := m.deadlyOf(j.Number)
	if ch.Op == fairfactor.Finish && j.State == fairfactor.Completed && j.Order != j.ID.Seq {
		m.pardon(func(d *fairfactor.Deadly) bool { return d.Number == j.Number })
	}
	if j.State != fairfactor.Failed || j.Deaths == nil {
		return
	}
	at := asStored(j.Finished)
	now := fairfactor.Deadly{Number: j.Number, Deaths: *j.Deaths, Job: j.ID, Caller: j.Caller, Since: at, Used: at}
	if was != nil && reflect.DeepEqual(was.Deaths, now.Deaths) {
		if !now.Since.Before(was.Since) {
			now.Job, now.Caller, now.Since = was.Job, was.Caller, was.Since
		}
		if now.Used.Before(was.Used.Add(time.Hour)) {
			now.Used = was.Used
		}
	}
	m.pardon(func(d *fairfactor.Deadly) bool { return d.Number == j.Number })
	m.deadly = append(m.deadly, now)
}

func (m *model) pardon(which func(*fairfactor.Deadly) bool) {
	m.deadly = slices.DeleteFunc(m.deadly, func(d fairfactor.Deadly) bool { return which(&d) })
}

func (m *model) deadlyOf(number string) *fairfactor.Deadly {
	for _, d := range m.deadly {
		if d.Number == number {
			return &d
		}
	}
	return nil
}

func (m *model) Deadly(ctx context.Context) ([]fairfactor.Deadly, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := slices.Clone(m.deadly)
	slices.SortFunc(all, func(a, b fairfactor.Deadly) int {
		return cmp.Or(b.Used.Compare(a.Used), cmp.Compare(a.Number, b.Number))
	})
	return all[:min(len(all), 1000)], nil
}

func (m *model) TrimDeadly(ctx context.Context, before time.Time) error {
	most, err := m.Deadly(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pardon(func(d *fairfactor.Deadly) bool {
		return d.Used.Before(before) || !slices.ContainsFunc(most, func(k fairfactor.Deadly) bool { return k.Number == d.Number })
	})
	return nil
}
