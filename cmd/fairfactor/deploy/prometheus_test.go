//go:build compose

package deploy

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPrometheusKnowsEveryExpression has a real Prometheus scrape a real node with the
// rules of alerts.yml, and asks it for each expression of the dashboard and of the
// alerts. Those about nodes must have an answer, as soon as the node has done
// something of each kind.
func TestPrometheusKnowsEveryExpression(t *testing.T) {
	run(t, "promtool", "check", "config", "--syntax-only", "prometheus.yml")
	run(t, "promtool", "check", "rules", "alerts.yml")
	run(t, "promtool", "test", "rules", "alerts_test.yml")

	node := startNode(t)
	prometheus := startPrometheus(t, node)
	l := &load{t: t, url: "http://" + node, served: map[string]int{}}
	for _, digits := range []int{12, 30, 50} {
		header := http.Header{"X-Caller-ID": {"a"}, "Content-Type": {"application/json"}, "Prefer": {"wait=60"}}
		number := "1" + strings.Repeat("0", digits-2) + "7"
		if a, err := l.do(http.MethodPost, "/compute", header, `{"number": "`+number+`"}`, http.StatusOK); err != nil || a.Status != "completed" {
			t.Fatalf("%+v %v", a, err)
		}
	}
	for _, expr := range dashboard(t) {
		need := !strings.Contains(expr, "haproxy_")
		eventually(t, 60*time.Second, expr, func() error {
			n, err := query(prometheus, expr)
			if err == nil && n == 0 && need {
				err = fmt.Errorf("no answer")
			}
			return err
		})
	}
	var rules struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	eventually(t, 60*time.Second, "the rules were evaluated", func() error {
		if err := getJSON("http://"+prometheus+"/api/v1/rules", &rules); err != nil {
			return err
		}
		for _, g := range rules.Data.Groups {
			for _, r := range g.Rules {
				if r.Health != "ok" {
					return fmt.Errorf("%s: %s %s", r.Name, r.Health, r.LastError)
				}
			}
		}
		if len(rules.Data.Groups) == 0 {
			return fmt.Errorf("no rules")
		}
		return nil
	})
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// startNode builds and starts a node with an embedded store, and returns its address.
func startNode(t *testing.T) string {
	program := filepath.Join(t.TempDir(), "fairfactor")
	run(t, "go", "build", "-o", program, "..")
	cmd := exec.Command(program, "serve", "--http", "127.0.0.1:0", "--data", t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	background(t, cmd)
	line, err := bufio.NewReader(out).ReadString('\n')
	_, at, found := strings.Cut(line, "http://")
	if err != nil || !found {
		t.Fatalf("the node did not start: %q, %v", line, err)
	}
	return strings.Fields(at)[0]
}

// startPrometheus starts one with the configuration of this folder, but for the
// targets and the times, and returns its address.
func startPrometheus(t *testing.T, node string) string {
	dir := t.TempDir()
	rules, err := filepath.Abs("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%s]
scrape_configs: [{job_name: fairfactor, static_configs: [{targets: [%s]}]}]
`, rules, node)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	cmd := exec.Command("prometheus", "--config.file", filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", address)
	background(t, cmd)
	eventually(t, 30*time.Second, "Prometheus is ready", func() error {
		resp, err := http.Get("http://" + address + "/-/ready")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s", resp.Status)
		}
		return nil
	})
	return address
}

// background starts a program that ends with the test.
func background(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
}

// dashboard returns the expressions of all panels.
func dashboard(t *testing.T) (expressions []string) {
	raw, err := os.ReadFile("grafana/fairfactor.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			expressions = append(expressions, target.Expr)
		}
	}
	return expressions
}

// query asks for an expression, and returns how many series it has now.
func query(prometheus, expr string) (int, error) {
	var a struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	if err := getJSON("http://"+prometheus+"/api/v1/query?query="+url.QueryEscape(expr), &a); err != nil {
		return 0, err
	}
	if a.Status != "success" {
		return 0, fmt.Errorf("%s: %s", a.Status, a.Error)
	}
	return len(a.Data.Result), nil
}
