package pgtest

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Far is a way to a server that is far: what is said in either direction arrives later,
// in its order, and some of it is lost and sent again, as TCP does it.
type Far struct {
	l      net.Listener
	server string
	delay  time.Duration
	loss   float64
	moves  sync.WaitGroup

	mu    sync.Mutex
	rng   *rand.Rand        // guarded by mu
	conns map[net.Conn]bool // guarded by mu; nil when closed
	lost  int               // guarded by mu
}

// How TCP sends again. If three packets behind a lost one show that it is missing, it comes
// one time there and back later. Otherwise, and if it is lost again, a timer has to end,
// which has 200 ms more than that and twice as much each time.
const (
	packet   = 1400 // bytes
	shown    = 3    // packets
	resend   = 200 * time.Millisecond
	underWay = 1024 // pieces that one direction of a connection holds
)

// NewFar returns a way to the server at host:port that takes delay in each direction, and
// on which a part of the packets is lost, 0.01 for one in a hundred.
func NewFar(server string, delay time.Duration, loss float64, seed uint64) (*Far, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &Far{l: l, server: server, delay: delay, loss: loss, rng: rand.New(rand.NewPCG(seed, 0)), conns: map[net.Conn]bool{}}
	f.moves.Go(f.accept)
	return f, nil
}

// Addr is what to connect to instead of the server.
func (f *Far) Addr() string { return f.l.Addr().String() }

// Lost returns how many packets were lost.
func (f *Far) Lost() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost
}

// Close ends all connections.
func (f *Far) Close() {
	f.l.Close()
	f.mu.Lock()
	for c := range f.conns {
		c.Close()
	}
	f.conns = nil
	f.mu.Unlock()
	f.moves.Wait()
}

func (f *Far) accept() {
	for {
		near, err := f.l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", f.server)
		if err != nil || !f.keep(near, far) {
			near.Close()
			continue
		}
		f.moves.Go(func() { f.move(far, near) })
		f.moves.Go(func() { f.move(near, far) })
	}
}

func (f *Far) keep(conns ...net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range conns {
		if f.conns == nil {
			c.Close()
			continue
		}
		f.conns[c] = true
	}
	return f.conns != nil
}

// piece is something that is under way.
type piece struct {
	data    []byte
	arrives time.Time
}

// move passes on what one side says to the other, until one of them hangs up.
func (f *Far) move(to, from net.Conn) {
	pieces := make(chan piece, underWay)
	f.moves.Go(func() {
		for p := range pieces {
			time.Sleep(time.Until(p.arrives))
			if _, err := to.Write(p.data); err != nil {
				break
			}
		}
		to.Close()
		from.Close()
		for range pieces {
		}
	})
	defer close(pieces)
	var last time.Time
	for buffer := make([]byte, 64<<10); ; {
		n, err := from.Read(buffer)
		if n > 0 {
			arrives := time.Now().Add(f.delay + f.stalled(n))
			if arrives.Before(last) { // it is not handed on before what was said first
				arrives = last
			}
			last = arrives
			pieces <- piece{append([]byte(nil), buffer[:n]...), arrives}
		}
		if err != nil {
			return
		}
	}
}

// stalled returns how much later that many bytes arrive, because packets are lost.
func (f *Far) stalled(bytes int) (worst time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ; bytes > 0; bytes -= packet {
		total, timer, quick := time.Duration(0), resend+2*f.delay, bytes > shown*packet
		for f.rng.Float64() < f.loss {
			f.lost++
			if quick {
				total, quick = total+2*f.delay, false
				continue
			}
			total, timer = total+timer, 2*timer
		}
		worst = max(worst, total)
	}
	return worst
}
