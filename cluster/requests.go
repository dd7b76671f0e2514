package cluster

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// requests waits for the answers to what this node asks. It is one process for
// all of them: a sender's PID says which request it stands for in its request
// id. protoactor's own futures register a process and start a timer each.
//
// The name of the process holds the node's id, so that a late answer to an
// earlier process on the same address finds nobody.
type requests struct {
	address string
	name    string
	last    atomic.Uint32
	shards  [32]requestShard
	pool    sync.Pool // of *request
}

type requestShard struct {
	mu   sync.Mutex
	open map[uint32]*request // guarded by mu
	_    [48]byte            // one cache line each
}

// request is one question. Whoever takes it out of its shard sends exactly one
// answer.
type request struct {
	id     uint32
	at     place         // where it was sent to, empty while it is here; guarded by the shard
	limit  time.Duration // for an answer from another member, zero is none; set before it is open
	due    time.Time     // when that is over; guarded by the shard
	answer chan any      // holds one
}

// place is where a request was sent to. A process that comes back at the address
// of another member has another id, and knows nothing of what that one was asked.
type place struct{ member, address string }

func placeOf(m Member) place { return place{member: m.ID, address: m.Address} }

// gone answers a request whose answer can't come any more: it may be asked again.
type gone struct{}

func newRequests(id string) *requests {
	r := &requests{name: "requests-" + id}
	r.pool.New = func() any { return &request{answer: make(chan any, 1)} }
	for i := range r.shards {
		r.shards[i].open = make(map[uint32]*request)
	}
	return r
}

func (r *requests) shard(id uint32) *requestShard { return &r.shards[id%uint32(len(r.shards))] }

// open returns a new request and the PID that answers go to. Once it was sent to
// another member limit is how long to wait for the answer, zero for as long as it
// takes: one that is lost on the way leaves no trace.
func (r *requests) open(limit time.Duration) (*request, *actor.PID) {
	req := r.pool.Get().(*request)
	req.at, req.limit, req.due = place{}, limit, time.Time{}
	for {
		req.id = r.last.Add(1)
		if req.id == 0 { // means none on the wire
			continue
		}
		s := r.shard(req.id)
		s.mu.Lock()
		if _, taken := s.open[req.id]; taken { // four billion requests ago
			s.mu.Unlock()
			continue
		}
		s.open[req.id] = req
		s.mu.Unlock()
		return req, &actor.PID{Address: r.address, Id: r.name, RequestId: req.id}
	}
}

// sent notes where the request with this id went.
func (r *requests) sent(id uint32, at place) {
	s := r.shard(id)
	s.mu.Lock()
	if req := s.open[id]; req != nil {
		req.at = at
		if req.limit > 0 {
			req.due = time.Now().Add(req.limit)
		}
	}
	s.mu.Unlock()
}

// answer gives v to whoever waits, if somebody does.
func (r *requests) answer(id uint32, v any) {
	s := r.shard(id)
	s.mu.Lock()
	req := s.open[id]
	delete(s.open, id)
	s.mu.Unlock()
	if req != nil {
		req.answer <- v
	}
}

// await returns the answer to req, and ends it; an error if ctx ends before.
func (r *requests) await(ctx context.Context, req *request) (any, error) {
	select {
	case v := <-req.answer:
		r.pool.Put(req)
		return v, nil
	case <-ctx.Done():
		r.close(req)
		return nil, context.Cause(ctx)
	}
}

// close ends a request that nobody waits for any more.
func (r *requests) close(req *request) {
	s := r.shard(req.id)
	s.mu.Lock()
	waiting := s.open[req.id] == req
	delete(s.open, req.id)
	s.mu.Unlock()
	if !waiting {
		<-req.answer // taken out by answer or fail, which always send
	}
	r.pool.Put(req)
}

// expire answers those whose limit is over.
func (r *requests) expire(now time.Time) {
	r.fail(func(q *request) bool { return !q.due.IsZero() && now.After(q.due) }, gone{})
}

// failAt answers v to all requests that were sent to a place for which pick holds.
func (r *requests) failAt(pick func(place) bool, v any) {
	r.fail(func(q *request) bool { return pick(q.at) }, v)
}

// fail answers v to all requests for which pick holds.
func (r *requests) fail(pick func(*request) bool, v any) {
	for i := range r.shards {
		s := &r.shards[i]
		var failed []*request
		s.mu.Lock()
		for id, req := range s.open {
			if pick(req) {
				delete(s.open, id)
				failed = append(failed, req)
			}
		}
		s.mu.Unlock()
		for _, req := range failed {
			req.answer <- v
		}
	}
}

// SendUserMessage implements [actor.Process].
func (r *requests) SendUserMessage(pid *actor.PID, m any) {
	r.answer(pid.RequestId, actor.UnwrapEnvelopeMessage(m))
}

// SendSystemMessage implements [actor.Process]: nobody has to send one.
func (r *requests) SendSystemMessage(*actor.PID, any) {}

// Stop implements [actor.Process]: a peer can't stop it.
func (r *requests) Stop(*actor.PID) {}
