package load

import (
	"context"
	"slices"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/verify"
)

// Fill submits numbers of one caller in groups, one after the other.
func Fill(ctx context.Context, c *client.Client, caller string, numbers []string, group int) (all []verify.Accepted, err error) {
	for part := range slices.Chunk(numbers, group) {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		ids, err := c.Batch(caller, part)
		if err != nil {
			return all, err
		}
		for i, id := range ids {
			all = append(all, verify.Accepted{ID: id, Caller: caller, Number: part[i]})
		}
	}
	return all, nil
}
