package cluster_test

import (
	"context"
	"net"
	"net/rpc"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/memory"
)

// tables is a table of members for nodes of this process and of others, as a
// store would hold it, which can be cut off from some of them.
type tables struct {
	*memory.Members
	address string

	looks atomic.Int64 // calls of Leased

	mu  sync.Mutex
	cut map[string]chan struct{} // guarded by mu: by member, closed when it is reached again
}

func newTables(t testing.TB) *tables {
	t.Helper()
	s := &tables{Members: memory.NewMembers(time.Now), cut: make(map[string]chan struct{})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.address = l.Addr().String()
	server := rpc.NewServer()
	if err := server.RegisterName("Table", &tableCalls{s}); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go server.ServeConn(c)
		}
	}()
	return s
}

// away cuts a member off: its calls hang.
func (s *tables) away(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut[id] == nil {
		s.cut[id] = make(chan struct{})
	}
}

// back ends away.
func (s *tables) back(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.cut[id]; c != nil {
		close(c)
		delete(s.cut, id)
	}
}

// reached waits until the table can be reached by a member.
func (s *tables) reached(ctx context.Context, id string) error {
	s.mu.Lock()
	c := s.cut[id]
	s.mu.Unlock()
	if c == nil {
		return nil
	}
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return fairfactor.Wrap(fairfactor.Unavailable, ctx.Err(), "the table is away")
	}
}

func (s *tables) Leased(ctx context.Context) ([]fairfactor.Member, error) {
	s.looks.Add(1)
	return s.Members.Leased(ctx)
}

func (s *tables) Join(ctx context.Context, m fairfactor.Member, lease time.Duration) (fairfactor.MemberList, error) {
	if err := s.reached(ctx, m.ID); err != nil {
		return fairfactor.MemberList{}, err
	}
	return s.Members.Join(ctx, m, lease)
}

func (s *tables) Renew(ctx context.Context, id string, dead []string, lease time.Duration) (fairfactor.MemberList, error) {
	if err := s.reached(ctx, id); err != nil {
		return fairfactor.MemberList{}, err
	}
	return s.Members.Renew(ctx, id, dead, lease)
}

func (s *tables) Leave(ctx context.Context, id string) error {
	if err := s.reached(ctx, id); err != nil {
		return err
	}
	return s.Members.Leave(ctx, id)
}

// tableCalls is how other processes call a table.
type tableCalls struct{ *tables }

// TableCall is one call.
type TableCall struct {
	Op     string
	Member fairfactor.Member // its ID only, but for a join
	Dead   []string
	Lease  time.Duration
}

// TableAnswer is what came of it.
type TableAnswer struct {
	Roll    fairfactor.MemberList
	Code    fairfactor.Code
	Message string
}

// Call makes it.
func (c *tableCalls) Call(in TableCall, out *TableAnswer) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	switch in.Op {
	case "leased":
		out.Roll.Members, err = c.Leased(ctx)
	case "join":
		out.Roll, err = c.Join(ctx, in.Member, in.Lease)
	case "renew":
		out.Roll, err = c.Renew(ctx, in.Member.ID, in.Dead, in.Lease)
	case "leave":
		err = c.Leave(ctx, in.Member.ID)
	}
	out.Code, out.Message = fairfactor.CodeOf(err), fairfactor.MessageOf(err)
	return nil
}

// farTable is the table of another process.
type farTable struct{ client *rpc.Client }

func dialTable(address string) (*farTable, error) {
	c, err := rpc.Dial("tcp", address)
	return &farTable{c}, err
}

func (f *farTable) call(ctx context.Context, in TableCall) (fairfactor.MemberList, error) {
	var out TableAnswer
	call := f.client.Go("Table.Call", in, &out, make(chan *rpc.Call, 1))
	select {
	case <-ctx.Done():
		return fairfactor.MemberList{}, fairfactor.Wrap(fairfactor.Unavailable, ctx.Err(), "the table does not answer")
	case <-call.Done:
	}
	if call.Error != nil {
		return fairfactor.MemberList{}, fairfactor.Wrap(fairfactor.Unavailable, call.Error, "the table is gone")
	}
	if out.Code != "" {
		return fairfactor.MemberList{}, fairfactor.Errorf(out.Code, "%s", out.Message)
	}
	return out.Roll, nil
}

func (f *farTable) Leased(ctx context.Context) ([]fairfactor.Member, error) {
	list, err := f.call(ctx, TableCall{Op: "leased"})
	return list.Members, err
}

func (f *farTable) Join(ctx context.Context, m fairfactor.Member, lease time.Duration) (fairfactor.MemberList, error) {
	return f.call(ctx, TableCall{Op: "join", Member: m, Lease: lease})
}

func (f *farTable) Renew(ctx context.Context, id string, dead []string, lease time.Duration) (fairfactor.MemberList, error) {
	return f.call(ctx, TableCall{Op: "renew", Member: fairfactor.Member{ID: id}, Dead: dead, Lease: lease})
}

func (f *farTable) Leave(ctx context.Context, id string) error {
	_, err := f.call(ctx, TableCall{Op: "leave", Member: fairfactor.Member{ID: id}})
	return err
}
