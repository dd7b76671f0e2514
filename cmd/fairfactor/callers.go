package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fairfactor"
)

func newCallers(io streams) *cobra.Command {
	r := &remote{io: io}
	var set changes
	var limit int
	var order, prefix string
	cmd := &cobra.Command{
		Use: "callers [NAME ...]", Short: "Show callers and their accounts, or change them",
		Long: `callers shows all callers by name, or those that are named. --weight, --group and the
bounds change the callers that are named; a bound of 0 is taken away.

The node has callers in the orders -queued, -running and -cpu: with --limit 1000 or
less it sends no more than are shown. For any other order --sort reads all callers
first.`,
		Example: `  fairfactor callers --sort -queued --limit 10
  fairfactor callers nightly --weight 2          # twice the share of others
  fairfactor callers alice bob --group physics   # they share one share
  fairfactor callers alice --group ""            # alice leaves her group
  fairfactor callers alice --max-rate 50 --max-queue 1000 --max-digits 80 --max-cpu-seconds-per-day 3600`,
	}
	f := cmd.Flags()
	f.IntVar(&set.weight, "weight", 0, "weight to give to the callers named")
	f.StringVar(&set.group, "group", "", "group to put the callers named into; \"\" takes them out of theirs")
	f.Uint64Var(&set.maxQueue, "max-queue", 0, "unfinished jobs that the callers named may have; 0 is what the node allows to all")
	f.Uint64Var(&set.maxRate, "max-rate", 0, "numbers that they may submit in a second; 0 is any")
	f.Uint64Var(&set.maxDigits, "max-digits", 0, "digits that their numbers may have; 0 is what the node allows to all")
	f.Uint64Var(&set.maxCPU, "max-cpu-seconds-per-day", 0, "CPU seconds that their jobs may use from midnight to midnight UTC; 0 is any")
	f.IntVar(&limit, "limit", 0, "most callers to show; 0 is no limit")
	f.StringVar(&order, "sort", "name", "sort by "+strings.Join(callerKeys(), ", ")+"; -queued shows the largest first")
	f.StringVar(&prefix, "prefix", "", "only callers whose names begin with it")
	onlyTyped(f, "weight", "group", "max-queue", "max-rate", "max-digits", "max-cpu-seconds-per-day")
	complete(cmd, "sort", callerKeys())
	withStatuses(cmd, statusDone, "1  error: not done for any of the callers", statusUsage, statusSomeFailed, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		set.weigh, set.move = f.Changed("weight"), f.Changed("group")
		set.bound(f)
		if err := set.check(args); err != nil {
			return err
		}
		compare, err := callerOrder(order)
		if err != nil {
			return err
		}
		if limit == 0 {
			limit = math.MaxInt
		}
		var all []fairfactor.Caller
		var failed error
		switch {
		case len(args) > 0:
			all, failed = r.named(args, func(name string) (fairfactor.Caller, error) { return set.apply(ctx, jobs, name) })
		case byNode(order, limit):
			all, failed = foremost(ctx, jobs, order, prefix, limit)
		case order == "name":
			all, failed = firstCallers(ctx, jobs, prefix, limit)
		default:
			all, failed = firstCallers(ctx, jobs, prefix, math.MaxInt)
		}
		slices.SortStableFunc(all, compare)
		if len(all) > 0 || failed == nil {
			p.callers(all[:min(len(all), limit)])
		}
		return failed
	})
}

// changes are what callers are told to change.
type changes struct {
	weigh, move bool
	weight      int
	group       string

	maxQueue, maxRate, maxDigits, maxCPU uint64
	bounds                               fairfactor.BoundsChange // those of them that are to change
	bounding                             bool                    // any
}

// bound notes which bounds to change.
func (c *changes) bound(f *pflag.FlagSet) {
	for name, to := range map[string]func(){
		"max-queue": func() { c.bounds.MaxQueue = &c.maxQueue }, "max-rate": func() { c.bounds.MaxRate = &c.maxRate }, "max-digits": func() { c.bounds.MaxDigits = &c.maxDigits },
		"max-cpu-seconds-per-day": func() {
			c.bounds.MaxCPU = new(time.Duration(min(c.maxCPU, math.MaxInt64/uint64(time.Second))) * time.Second)
		},
	} {
		if f.Changed(name) {
			to()
			c.bounding = true
		}
	}
}

func (c *changes) check(names []string) error {
	switch {
	case (c.weigh || c.move || c.bounding) && len(names) == 0:
		return fairfactor.Errorf(fairfactor.Invalid, "--weight, --group and bounds go with the names of callers")
	case c.weigh && (c.weight < 1 || c.weight > fairfactor.MaxWeight):
		return fairfactor.Errorf(fairfactor.Invalid, "--weight %d is not between 1 and %d", c.weight, fairfactor.MaxWeight)
	}
	return fairfactor.CheckBounds(c.bounds.Apply(fairfactor.Bounds{}))
}

// apply changes a caller, or only asks for it if there is nothing to change.
func (c *changes) apply(ctx context.Context, jobs fairfactor.Jobs, name string) (caller fairfactor.Caller, err error) {
	if c.move {
		caller, err = jobs.SetGroup(ctx, name, c.group)
	}
	if c.weigh && err == nil {
		caller, err = jobs.SetWeight(ctx, name, c.weight)
	}
	if c.bounding && err == nil {
		caller, err = jobs.SetBounds(ctx, name, c.bounds)
	}
	if !c.move && !c.weigh && !c.bounding {
		return jobs.Caller(ctx, name)
	}
	return caller, err
}

// named collects the callers that have these names, each once. It goes on after
// one that fails, as each does.
func (r *remote) named(names []string, get func(string) (fairfactor.Caller, error)) (all []fairfactor.Caller, err error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	for _, name := range names {
		caller, err := get(name)
		if err == nil {
			all = append(all, caller)
			continue
		}
		if code := fairfactor.CodeOf(err); len(names) == 1 || code != fairfactor.NotFound {
			return all, err
		}
		fmt.Fprintf(r.io.err, "fairfactor: %.64s: %s\n", name, fairfactor.MessageOf(err))
	}
	return all, someFailed(len(names)-len(all), len(names))
}

// firstCallers reads pages of callers whose names begin with a prefix, by name, until
// there are enough.
func firstCallers(ctx context.Context, jobs fairfactor.Jobs, prefix string, limit int) (all []fairfactor.Caller, err error) {
	for after := fairfactor.BeforePrefix(prefix); len(all) < limit; after = all[len(all)-1].Name {
		size := min(limit-len(all), fairfactor.MaxPage)
		page, err := jobs.Callers(ctx, after, size)
		if err != nil {
			return nil, err
		}
		end := slices.IndexFunc(page, func(c fairfactor.Caller) bool { return !strings.HasPrefix(c.Name, prefix) })
		if end >= 0 {
			return append(all, page[:end]...), nil
		}
		if all = append(all, page...); len(page) < size {
			break
		}
	}
	return all, nil
}

// byNode reports whether a node has the first callers of an order.
func byNode(order string, limit int) bool {
	o, ok := fairfactor.ParseCallerOrder(order)
	return ok && o != fairfactor.ByName && limit <= fairfactor.MaxRanked
}

// foremost asks for the callers that come first in an order.
func foremost(ctx context.Context, jobs fairfactor.Jobs, order, prefix string, limit int) ([]fairfactor.Caller, error) {
	o, _ := fairfactor.ParseCallerOrder(order)
	page, err := jobs.RankedCallers(ctx, fairfactor.CallerQuery{Order: o, Prefix: prefix, Limit: limit})
	return page.Callers, err
}

// callerSorts are the orders of callers, the smallest first.
var callerSorts = []struct {
	key     string
	compare func(a, b fairfactor.Caller) int
}{
	{"name", func(a, b fairfactor.Caller) int { return cmp.Compare(a.Name, b.Name) }},
	{"group", func(a, b fairfactor.Caller) int { return cmp.Compare(a.Group, b.Group) }},
	{"weight", func(a, b fairfactor.Caller) int { return cmp.Compare(a.Weight, b.Weight) }},
	{"queued", func(a, b fairfactor.Caller) int { return cmp.Compare(a.Queued-a.Running, b.Queued-b.Running) }},
	{"running", func(a, b fairfactor.Caller) int { return cmp.Compare(a.Running, b.Running) }},
	{"completed", func(a, b fairfactor.Caller) int { return cmp.Compare(a.Completed, b.Completed) }},
	{"failed", func(a, b fairfactor.Caller) int { return cmp.Compare(a.Failed, b.Failed) }},
	{"cancelled", func(a, b fairfactor.Caller) int { return cmp.Compare(a.Cancelled, b.Cancelled) }},
	{"cpu", func(a, b fairfactor.Caller) int { return cmp.Compare(a.CPU, b.CPU) }},
	{"turns", func(a, b fairfactor.Caller) int { return cmp.Compare(a.Turns, b.Turns) }},
}

func callerKeys() (keys []string) {
	for _, s := range callerSorts {
		keys = append(keys, s.key)
	}
	return keys
}

// callerOrder is the order that --sort names; with a hyphen in front it is the
// other way round.
func callerOrder(text string) (func(a, b fairfactor.Caller) int, error) {
	key, reverse := strings.CutPrefix(text, "-")
	for _, s := range callerSorts {
		switch {
		case s.key != key:
		case reverse:
			return func(a, b fairfactor.Caller) int { return s.compare(b, a) }, nil
		default:
			return s.compare, nil
		}
	}
	return nil, fairfactor.Errorf(fairfactor.Invalid, "--sort %.40q is not %s, or one of these after a hyphen", text, strings.Join(callerKeys(), ", "))
}
