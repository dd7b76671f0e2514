package actors

import (
	"encoding/hex"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"fairfactor"
	"fairfactor/actors/actorspb"
	"fairfactor/actors/share"
)

// numberActor is the shell of a [share.Number]. There is one for each number that is
// large enough and that a caller wants, somewhere in the cluster; it stops when no
// caller has said for a while that it wants it.
type numberActor struct {
	sys    *System
	number *share.Number
	alarm  alarm
}

// want is a [share.Want] on its way, shared what a caller is told.
type want struct{ share.Want }

func (a *numberActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		<-a.sys.bound
		a.alarm.pid = ctx.Self()
	case *actor.Stopping, *actor.Restarting:
		a.sys.alarms.cancel(&a.alarm)
	case tick:
		if now := a.sys.now(); a.number == nil || !now.Before(a.number.Idle()) {
			ctx.Stop(ctx.Self())
			return
		}
		a.sys.alarms.set(&a.alarm, a.number.Idle())
	case actor.AutoReceiveMessage, actor.SystemMessage:
	default:
		if w, ok := opened(m).(want); ok {
			a.want(w.Want)
		}
	}
}

func (a *numberActor) want(w share.Want) {
	now := a.sys.now()
	if a.number == nil {
		a.number = share.New(w.Number, now)
	}
	for _, answer := range a.number.Want(now, w) {
		a.sys.tellCaller(answer.Caller, toCaller{answer.Shared})
	}
	a.sys.alarms.set(&a.alarm, a.number.Idle())
}

// tellNumber tells the actor of a number what a caller wants of it.
func (s *System) tellNumber(w share.Want) {
	key := fairfactor.KeyOfNumber(w.Number)
	s.net.Tell(NumberKind, hex.EncodeToString(key[:]), want{w})
}

// Proto implements cluster.Portable.
func (m want) Proto() proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Want{Want: &actorspb.Want{
		Number: m.Number, Caller: m.Caller, Jobs: int64(m.Jobs), Runs: m.Runs, Waits: m.Waits, Over: m.Over, Known: m.Known, Leaves: m.Leaves, CpuNs: int64(m.CPU),
	}}}
}

func wantFromPB(pb *actorspb.Want) want {
	return want{share.Want{
		Number: pb.Number, Caller: pb.Caller, Jobs: int(pb.Jobs), Runs: pb.Runs, Waits: pb.Waits, Over: pb.Over, Known: pb.Known, Leaves: pb.Leaves,
		CPU: time.Duration(pb.CpuNs),
	}}
}
