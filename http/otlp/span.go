package otlp

import (
	"encoding/binary"
	"hash/fnv"
	"strconv"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"fairfactor"
)

// Names of spans. Submit is the request, or the part of a batch, that brought the job; the
// others are made when the job's end is durable.
const (
	Submit = "submit"
	Whole  = "job"   // from its acceptance until its end is durable
	Wait   = "wait"  // until its first turn
	Turns  = "turns" // from the first turn to the end of the last one
	Store  = "store" // until the end was durable
)

// SpanID is the id of a span of a job. Each node comes to the same one, so nothing has to be
// kept or sent for a span to know its parent; the order tells a job that is tried again from
// what it was before.
func SpanID(id fairfactor.ID, order uint64, name string) (span [8]byte) {
	h := fnv.New64a()
	text := id.Append(make([]byte, 0, 64))
	h.Write(append(append(binary.BigEndian.AppendUint64(text, order), name...), 0))
	binary.BigEndian.PutUint64(span[:], max(h.Sum64(), 1))
	return span
}

// submitted is the span of a submission.
func submitted(j *fairfactor.Job, begun, answered time.Time) *trace.Span {
	s := spanOf(j, Submit, j.Trace.Parent, begun, answered)
	s.Kind = trace.Span_SPAN_KIND_SERVER
	return s
}

// ended are the spans of a job whose end is durable.
func ended(j *fairfactor.Job, durable time.Time) []*trace.Span {
	whole := spanOf(j, Whole, SpanID(j.ID, j.ID.Seq, Submit), j.Submitted, durable)
	whole.Attributes = append(
		whole.Attributes, text("fairfactor.state", j.State.String()), number("fairfactor.digits", int64(len(j.Number))),
		number("fairfactor.turns", int64(j.Turns)), number("fairfactor.cpu_us", j.CPU.Microseconds()), number("fairfactor.attempts", int64(j.Attempts)),
	)
	if j.State == fairfactor.Failed {
		whole.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: j.Reason}
	}
	spans := []*trace.Span{whole}
	part := func(name string, from, to time.Time) {
		spans = append(spans, spanOf(j, name, SpanID(j.ID, j.Order, Whole), from, to))
	}
	if j.Started.IsZero() { // it never ran, or nothing had to
		part(Wait, j.Submitted, j.Finished)
	} else {
		part(Wait, j.Submitted, j.Started)
		part(Turns, j.Started, j.Finished)
	}
	part(Store, j.Finished, durable)
	return spans
}

// spanOf is a span with what all have. One that would end before it began, because two
// clocks differ, takes no time.
func spanOf(j *fairfactor.Job, name string, parent [8]byte, from, to time.Time) *trace.Span {
	order := j.Order
	if name == Submit {
		order = j.ID.Seq
	}
	id := SpanID(j.ID, order, name)
	if to.Before(from) {
		to = from
	}
	return &trace.Span{
		TraceId: j.Trace.ID[:], SpanId: id[:], ParentSpanId: parent[:], Name: name, Kind: trace.Span_SPAN_KIND_INTERNAL, Flags: uint32(j.Trace.Flags),
		StartTimeUnixNano: uint64(from.UnixNano()), EndTimeUnixNano: uint64(to.UnixNano()),
		Attributes: []*common.KeyValue{text("fairfactor.request_id", j.ID.String()), text("fairfactor.caller_id", j.Caller)},
	}
}

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

func number(key string, value int64) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}}}
}

// statusText is how a log names an answer.
func statusText(status int) string { return "the answer was " + strconv.Itoa(status) }
