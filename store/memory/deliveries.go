package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fairfactor"
	"fairfactor/store/rules"
)

// owe says that there are deliveries.
func (s *Store) owe() {
	select {
	case s.owed <- struct{}{}:
	default:
	}
}

// Owed implements [fairfactor.DeliveryStore].
func (s *Store) Owed() <-chan struct{} { return s.owed }

// ClaimDeliveries implements [fairfactor.DeliveryStore].
func (s *Store) ClaimDeliveries(
	ctx context.Context, now time.Time, lease time.Duration, busy []string, perHost, limit int,
) (claimed []fairfactor.Delivery, err error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*job
	for _, j := range s.order {
		if c := j.Callback; !j.expired && c != nil && c.State == fairfactor.DeliveryPending && !c.Next.After(now) && (j.claim == 0 || j.leased.Before(now)) {
			due = append(due, j)
		}
	}
	slices.SortStableFunc(due, func(a, b *job) int {
		return cmp.Or(a.Callback.Next.Compare(b.Callback.Next), cmp.Compare(a.ID.Seq, b.ID.Seq))
	})
	taken := map[string]int{}
	for _, j := range due {
		host := j.Callback.Host()
		if len(claimed) >= limit || slices.Contains(busy, host) || taken[host] >= perHost {
			continue
		}
		taken[host]++
		s.claims++
		j.claim, j.leased = s.claims, now.Add(lease)
		claimed = append(claimed, fairfactor.Delivery{Job: j.copy(), Claim: j.claim})
	}
	return claimed, nil
}

// SettleDeliveries implements [fairfactor.DeliveryStore].
func (s *Store) SettleDeliveries(ctx context.Context, settled []fairfactor.Settled) error {
	if err := live(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range settled {
		x := &settled[i]
		if x.ID.Caller == 0 || x.ID.Caller >= uint64(len(s.numbers)) {
			continue
		}
		if j := s.numbers[x.ID.Caller].jobs[x.ID.Seq]; j != nil && j.ID == x.ID && j.claim == x.Claim && x.Claim != 0 {
			j.Callback, j.claim = rules.Settle(*j.Callback, x), 0
		}
	}
	return nil
}
