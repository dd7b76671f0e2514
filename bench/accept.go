package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

var acceptComparison = comparison{
	name:    "accept",
	summary: "durable accepted POSTs a second, beside a bare fasthttp handler",
	help: `Posts one number after the other for some seconds, first to a bare fasthttp
handler in a process of its own that answers every request with the same 202 of
the same size, then to a node, and so on in turn. The client is the same code on
the same machine. Before each round the node has finished all jobs, so that its
workers take nothing from the bare handler's round; in the node's own rounds they
do run. The ratio is the median of the rounds' ratios. Once with the service's
workload (uniform in 10^6 .. 10^20) and once with numbers of seven digits, whose
factoring costs next to nothing.`,
	prepare: func(f *flag.FlagSet) measurement {
		a := acceptance{callers: 10}
		f.IntVar(&a.rounds, "rounds", 5, "rounds on each side, alternating")
		f.DurationVar(&a.round, "round", 1500*time.Millisecond, "length of a round")
		return a.measure
	},
}

type acceptance struct {
	rounds, callers int
	round           time.Duration
}

// bareCommand makes this program the bare handler; it is for accept only.
const bareCommand = "bare-handler"

// serveBare answers every request with a fixed 202 of the size that a node's
// has, until ctx ends.
func serveBare(ctx context.Context, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	id := "0123456789abcdefghjkmnpqrs"
	body := []byte(`{"request_id":"` + id + `","status":"pending","caller_id":"client-000000","number":"12345678901234567890"}` + "\n")
	server := &fasthttp.Server{Name: "fairfactor/0.1.0", Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetStatusCode(fasthttp.StatusAccepted)
		ctx.SetContentType("application/json")
		ctx.Response.Header.Set("Location", "/compute/"+id)
		ctx.Response.Header.Set("Cache-Control", "no-store")
		ctx.Response.SetBodyRaw(body)
	}}
	fmt.Fprintf(out, "bare handler is ready on http://%s\n", listener.Addr())
	context.AfterFunc(ctx, func() { listener.Close() })
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

func (a *acceptance) measure(ctx context.Context, b *bench) ([]row, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	bare, err := b.start(ctx, self, []string{bareCommand}, []string{asBench + "=1"})
	if err != nil {
		return nil, err
	}
	node, err := b.node(ctx, b.folder(), nil)
	if err != nil {
		return nil, err
	}
	defer node.kill()
	defer bare.kill()
	var rows []row
	for _, load := range []struct {
		name string
		draw func(*rand.Rand) string
	}{{"10^6..10^20", uniform}, {"7 digits", small}} {
		for _, at := range []struct {
			concurrency int
			least       float64
		}{{50, 0.35}, {256, 0.50}} {
			what := fmt.Sprintf("accepted/s at concurrency %d, %s", at.concurrency, load.name)
			b.say("%s", what)
			r, err := a.compare(ctx, b, bare.url, node.url, at.concurrency, load.draw)
			if err != nil {
				return rows, fmt.Errorf("%s: %w", what, err)
			}
			r.Figure = what
			rows = append(rows, r.atLeast(at.least))
		}
	}
	return rows, nil
}

// asBench, in the environment, makes the test binary of this package behave as
// the program.
const asBench = "FAIRFACTOR_BENCH"

// compare runs the rounds at one concurrency.
func (a acceptance) compare(ctx context.Context, b *bench, bare, node string, concurrency int, draw func(*rand.Rand) string) (row, error) {
	bareClient, err := newClient(bare, concurrency)
	if err != nil {
		return row{}, err
	}
	nodeClient, err := newClient(node, concurrency)
	if err != nil {
		return row{}, err
	}
	defer bareClient.close()
	defer nodeClient.close()
	var ours, theirs, ratios []float64
	for range a.rounds {
		if err := idle(ctx, nodeClient); err != nil {
			return row{}, err
		}
		other, err := a.drive(ctx, b.seed, bareClient, concurrency, draw)
		if err != nil {
			return row{}, err
		}
		own, err := a.drive(ctx, b.seed, nodeClient, concurrency, draw)
		if err != nil {
			return row{}, err
		}
		ours, theirs, ratios = append(ours, own), append(theirs, other), append(ratios, own/other)
	}
	return figure("", median(ours), "/s").against("bare fasthttp", median(theirs), median(ratios)), nil
}

// drive posts for one round and returns how many were accepted a second. A
// refusal is an error.
func (a acceptance) drive(ctx context.Context, seed uint64, c *client, concurrency int, draw func(*rand.Rand) string) (float64, error) {
	callers, err := callerNames(newRand(seed, 0), a.callers, nil)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, a.round)
	defer cancel()
	var total atomic.Int64
	faults := make(chan error, concurrency)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range concurrency {
		wg.Go(func() {
			rng, poster := newRand(seed, uint64(i)), c.poster()
			for n := i; ctx.Err() == nil; n++ {
				if _, err := poster.accepted(callers[n%len(callers)], draw(rng)); err != nil {
					faults <- err
					return
				}
				total.Add(1)
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	select {
	case err := <-faults:
		return 0, err
	default:
		return perSecond(int(total.Load()), took), nil
	}
}

// median returns the middle one, or the mean of the middle two; 0 of none.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
