package cluster

import (
	"fmt"

	"fairfactor/cluster/clusterpb"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// MaxPayload bounds a message to another member, in bytes. gRPC here takes 32 MB
// at once and protoactor puts up to 256 messages into one batch, so that senders
// of many should stay far below it.
const MaxPayload = 8 << 20

// Portable is a message that actors of one node hand each other as it is, and that
// has another form on its way to another node.
type Portable interface{ Proto() proto.Message }

// wireForm is the form of a message between nodes; false if it has none.
func wireForm(m any) (proto.Message, bool) {
	switch m := m.(type) {
	case proto.Message:
		return m, true
	case Portable:
		return m.Proto(), true
	}
	return nil, false
}

// encode returns l as it goes to another member.
func encode(l *letter) (*clusterpb.Deliver, error) {
	if l.wire != nil {
		return &clusterpb.Deliver{
			Kind: l.kind, Identity: l.identity, Type: l.wire.Type, Payload: l.wire.Payload, Hops: l.hops + 1, Peek: l.peek,
		}, nil
	}
	message, ok := wireForm(l.message)
	if !ok {
		return nil, fmt.Errorf("%T is no message between nodes", l.message)
	}
	payload, err := proto.Marshal(message)
	if err != nil {
		return nil, err
	}
	name := message.ProtoReflect().Descriptor().FullName()
	if len(payload) > MaxPayload {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are allowed", name, len(payload), MaxPayload)
	}
	return &clusterpb.Deliver{
		Kind: l.kind, Identity: l.identity, Type: string(name), Payload: payload, Hops: l.hops + 1, Peek: l.peek,
	}, nil
}

// decode returns the message in d.
func decode(d *clusterpb.Deliver) (proto.Message, error) {
	t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(d.GetType()))
	if err != nil {
		return nil, err
	}
	m := t.New().Interface()
	if err := proto.Unmarshal(d.GetPayload(), m); err != nil {
		return nil, err
	}
	return m, nil
}
