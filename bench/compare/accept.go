// Package compare holds the comparisons: each subcommand starts private nodes,
// measures one promise of the service against a named alternative in the same
// run, and returns rows for a table. Each file holds one comparison; start
// reading at its [command.Comparison].
package compare

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/load"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
)

// Accept is `bench accept`.
var Accept = command.Comparison{
	Name:    "accept",
	Summary: "durable accepted POSTs a second, against a bare fasthttp handler",
	Help: `Posts one number after the other for some seconds, first to a bare fasthttp
handler in a process of its own that answers every request with the same 202 of
the same size, then to a node, and so on in turn. The client is the same code on
the same machine. Before each round the node has finished all jobs, so that its
workers take nothing from the bare handler's round; in the node's own rounds they
do run. The ratio is the median of the rounds' ratios. Once with the service's
workload (uniform in 10^6 .. 10^20) and once with numbers of seven digits, whose
factoring costs next to nothing.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
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

// BareCommand makes this program the bare handler; it is for accept only.
const BareCommand = "bare-handler"

// ServeBare answers every request with a fixed 202 of the size that a node's
// has, until ctx ends.
func ServeBare(ctx context.Context, out io.Writer) error {
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

func (a *acceptance) measure(ctx context.Context, b *harness.Harness) ([]report.Row, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	bare, err := b.Start(ctx, self, []string{BareCommand}, []string{asBench + "=1"})
	if err != nil {
		return nil, err
	}
	node, err := b.Node(ctx, b.Folder(), nil)
	if err != nil {
		return nil, err
	}
	defer node.Kill()
	defer bare.Kill()
	var rows []report.Row
	for _, load := range []struct {
		name string
		draw func(*rand.Rand) string
	}{{"10^6..10^20", random.Uniform}, {"7 digits", random.Small}} {
		for _, at := range []struct {
			concurrency int
			least       float64
		}{{50, 0.35}, {256, 0.50}} {
			what := fmt.Sprintf("accepted/s at concurrency %d, %s", at.concurrency, load.name)
			b.Say("%s", what)
			r, err := a.compare(ctx, b, bare.URL, node.URL, at.concurrency, load.draw)
			if err != nil {
				return rows, fmt.Errorf("%s: %w", what, err)
			}
			r.Figure = what
			rows = append(rows, r.AtLeast(at.least))
		}
	}
	return rows, nil
}

// asBench, in the environment, makes the test binary of this package behave as
// the program.
const asBench = "FAIRFACTOR_BENCH"

// compare runs the rounds at one concurrency.
func (a acceptance) compare(ctx context.Context, b *harness.Harness, bare, node string, concurrency int, draw func(*rand.Rand) string) (report.Row, error) {
	bareClient, err := client.New(bare, concurrency)
	if err != nil {
		return report.Row{}, err
	}
	nodeClient, err := client.New(node, concurrency)
	if err != nil {
		return report.Row{}, err
	}
	defer bareClient.Close()
	defer nodeClient.Close()
	var ours, theirs, ratios []float64
	for range a.rounds {
		if err := client.WaitIdle(ctx, nodeClient); err != nil {
			return report.Row{}, err
		}
		other, err := a.drive(ctx, b.Seed, bareClient, concurrency, draw)
		if err != nil {
			return report.Row{}, err
		}
		own, err := a.drive(ctx, b.Seed, nodeClient, concurrency, draw)
		if err != nil {
			return report.Row{}, err
		}
		ours, theirs, ratios = append(ours, own), append(theirs, other), append(ratios, own/other)
	}
	return report.Figure("", stats.Median(ours), "/s").Against("bare fasthttp", stats.Median(theirs), stats.Median(ratios)), nil
}

// drive posts for one round and returns how many were accepted a second. A
// refusal is an error.
func (a acceptance) drive(ctx context.Context, seed uint64, c *client.Client, concurrency int, draw func(*rand.Rand) string) (float64, error) {
	callers, err := load.CallerNames(random.New(seed, 0), a.callers, nil)
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
			rng, poster := random.New(seed, uint64(i)), c.Poster()
			for n := i; ctx.Err() == nil; n++ {
				if _, err := poster.Accepted(callers[n%len(callers)], draw(rng)); err != nil {
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
		return stats.PerSecond(int(total.Load()), took), nil
	}
}
