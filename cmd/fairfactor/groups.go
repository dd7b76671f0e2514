package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"fairfactor"
)

func newGroups(io streams) *cobra.Command {
	r := &remote{io: io}
	var weight int
	cmd := &cobra.Command{
		Use: "groups NAME ...", Short: "Change the weight of groups of callers", Args: someArguments,
		Long: `groups gives groups of callers a weight: their share of the workers, next to other
groups and to callers without one. A group need not have callers yet.`,
		Example: `  fairfactor groups physics --weight 3
  fairfactor callers alice bob --group physics`,
	}
	cmd.Flags().IntVar(&weight, "weight", 0, "weight to give to the groups named; required")
	onlyTyped(cmd.Flags(), "weight")
	withStatuses(cmd, statusDone, statusError, statusUsage, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		if !cmd.Flags().Changed("weight") {
			return fairfactor.Errorf(fairfactor.Invalid, "--weight is missing: say which weight to give, 1 to %d", fairfactor.MaxWeight)
		}
		if weight < 1 || weight > fairfactor.MaxWeight {
			return fairfactor.Errorf(fairfactor.Invalid, "--weight %d is not between 1 and %d", weight, fairfactor.MaxWeight)
		}
		for i, name := range args {
			if err := jobs.WeighGroup(ctx, name, weight); err != nil {
				p.groups(args[:i], weight)
				return err
			}
		}
		p.groups(args, weight)
		return nil
	})
}

// groups prints groups that have been given a weight.
func (p printer) groups(names []string, weight int) {
	t := table{columns: []column{{name: "GROUP", least: 8}, {name: "WEIGHT", right: true}}}
	for _, name := range names {
		if p.json {
			p.line(fmt.Appendf(nil, `{"group":%q,"weight":%d}`, name, weight)) // a name has no character to escape
			continue
		}
		t.add(name, fmt.Sprint(weight))
	}
	if len(t.rows) > 0 {
		t.write(p.out, p.width)
	}
}
