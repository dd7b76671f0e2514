package http_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// exampleNode starts a node in this process and returns its URL. The numbers that it
// takes are prime. For a real one, start fairfactor serve and use http://127.0.0.1:5555.
func exampleNode() (url string, stop func()) {
	jobs := newMemory()
	jobs.instant = true
	server := httpd.New(httpd.Config{Jobs: jobs, MaxDigits: maxDigits, Version: "example"})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	return "http://" + ln.Addr().String(), func() {
		if err := server.Shutdown(context.Background()); err != nil {
			log.Fatal(err)
		}
		if err := <-served; err != nil {
			log.Fatal(err)
		}
	}
}

// Submit a number, wait for its primes.
func ExampleClient() {
	url, stop := exampleNode()
	defer stop()
	client, err := httpd.NewClient(url)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	receipts, err := client.Submit(ctx, "alice", []fairfactor.Submission{{Number: "1000000007"}}, nil)
	if err != nil {
		log.Fatal(err) // nothing was accepted
	}
	if receipts[0].Err != nil {
		log.Fatal(receipts[0].Err) // this number was refused
	}
	// From here on the job is durable: its id finds it at every node, after restarts too.
	job, err := client.Wait(ctx, receipts[0].Job.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.Number, "is", job.State)
	for _, f := range job.Factors {
		fmt.Println(f.Prime, "to the power of", f.Exponent)
	}
	// Output:
	// 1000000007 is completed
	// 1000000007 to the power of 1
}

// A submission with an idempotency key may be sent again after any error: the second one
// gets the job of the first. Without a key, a lost answer leaves open whether the job exists.
func ExampleClient_Submit_idempotent() {
	url, stop := exampleNode()
	defer stop()
	client, err := httpd.NewClient(url)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	order := []fairfactor.Submission{{Number: "1000000007", Key: "order-1"}}
	var ids []fairfactor.ID
	for range 2 {
		receipts, err := client.Submit(ctx, "alice", order, nil)
		if err != nil {
			log.Fatal(err)
		}
		ids = append(ids, receipts[0].Job.ID)
	}
	fmt.Println("the same job:", ids[0] == ids[1])
	// Output:
	// the same job: true
}

// Many numbers go in one call. Each has its own receipt: one that is refused does not
// touch the others, and the code of its error says whose move is next.
func ExampleClient_Submit_batch() {
	url, stop := exampleNode()
	defer stop()
	client, err := httpd.NewClient(url)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	receipts, err := client.Submit(ctx, "alice", []fairfactor.Submission{
		{Number: "1000000007"}, {Number: "twelve"}, {Number: "998244353"},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range receipts {
		switch fairfactor.CodeOf(r.Err) {
		case "":
			fmt.Println("accepted", r.Job.Number)
		case fairfactor.Limit, fairfactor.Unavailable:
			fmt.Println("try again later:", r.Err)
		default:
			fmt.Println("refused:", fairfactor.CodeOf(r.Err))
		}
	}
	// Output:
	// accepted 1000000007
	// refused: invalid
	// accepted 998244353
}

// List goes through the jobs of a caller page by page, newest first.
func ExampleClient_List() {
	url, stop := exampleNode()
	defer stop()
	client, err := httpd.NewClient(url)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err = client.Submit(ctx, "alice", []fairfactor.Submission{{Number: "2"}, {Number: "3"}, {Number: "5"}}, nil)
	if err != nil {
		log.Fatal(err)
	}

	q := fairfactor.Query{Caller: "alice", Limit: 2}
	for {
		page, err := client.List(ctx, q)
		if err != nil {
			log.Fatal(err)
		}
		for _, job := range page.Jobs {
			fmt.Println(job.Number, job.State)
		}
		if page.Next == "" {
			break
		}
		q.Cursor = page.Next
	}
	// Output:
	// 5 completed
	// 3 completed
	// 2 completed
}
