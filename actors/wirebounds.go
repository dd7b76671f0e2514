package actors

import (
	"time"

	"fairfactor"
	"fairfactor/actors/actorspb"
)

// The bounds of callers as messages.

func boundToPB(c *fairfactor.BoundsChange) *actorspb.Bound {
	pb := &actorspb.Bound{MaxQueue: c.MaxQueue, MaxRate: c.MaxRate, MaxDigits: c.MaxDigits}
	if c.MaxCPU != nil {
		pb.MaxCpuNs = new(int64(*c.MaxCPU))
	}
	return pb
}

func boundFromPB(pb *actorspb.Bound) fairfactor.BoundsChange {
	c := fairfactor.BoundsChange{MaxQueue: pb.MaxQueue, MaxRate: pb.MaxRate, MaxDigits: pb.MaxDigits}
	if pb.MaxCpuNs != nil {
		c.MaxCPU = new(time.Duration(*pb.MaxCpuNs))
	}
	return c
}

func quotaToPB(q *fairfactor.Quota) *actorspb.Quota {
	if q == nil {
		return nil
	}
	return &actorspb.Quota{Name: q.Name, Unit: q.Unit, Limit: q.Limit, WindowNs: int64(q.Window), ResetNs: int64(q.Reset)}
}

func quotaFromPB(pb *actorspb.Quota) *fairfactor.Quota {
	if pb == nil {
		return nil
	}
	return &fairfactor.Quota{Name: pb.Name, Unit: pb.Unit, Limit: pb.Limit, Window: time.Duration(pb.WindowNs), Reset: time.Duration(pb.ResetNs)}
}
