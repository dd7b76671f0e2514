package actors

import (
	"context"

	"fairfactor"
)

// SetGroup implements fairfactor.Jobs.
func (v *Service) SetGroup(context.Context, string, string) (fairfactor.Caller, error) {
	return fairfactor.Caller{}, errNoGroups
}

// WeighGroup implements fairfactor.Jobs.
func (v *Service) WeighGroup(context.Context, string, int) error { return errNoGroups }

// errNoGroups refuses changes of groups.
var errNoGroups = fairfactor.Errorf(fairfactor.Unavailable, "this node does not share its workers among groups yet")
