package http_test

import (
	"context"
	"strings"
	"testing"

	"fairfactor"
	httpd "fairfactor/http"
)

// answering is a service in memory that knows some numbers.
type answering struct {
	*memory
	taught []fairfactor.Known
}

func (k *answering) Factorization(_ context.Context, number string) (fairfactor.Factorization, error) {
	if number == "15" {
		return fairfactor.Factorization{Number: number, Status: fairfactor.FullyFactored, Cofactor: "1", Factors: []fairfactor.Factor{{Prime: "3", Exponent: 1}, {Prime: "5", Exponent: 1, Probable: true}}}, nil
	}
	return fairfactor.Factorization{Number: number, Status: fairfactor.Unknown, Cofactor: number}, nil
}

func (k *answering) Factorizations(ctx context.Context, cursor string, limit int) ([]fairfactor.Factorization, string, error) {
	switch cursor {
	case "":
		f, err := k.Factorization(ctx, "15")
		return []fairfactor.Factorization{f}, "more", err
	case "more":
		f, err := k.Factorization(ctx, "77")
		return []fairfactor.Factorization{f}, "", err
	}
	return nil, "", fairfactor.BadCursor(cursor)
}

func (k *answering) Teach(_ context.Context, results []fairfactor.Known) ([]error, error) {
	k.taught = append(k.taught, results...)
	errs := make([]error, len(results))
	for i := range results {
		switch results[i].Number {
		case "15":
			errs[i] = fairfactor.ErrSmall
		case "16", strings.Repeat("8", 60):
			if results[i].Factors[0].Prime == "2" {
				continue
			}
			errs[i] = fairfactor.Errorf(fairfactor.Invalid, "these are not the prime factors of the number")
		}
	}
	return errs, nil
}

func startAnswering(t *testing.T) (*service, *answering) {
	k := &answering{memory: newMemory()}
	return startServer(t, k.memory, func(cfg httpd.Config) *httpd.Server {
		cfg.Jobs = k
		return httpd.New(cfg)
	}), k
}

// What is known of a number, and of all, as the contract has it.
func TestFactors(t *testing.T) {
	s, _ := startAnswering(t)
	for path, want := range map[string]string{
		"/factors/0015":                `{"number":"15","status":"FF","factors":[{"prime":"3","exponent":1,"proof":"deterministic"},{"prime":"5","exponent":1,"proof":"probable"}],"cofactor":"1"}`,
		"/factors/2%5E4-1":             `{"number":"15","status":"FF","factors":[{"prime":"3","exponent":1,"proof":"deterministic"},{"prime":"5","exponent":1,"proof":"probable"}],"cofactor":"1"}`,
		"/factors/77":                  `{"number":"77","status":"U","factors":[],"cofactor":"77"}`,
		"/factors?cursor=more&limit=5": `{"known":[{"number":"77","status":"U","factors":[],"cofactor":"77"}],"next":null}`,
	} {
		if a := s.do("GET", path, ""); a.status != 200 || strings.TrimSpace(a.body) != want {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for path, status := range map[string]int{
		"/factors/0": 422, "/factors/-6": 422, "/factors/1e9": 422, "/factors/2%5E": 422, "/factors/9%5E9%5E9": 422, "/factors/2-2": 422, "/factors/" + strings.Repeat("7", 5000): 422,
		"/factors?cursor=x": 400, "/factors?limit=0": 400, "/factors?page=1": 400, "/factors/15?x=1": 400,
	} {
		if a := s.do("GET", path, ""); a.status != status {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// The client and the server agree on what is known.
func TestClientOfFactors(t *testing.T) {
	s, k := startAnswering(t)
	c, err := httpd.NewClient(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f, err := c.Factorization(t.Context(), "15")
	if err != nil || f.Status != fairfactor.FullyFactored || len(f.Factors) != 2 || !f.Factors[1].Probable || f.Cofactor != "1" {
		t.Errorf("15: %+v, %v", f, err)
	}
	if list, next, err := c.Factorizations(t.Context(), "", 1); err != nil || len(list) != 1 || next != "more" {
		t.Errorf("first page: %+v, %q, %v", list, next, err)
	}
	var results []fairfactor.Known
	for range 300 { // more than one request takes
		for _, number := range []string{"15", "16", strings.Repeat("7", 60)} {
			results = append(results, fairfactor.Known{Number: number, Factors: []fairfactor.Factor{{Prime: "3", Exponent: 1}, {Prime: "5", Exponent: 2}}})
		}
	}
	errs, err := c.Teach(t.Context(), results)
	if err != nil || len(errs) != 900 || errs[0] != fairfactor.ErrSmall || fairfactor.CodeOf(errs[1]) != fairfactor.Invalid || errs[2] != nil || errs[899] != nil {
		t.Errorf("teach: %d errors, %v", len(errs), err)
	}
	if len(k.taught) != 900 || k.taught[899].Number != results[899].Number || k.taught[0].Factors[1].Exponent != 2 {
		t.Errorf("%d were taught", len(k.taught))
	}
	for i, number := range []string{strings.Repeat("8", 60), strings.Repeat("8", 60), strings.Repeat("7", 300)} { // right, wrong, too long
		results[i] = fairfactor.Known{Number: number, Factors: []fairfactor.Factor{{Prime: []string{"2", "3", "7"}[i], Exponent: 1}}}
	}
	errs, err = c.Teach(t.Context(), results[:3])
	if err != nil || len(errs) != 3 || errs[0] != nil || errs[1] == nil || errs[2] == nil {
		t.Errorf("a number twice, and one that is too long: %v, %v", errs, err)
	}
	for body, status := range map[string]int{`{"known":[{"number":"0"}]}`: 200, `{"known":7}`: 400, `{"lines":[]}`: 400, ``: 400} {
		if a := s.do("POST", "/factors", body, "Content-Type: application/json"); a.status != status {
			t.Errorf("POST %s: %d %s", body, a.status, a.body)
		}
	}
}

// A job that was completed with what is known says so, in the 202 and in the job.
func TestKnownJobSaysSo(t *testing.T) {
	j := fairfactor.Job{
		ID: fairfactor.ID{Nonce: 1, Caller: 1, Seq: 1}, Caller: "a", Number: "15", State: fairfactor.Completed, Known: true,
		Factors: []fairfactor.Factor{{Prime: "3", Exponent: 1}, {Prime: "5", Exponent: 1}},
	}
	for _, text := range []string{string(httpd.AppendReceipt(nil, &j)), string(httpd.AppendJob(nil, &j))} {
		if !strings.Contains(text, `"known":true`) || !strings.Contains(text, `"result":{"3":1,"5":1}`) {
			t.Error(text)
		}
	}
	j.Known = false
	if text := string(httpd.AppendJob(nil, &j)); strings.Contains(text, "known") {
		t.Error(text)
	}
}
