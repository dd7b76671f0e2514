package client_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"fairfactor/bench/internal/client"
)

// A node that asks for keys gets one with each kind of request.
func TestKeyIsSent(t *testing.T) {
	var mu sync.Mutex
	sent := map[string]string{}
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		sent[r.Method+" "+r.URL.Path] = r.Header.Get("Authorization")
	}))
	defer node.Close()
	c, err := client.New(node.URL, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Authorise("ff_x")
	_, _ = c.Poster().Post("a", "7") // what they answer does not matter
	_, _ = c.Batch("a", []string{"7"})
	_, _ = c.Get("/callers")
	mu.Lock()
	defer mu.Unlock()
	for _, request := range []string{"POST /compute", "POST /compute/batch", "GET /callers"} {
		if sent[request] != "Bearer ff_x" {
			t.Errorf("%s came with %q: %v", request, sent[request], sent)
		}
	}
}
