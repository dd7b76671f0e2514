package cluster

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// requests holds the pending requests of this node. It is one process for all of
// them: the request id in a sender's PID says which request it stands for.
// protoactor's own futures register a process and start a timer each.
//
// The name of the process holds the node's id, so that a late answer to an
// earlier process on the same address finds no receiver.
type requests struct {
	address string
	name    string
	last    atomic.Uint32
	shards  [32]requestShard
	pool    sync.Pool // of *request
}

type requestShard struct {
	mu      sync.Mutex
	pending map[uint32]*request // guarded by mu
	_       [48]byte            // one cache line each
}

// request is one question. The goroutine that removes it from its shard sends
// exactly one answer.
type request struct {
	id     uint32
	to     destination   // empty while the message is on this node; guarded by the shard
	limit  time.Duration // for an answer from another member, zero for none; set before it is added
	once   bool          // it must not be sent again while its answer may come; set before it is added
	due    time.Time     // when that is over; guarded by the shard
	answer chan any      // holds one
}

// destination is the member that a request was sent to. A process that comes back
// at the same address has another id, and knows nothing of earlier requests.
type destination struct{ member, address string }

func destinationOf(m Member) destination { return destination{member: m.ID, address: m.Address} }

// gone answers a request whose answer can't come any more: it may be retried.
type gone struct{}

// isolated answers a request that was not sent, because no other member answers.
type isolated struct{}

func newRequests(id string) *requests {
	r := &requests{name: "requests-" + id}
	r.pool.New = func() any { return &request{answer: make(chan any, 1)} }
	for i := range r.shards {
		r.shards[i].pending = make(map[uint32]*request)
	}
	return r
}

func (r *requests) shard(id uint32) *requestShard { return &r.shards[id%uint32(len(r.shards))] }

// add returns a new request and the PID that answers go to. limit bounds the wait
// for an answer from another member, because a lost answer leaves no trace; zero is
// no limit.
func (r *requests) add(limit time.Duration, once bool) (*request, *actor.PID) {
	req := r.pool.Get().(*request)
	req.to, req.limit, req.once, req.due = destination{}, limit, once, time.Time{}
	for {
		req.id = r.last.Add(1)
		if req.id == 0 { // means none on the wire
			continue
		}
		s := r.shard(req.id)
		s.mu.Lock()
		if _, taken := s.pending[req.id]; taken { // four billion requests ago
			s.mu.Unlock()
			continue
		}
		s.pending[req.id] = req
		s.mu.Unlock()
		return req, &actor.PID{Address: r.address, Id: r.name, RequestId: req.id}
	}
}

// sent records the destination of the request with this id.
func (r *requests) sent(id uint32, to destination) {
	s := r.shard(id)
	s.mu.Lock()
	if req := s.pending[id]; req != nil {
		req.to = to
		if req.limit > 0 {
			req.due = time.Now().Add(req.limit)
		}
	}
	s.mu.Unlock()
}

// answer answers v to the request with this id, if it still waits.
func (r *requests) answer(id uint32, v any) {
	s := r.shard(id)
	s.mu.Lock()
	req := s.pending[id]
	delete(s.pending, id)
	s.mu.Unlock()
	if req != nil {
		req.answer <- v
	}
}

// await returns the answer to req and removes it; an error if ctx ends first.
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

// close removes a request whose answer is no longer wanted.
func (r *requests) close(req *request) {
	s := r.shard(req.id)
	s.mu.Lock()
	waiting := s.pending[req.id] == req
	delete(s.pending, req.id)
	s.mu.Unlock()
	if !waiting {
		<-req.answer // taken out by answer or fail, which always send
	}
	r.pool.Put(req)
}

// expire answers the requests whose limit is over.
func (r *requests) expire(now time.Time) {
	r.fail(func(q *request) bool { return !q.due.IsZero() && now.After(q.due) }, gone{})
}

// failSentTo answers v to all requests whose destination pick chooses.
func (r *requests) failSentTo(pick func(destination) bool, v any) {
	r.fail(func(q *request) bool { return pick(q.to) }, v)
}

// fail answers v to all requests that pick chooses.
func (r *requests) fail(pick func(*request) bool, v any) {
	for i := range r.shards {
		s := &r.shards[i]
		var failed []*request
		s.mu.Lock()
		for id, req := range s.pending {
			if pick(req) {
				delete(s.pending, id)
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

// SendSystemMessage implements [actor.Process]: it ignores system messages.
func (r *requests) SendSystemMessage(*actor.PID, any) {}

// Stop implements [actor.Process]: a peer can't stop it.
func (r *requests) Stop(*actor.PID) {}
