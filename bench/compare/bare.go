package compare

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
)

// BareCommand makes this program the bare handler, what a node is compared with;
// it is for [Accept], [Get] and [Hostile] only.
const BareCommand = "bare-handler"

// asBench, in the environment, makes the test binary of this package behave as
// the program.
const asBench = "FAIRFACTOR_BENCH"

// What the bare handler answers: the same as a node, in the same number of bytes.
const (
	bareID  = "0123456789abcdefghjkmnpqrs"
	bare202 = `{"request_id":"` + bareID + `","status":"pending","caller_id":"client-000000","number":"12345678901234567890"}` + "\n"
	bare200 = `{"request_id":"` + bareID + `","caller_id":"client-000000","number":"12345678901234567890","status":"completed",` +
		`"result":{"2":1,"3":2,"5":1,"101":1,"3541":1,"3607":1,"3803":1,"27961":1},"submitted_at":"2026-11-29T23:33:33.184458Z",` +
		`"started_at":"2026-11-29T23:33:33.184872Z","finished_at":"2026-11-29T23:33:33.184955Z","attempts":1,"turn":1,"cpu_us":55,"error":null}` + "\n"
)

// ServeBare answers a GET with a fixed finished job, and everything else with a
// fixed 202, until ctx ends.
func ServeBare(ctx context.Context, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	accepted, finished := []byte(bare202), []byte(bare200)
	server := &fasthttp.Server{Name: "fairfactor/0.1.0", Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("application/json")
		if ctx.IsGet() {
			ctx.Response.Header.Set("Cache-Control", "private, no-cache")
			ctx.Response.Header.Set("Etag", `"591a5183dece2f47"`)
			ctx.Response.SetBodyRaw(finished)
			return
		}
		ctx.SetStatusCode(fasthttp.StatusAccepted)
		ctx.Response.Header.Set("Location", "/compute/"+bareID)
		ctx.Response.Header.Set("Cache-Control", "no-store")
		ctx.Response.SetBodyRaw(accepted)
	}}
	fmt.Fprintf(out, "bare handler is ready on http://%s\n", listener.Addr())
	context.AfterFunc(ctx, func() { listener.Close() })
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

// pair is a node and the bare handler, each a process of its own.
type pair struct{ node, bare *harness.Process }

func startPair(ctx context.Context, h *harness.Harness) (p *pair, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p = &pair{}
	if p.bare, err = h.Start(ctx, self, []string{BareCommand}, []string{asBench + "=1"}); err != nil {
		return nil, err
	}
	p.node, err = h.Node(ctx, h.Folder(), nil)
	return p, err
}

func (p *pair) close() {
	p.node.Kill()
	p.bare.Kill()
}

// compare measures rates of both in turn. Before each round the node has finished
// all jobs.
func (p *pair) compare(ctx context.Context, rounds, concurrency int, drive func(context.Context, *client.Client) (float64, error)) (report.Row, error) {
	bare, err := client.New(p.bare.URL, concurrency)
	if err != nil {
		return report.Row{}, err
	}
	node, err := client.New(p.node.URL, concurrency)
	if err != nil {
		return report.Row{}, err
	}
	defer bare.Close()
	defer node.Close()
	var ours, theirs, ratios []float64
	for range rounds {
		if err := client.WaitIdle(ctx, node); err != nil {
			return report.Row{}, err
		}
		other, err := drive(ctx, bare)
		if err != nil {
			return report.Row{}, err
		}
		own, err := drive(ctx, node)
		if err != nil {
			return report.Row{}, err
		}
		ours, theirs, ratios = append(ours, own), append(theirs, other), append(ratios, own/other)
	}
	return report.Figure("", stats.Median(ours), "/s").Against("bare fasthttp", stats.Median(theirs), stats.Median(ratios)), nil
}

// rate has that many goroutines do something again and again for a round, and
// returns how often it was done in a second. prepare makes what one of them does.
func rate(ctx context.Context, round time.Duration, concurrency int, prepare func(i int) func() error) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, round)
	defer cancel()
	var total atomic.Int64
	faults := make(chan error, concurrency)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range concurrency {
		do := prepare(i)
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := do(); err != nil {
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
