package http_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	httpd "fairfactor/http"
)

// benchServer, in the environment, makes the test binary one of these servers in
// a process of its own: a benchmark counts the CPU of that process only.
const benchServer = "FAIRFACTOR_HTTP_BENCH"

func TestMain(m *testing.M) {
	kind := os.Getenv(benchServer)
	if kind == "" {
		code := m.Run()
		stopBrowser()
		os.Exit(code)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(ln.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the parent has gone
		os.Exit(0)
	}()
	cfg := httpd.Config{MaxDigits: maxDigits, Version: "bench"}
	switch kind {
	case "node":
		cfg.Jobs = newAtOnce()
		err = httpd.New(cfg).Serve(ln)
	case "turns":
		cfg.Jobs = newGrouped()
		err = httpd.New(cfg).Serve(ln)
	case "ungated":
		cfg.Jobs = newGrouped()
		err = httpd.NewUngated(cfg).Serve(ln)
	default:
		err = bareServer().Serve(ln)
	}
	panic(err)
}

// bareServer answers every request with the same text of the length that a job
// has, and the header fields of one.
func bareServer() *fasthttp.Server {
	job := newAtOnce().job
	body := append(httpd.AppendJob(nil, &job), '\n')
	return &fasthttp.Server{Name: "fairfactor/bench", Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("application/json")
		ctx.Response.Header.Set("Cache-Control", "private, no-cache")
		ctx.Response.SetBodyRaw(body)
	}}
}

// startBench starts a server in a process of its own. stop ends it and returns the
// CPU that it has used.
func startBench(b *testing.B, kind string) (addr string, stop func() time.Duration) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), benchServer+"="+kind)
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line), func() time.Duration {
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
}

// BenchmarkServer compares the CPU that a server uses for a request with what a
// bare fasthttp handler uses, over some connections that each send their next
// request when the answer is there.
func BenchmarkServer(b *testing.B) {
	id := newAtOnce().job.ID.String()
	get := "GET /compute/" + id + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	for _, conns := range []int{50, 256} {
		for name, request := range map[string]string{"get": get, "post": postRequest} {
			b.Run(fmt.Sprintf("%s-%d", name, conns), func(b *testing.B) {
				bare := drive(b, "bare", conns, request)
				node := drive(b, "node", conns, request)
				b.ReportMetric(bare, "bare-us")
				b.ReportMetric(node, "node-us")
				b.ReportMetric(bare/node, "ratio")
			})
		}
	}
}

// drive sends requests and returns the CPU microseconds of the server for each.
// Its start, some 20 ms, is among them.
func drive(b *testing.B, kind string, conns int, request string) float64 {
	b.Helper()
	addr, stop := startBench(b, kind)
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	for range conns {
		all.Go(func() {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			r := bufio.NewReaderSize(conn, 1024)
			for left.Add(-1) >= 0 {
				if _, err = io.WriteString(conn, request); err == nil {
					err = readAnswer(r)
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return float64(stop().Microseconds()) / float64(b.N)
}
