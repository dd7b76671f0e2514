package actors

import "sync/atomic"

// goroutines runs functions as the go statement does, on goroutines that are used again:
// an actor's message needs a stack of some kilobytes, and a new goroutine copies its
// stack twice or thrice until it has that. With many callers, each with a message now
// and then, that is a tenth of a job's CPU. It implements [actor.Dispatcher].
type goroutines struct {
	next chan func()
	idle atomic.Int64
}

// maxIdle bounds the goroutines that wait for the next function.
const maxIdle = 256

// shared are those of the process: they outlive the nodes that use them.
var shared = &goroutines{next: make(chan func())}

// Schedule runs f on a goroutine that waits, or on a new one.
func (g *goroutines) Schedule(f func()) {
	select {
	case g.next <- f:
	default:
		go g.run(f)
	}
}

// Throughput is how many messages an actor handles before it lets others run: what
// protoactor has by default.
func (g *goroutines) Throughput() int { return 300 }

func (g *goroutines) run(f func()) {
	for {
		f()
		if g.idle.Add(1) > maxIdle {
			g.idle.Add(-1)
			return
		}
		f = <-g.next
		g.idle.Add(-1)
	}
}
