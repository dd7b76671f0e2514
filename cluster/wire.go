package cluster

import (
	"fmt"

	"fairfactor/cluster/clusterpb"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// MaxPayload bounds a message to another member, in bytes. A batch of up to 256
// messages must fit into 32 MB, so a sender of many messages should stay far below
// it.
const MaxPayload = 8 << 20

// Portable is a message that actors of one node pass to each other unchanged, and
// that has another form on its way to another node.
type Portable interface{ Proto() proto.Message }

// wireForm returns the form of a message between nodes; false if it has none.
func wireForm(m any) (proto.Message, bool) {
	switch m := m.(type) {
	case proto.Message:
		return m, true
	case Portable:
		return m.Proto(), true
	}
	return nil, false
}

// encode returns e in the form that goes to another member.
func encode(e *envelope) (*clusterpb.Deliver, error) {
	if e.wire != nil {
		return &clusterpb.Deliver{
			Kind: e.kind, Identity: e.identity, Type: e.wire.Type, Payload: e.wire.Payload, Hops: e.hops + 1, Peek: e.peek,
		}, nil
	}
	message, ok := wireForm(e.message)
	if !ok {
		return nil, fmt.Errorf("%T is no message between nodes", e.message)
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
		Kind: e.kind, Identity: e.identity, Type: string(name), Payload: payload, Hops: e.hops + 1, Peek: e.peek,
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
