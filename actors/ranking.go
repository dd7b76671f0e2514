package actors

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fairfactor"
)

// A node shows a ranking for rankingWorth times as long as it took to make it, but no longer
// than rankingAge, however many look at it and turn its pages: that is a twentieth of a
// core at most for each order.
const (
	rankingWorth = 20
	rankingAge   = 2 * time.Second
)

// rankings are those that this node made last, by order.
type rankings [fairfactor.ByCPU + 1]struct {
	mu      sync.Mutex // held while the ranking is made
	callers []fairfactor.Caller
	until   time.Time // it is shown
}

// RankedCallers implements fairfactor.Jobs. Behind the callers that are ranked come all
// others by name.
func (v *Service) RankedCallers(ctx context.Context, q fairfactor.CallerQuery) (page fairfactor.CallerPage, err error) {
	at, err := parseRank(q.After)
	if err != nil {
		return page, err
	}
	if q.Limit < 1 || q.Limit > fairfactor.MaxPage {
		return page, fairfactor.Errorf(fairfactor.Invalid, "limit is %d: it must be between 1 and %d", q.Limit, fairfactor.MaxPage)
	}
	ranked, all, err := v.rankedWith(ctx, q.Order, q.Prefix)
	if err != nil {
		return page, err
	}
	if at.ranked {
		for i := range ranked {
			if c := &ranked[i]; !at.before(q.Order, c) {
				continue
			}
			if len(page.Callers) == q.Limit {
				page.Next = rankOf(q.Order, &page.Callers[q.Limit-1])
				return page, nil
			}
			page.Callers = append(page.Callers, ranked[i])
		}
		at = rank{}
	}
	if all {
		return page, nil
	}
	return v.restByName(ctx, q, at, ranked, page)
}

// rank is a place in a list of callers: behind one of those that are ranked, or before all
// of them; or behind a name among the others.
type rank struct {
	ranked, begun bool
	value         uint64
	name          string
}

// before reports whether a place is before a caller that is ranked.
func (r *rank) before(order fairfactor.CallerOrder, c *fairfactor.Caller) bool {
	value := order.Value(c)
	return !r.begun || value < r.value || value == r.value && c.Name > r.name
}

// rankOf writes the place behind a caller that is ranked: its value and its name, with a
// slash between them, which no name has. Behind one of the others it is a slash and the name.
func rankOf(order fairfactor.CallerOrder, c *fairfactor.Caller) string {
	return strconv.FormatUint(order.Value(c), 10) + "/" + c.Name
}

func parseRank(text string) (r rank, err error) {
	if text == "" {
		return rank{ranked: true}, nil
	}
	value, name, ok := strings.Cut(text, "/")
	if r = (rank{ranked: value != "", begun: true, name: name}); ok && r.ranked {
		r.value, err = strconv.ParseUint(value, 10, 64)
	}
	if !ok || err != nil || len(name) > fairfactor.MaxCallerBytes {
		return r, fairfactor.Errorf(fairfactor.Invalid, "%.80q is not the member next of a page of callers in this order", text)
	}
	return r, nil
}

// rankedWith returns the callers that come first in an order, of those whose names have a
// prefix. all says that there are no others: if few names have it, all of them are ranked.
func (v *Service) rankedWith(ctx context.Context, order fairfactor.CallerOrder, prefix string) (ranked []fairfactor.Caller, all bool, err error) {
	if prefix != "" {
		ranked, err = v.sys.cfg.Store.Callers(ctx, fairfactor.BeforePrefix(prefix), fairfactor.MaxRanked+1)
		if err != nil {
			return nil, false, err
		}
		few := len(ranked) <= fairfactor.MaxRanked
		if end := slices.IndexFunc(ranked, func(c fairfactor.Caller) bool { return !strings.HasPrefix(c.Name, prefix) }); end >= 0 {
			ranked, few = ranked[:end], true
		}
		if few {
			v.complete(ctx, ranked)
			sortRanked(order, ranked)
			return ranked, true, nil
		}
	}
	if ranked, err = v.ranking(ctx, order); err != nil || prefix == "" {
		return ranked, false, err
	}
	return slices.DeleteFunc(slices.Clone(ranked), func(c fairfactor.Caller) bool { return !strings.HasPrefix(c.Name, prefix) }), false, nil
}

// ranking returns the callers that come first in an order, as they were a moment ago. It
// must not be changed.
func (v *Service) ranking(ctx context.Context, order fairfactor.CallerOrder) ([]fairfactor.Caller, error) {
	r := &v.sys.ranked[order]
	r.mu.Lock()
	defer r.mu.Unlock()
	began := v.sys.now()
	if began.Before(r.until) {
		return r.callers, nil
	}
	var callers []fairfactor.Caller
	var err error
	switch living := v.living(ctx); order {
	case fairfactor.ByRunning:
		callers, err = v.sys.cfg.Store.CallersNamed(ctx, busiest(living))
		v.completeFrom(ctx, callers, living)
	default:
		callers, err = v.sys.cfg.Store.Foremost(ctx, order, fairfactor.MaxRanked)
		v.completeFrom(ctx, callers, living)
	}
	if err != nil {
		return nil, err
	}
	sortRanked(order, callers)
	now := v.sys.now()
	r.callers, r.until = callers, now.Add(min(rankingWorth*now.Sub(began), rankingAge))
	return r.callers, nil
}

// busiest are the names of those with the most jobs that run.
func busiest(living map[string]liveCaller) []string {
	names := slices.SortedFunc(maps.Keys(living), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(living[b].jobs), len(living[a].jobs)), cmp.Compare(a, b))
	})
	return names[:min(len(names), fairfactor.MaxRanked)]
}

// sortRanked sorts callers for an order, by name where it has them equal.
func sortRanked(order fairfactor.CallerOrder, callers []fairfactor.Caller) {
	slices.SortFunc(callers, func(a, b fairfactor.Caller) int {
		return cmp.Or(cmp.Compare(order.Value(&b), order.Value(&a)), cmp.Compare(a.Name, b.Name))
	})
}

// restByName fills a page with those that are not ranked, by name.
func (v *Service) restByName(ctx context.Context, q fairfactor.CallerQuery, at rank, ranked []fairfactor.Caller, page fairfactor.CallerPage) (fairfactor.CallerPage, error) {
	shown := make(map[string]bool, len(ranked))
	for i := range ranked {
		shown[ranked[i].Name] = true
	}
	had := len(page.Callers)
	for after := max(at.name, fairfactor.BeforePrefix(q.Prefix)); ; {
		limit := min(q.Limit-len(page.Callers)+1, fairfactor.MaxPage) // one more, to know of it
		some, err := v.sys.cfg.Store.Callers(ctx, after, limit)
		if err != nil {
			return page, err
		}
		for i := range some {
			switch c := &some[i]; {
			case !strings.HasPrefix(c.Name, q.Prefix):
				some = nil
			case shown[c.Name]:
				after = c.Name
				continue
			case len(page.Callers) == q.Limit:
				page.Next = "/" + after
				some = nil
			default:
				page.Callers, after = append(page.Callers, *c), c.Name
				continue
			}
			break
		}
		if len(some) < limit {
			v.complete(ctx, page.Callers[had:])
			return page, nil
		}
	}
}
