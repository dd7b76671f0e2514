package http_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"

	"fairfactor"
	httpd "fairfactor/http"
)

// atOnce is Jobs that answers everything out of nothing, so that benchmarks
// measure the server alone.
type atOnce struct {
	fairfactor.Jobs
	job fairfactor.Job
}

func (j *atOnce) Submit(_ context.Context, caller string, subs []fairfactor.Submission, into []fairfactor.Receipt) ([]fairfactor.Receipt, error) {
	for i := range subs {
		into = append(into, fairfactor.Receipt{Job: fairfactor.Job{ID: j.job.ID, Caller: caller, Number: subs[i].Number, State: fairfactor.Pending}})
	}
	return into, nil
}

func (j *atOnce) Job(context.Context, fairfactor.ID) (fairfactor.Job, error) { return j.job, nil }

func newAtOnce() *atOnce {
	m := newMemory()
	m.instant = true
	receipts, err := m.Submit(deadline(), "alice", []fairfactor.Submission{{Number: "600851475143"}}, nil)
	if err != nil {
		panic(err)
	}
	return &atOnce{job: receipts[0].Job}
}

func deadline() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 1<<40)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// exchange sends the same request again and again over one connection, some at
// a time, and counts answers of the length that the first one had.
func exchange(b *testing.B, handler func(net.Listener), request string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go handler(ln)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		r := bufio.NewReader(conn)
		for pb.Next() {
			if _, err := io.WriteString(conn, request); err != nil {
				b.Error(err)
				return
			}
			if err := readAnswer(r); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// readAnswer skips one answer that has a Content-Length and is a success.
func readAnswer(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(line) < 12 || line[9] != '2' {
		return fmt.Errorf("answer %q", line)
	}
	length := 0
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if n := len("Content-Length: "); len(line) > n && string(line[:n]) == "Content-Length: " {
			if length, err = strconv.Atoi(string(line[n : len(line)-2])); err != nil {
				return err
			}
		}
	}
	_, err = r.Discard(length)
	return err
}

const postRequest = "POST /compute HTTP/1.1\r\nHost: node\r\nX-Caller-ID: alice\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n" +
	`{"number":"600851475143"}`

func BenchmarkPost(b *testing.B) {
	exchange(b, func(ln net.Listener) {
		httpd.New(httpd.Config{Jobs: newAtOnce(), MaxDigits: maxDigits, Version: "bench"}).Serve(ln)
	}, postRequest)
}

func BenchmarkGet(b *testing.B) {
	jobs := newAtOnce()
	exchange(b, func(ln net.Listener) {
		httpd.New(httpd.Config{Jobs: jobs, MaxDigits: maxDigits, Version: "bench"}).Serve(ln)
	}, "GET /compute/"+jobs.job.ID.String()+" HTTP/1.1\r\nHost: node\r\n\r\n")
}

// BenchmarkNetHTTP measures what the same exchange costs with the standard library's
// server and an answer of the same size, to compare with.
func BenchmarkNetHTTP(b *testing.B) {
	answer := []byte(`{"request_id":"00000fdw000000000g000001aa","status":"pending","caller_id":"alice","number":"600851475143"}` + "\n")
	exchange(b, func(ln net.Listener) {
		http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
			w.WriteHeader(http.StatusAccepted)
			w.Write(answer)
		}))
	}, postRequest)
}
