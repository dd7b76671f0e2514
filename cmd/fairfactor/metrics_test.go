package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// metricsOf reads what a node tells Prometheus.
func metricsOf(t *testing.T, p *process) map[string]*dto.MetricFamily {
	t.Helper()
	resp, err := http.Get(p.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// TestMetricsSayHowMuchThereIsToDo lets one caller wait behind another one's hard
// numbers: what is unfinished is told while it is, and each job is counted once when
// it has ended.
func TestMetricsSayHowMuchThereIsToDo(t *testing.T) {
	p := serve(t, t.TempDir(), "--workers", "1", "--known-size", "0")
	hard := "1000000000000000000000000000000000000000000000000000000000000000000000057" // 73 digits
	var ids []string
	for i := range 30 {
		ids = append(ids, p.submit(fmt.Sprint("caller-", i%3), fmt.Sprint(hard[:60+i%10], "7")).ID)
	}
	value := func(name string) float64 {
		f := metricsOf(t, p)[name]
		if f == nil {
			t.Fatalf("no metric %s", name)
		}
		return f.Metric[0].GetGauge().GetValue()
	}
	p.until("the backlog is told", func() bool {
		return value("fairfactor_jobs_unfinished") > 3 && value("fairfactor_backlog_cpu_seconds") > 0.1 && value("fairfactor_oldest_waiting_seconds") > 0
	})
	status, body := p.get("/fairness")
	if status != http.StatusOK || !strings.Contains(body, `"backlog_cpu_us":`) || strings.Contains(body, `"oldest_waiting_since":null`) {
		t.Errorf("%d %s", status, body)
	}
	for _, id := range ids[:15] {
		p.do(http.MethodDelete, "/compute/"+id, "", "")
	}
	for _, id := range ids {
		p.wait(id)
	}
	p.until("nothing is left", func() bool {
		return value("fairfactor_jobs_unfinished") == 0 && value("fairfactor_backlog_cpu_seconds") == 0 && value("fairfactor_oldest_waiting_seconds") == 0
	})
	families := metricsOf(t, p)
	ended := 0.0
	for _, m := range families["fairfactor_jobs_total"].Metric {
		if s := m.Label[0].GetValue(); s == "completed" || s == "failed" {
			ended += m.GetCounter().GetValue()
		}
	}
	var sums [3]float64
	for i, name := range []string{"wait", "run", "total"} {
		count := uint64(0)
		for _, m := range families["fairfactor_job_"+name+"_seconds"].Metric {
			count += m.GetHistogram().GetSampleCount()
			sums[i] += m.GetHistogram().GetSampleSum()
		}
		if float64(count) != ended {
			t.Errorf("%d jobs in the histogram of %s, %v have ended", count, name, ended)
		}
	}
	if diff := sums[0] + sums[1] - sums[2]; diff > 0.001 || diff < -0.001 || sums[0] == 0 || sums[1] == 0 {
		t.Errorf("jobs waited %v s, ran %v s and took %v s together", sums[0], sums[1], sums[2])
	}
	if n := families["fairfactor_store_commit_changes"].Metric[0].GetHistogram().GetSampleSum(); n < 45 {
		t.Errorf("%v changes were written", n)
	}
}

// get asks for a page.
func (p *process) get(path string) (int, string) {
	p.t.Helper()
	resp, err := http.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// until asks again and again, for a minute at most.
func (p *process) until(what string, is func() bool) {
	p.t.Helper()
	for over := time.Now().Add(time.Minute); !is(); {
		if time.Now().After(over) {
			p.t.Fatalf("it is not so that %s", what)
		}
	}
}
