//go:build compose

package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// root is the folder of docker-compose.yml, from here.
const root = "../../.."

// composeCommand in the environment is the Compose to use, if it is not the
// plugin of docker and not docker-compose in the PATH.
const composeCommand = "FAIRFACTOR_COMPOSE"

// project is a running docker-compose.yml under a name of its own.
type project struct {
	t       *testing.T
	name    string
	compose []string
	waits   bool // Compose knows up --wait
	url     string
}

// start builds and starts everything, and waits until all of it is healthy.
func start(t *testing.T) *project {
	t.Helper()
	p := &project{t: t, name: fmt.Sprintf("fairfactor-test-%08x", rand.Uint32())}
	p.findCompose()
	port := freePort(t)
	p.url = "http://127.0.0.1:" + strconv.Itoa(port)
	for name, value := range map[string]string{
		"COMPOSE_PROJECT_NAME": p.name, "FAIRFACTOR_TAG": p.name,
		"FAIRFACTOR_BIND": "127.0.0.1", "FAIRFACTOR_PORT": strconv.Itoa(port), "FAIRFACTOR_WORKERS": "1",
	} {
		t.Setenv(name, value)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs:\n%s", p.run("logs", "--no-color", "--tail", "200"))
		}
		p.run("--profile", "metrics", "down", "-v", "--remove-orphans", "-t", "1")
		docker(t, "image", "rm", "-f", "fairfactor:"+p.name)
		docker(t, "image", "prune", "-f", "--filter", "label=com.docker.compose.project="+p.name) // one of each service that is built
		if left := docker(t, "ps", "-aq", "--filter", "label=com.docker.compose.project="+p.name); left != "" {
			t.Errorf("containers are left: %s", left)
		}
	})
	p.up("--build")
	return p
}

func (p *project) findCompose() {
	switch own := os.Getenv(composeCommand); {
	case own != "":
		p.compose = []string{own}
	case exec.Command("docker", "compose", "version").Run() == nil:
		p.compose = []string{"docker", "compose"}
	default:
		p.compose = []string{"docker-compose"}
	}
	out, err := exec.Command(p.compose[0], append(p.compose[1:], "version", "--short")...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v does not work: %v\n%s", p.compose, err, out)
	}
	version := strings.TrimSpace(string(out))
	p.waits = !strings.HasPrefix(version, "1.")
	p.t.Logf("%v %s", p.compose, version)
}

// run runs Compose, which must succeed, and returns what it wrote.
func (p *project) run(args ...string) string {
	p.t.Helper()
	cmd := exec.Command(p.compose[0], append(p.compose[1:], args...)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v %v: %v\n%s", p.compose, args, err, out)
	}
	return string(out)
}

// up starts what does not run yet and waits until all of it is healthy.
func (p *project) up(args ...string) {
	p.t.Helper()
	all := append([]string{"up", "-d"}, args...)
	if p.waits {
		all = append(all, "--wait")
	}
	p.run(all...)
	for _, id := range strings.Fields(p.run("ps", "-q")) {
		p.healthy(id)
	}
}

// nodes are the containers of the service node.
func (p *project) nodes() []string { return strings.Fields(p.run("ps", "-q", "node")) }

// healthy waits until a container's own check says so. One without a check must
// only not have failed.
func (p *project) healthy(container string) {
	p.t.Helper()
	eventually(p.t, 90*time.Second, "health of "+container, func() error {
		const format = `{{.State.Status}} {{.State.ExitCode}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}`
		switch state := docker(p.t, "inspect", "-f", format, container); state {
		case "running 0 healthy", "running 0 none", "exited 0 none":
			return nil
		default:
			return fmt.Errorf("%s", state)
		}
	})
}

// members waits until the API, through the balancer, says that so many nodes are
// in the cluster.
func (p *project) members(n int) {
	p.t.Helper()
	eventually(p.t, 60*time.Second, fmt.Sprintf("%d members", n), func() error {
		var answer struct {
			Nodes []struct{ State string }
		}
		if err := getJSON(p.url+"/nodes", &answer); err != nil {
			return err
		}
		alive := 0
		for _, node := range answer.Nodes {
			if node.State == "alive" {
				alive++
			}
		}
		if alive != n || len(answer.Nodes) != n {
			return fmt.Errorf("%+v", answer.Nodes)
		}
		return nil
	})
}

func getJSON(url string, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// docker runs the docker command, which must succeed, and returns what it wrote.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// eventually asks until there is no more error, or fails with the last one.
func eventually(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	over := time.After(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("%s: after %v still %v", what, limit, err)
		}
	}
}

// freePort is a port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
