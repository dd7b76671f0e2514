package actors

import (
	"time"

	"fairfactor"
	"fairfactor/actors/actorspb"
)

// What is known of a number that is deadly, as a message.

func deadlyToPB(d *fairfactor.Deadly) *actorspb.Deadly {
	if d == nil {
		return nil
	}
	return &actorspb.Deadly{
		Deaths: d.Deaths.Processes, DeathsCpuNs: int64(d.Deaths.CPU), Job: idToPB(d.Job), Caller: d.Caller, SinceUs: micros(d.Since), UsedUs: micros(d.Used),
	}
}

func deadlyFromPB(number string, pb *actorspb.Deadly) *fairfactor.Deadly {
	if pb == nil || len(pb.Deaths) == 0 {
		return nil
	}
	return &fairfactor.Deadly{
		Number: number, Deaths: fairfactor.Deaths{Processes: pb.Deaths, CPU: time.Duration(pb.DeathsCpuNs)}, Job: idFromPB(pb.Job), Caller: pb.Caller,
		Since: fromMicros(pb.SinceUs), Used: fromMicros(pb.UsedUs),
	}
}
