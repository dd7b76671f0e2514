package main

import (
	"context"
	"os"
	"strconv"
	"strings"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/fleet"
	"fairfactor/bench/internal/harness"
)

// fairfactorPeer is a node of this module, on the embedded store or on a PostgreSQL of
// its own, with ten callers.
type fairfactorPeer struct {
	postgres bool

	node     *harness.Process
	client   *client.Client
	database interface{ Remove() }
	ids      []string // of the round
	before   int      // completed in earlier rounds
}

const (
	fairfactorConns   = 512
	fairfactorCallers = 10
)

func (p *fairfactorPeer) start(ctx context.Context, h *harness.Harness, _ int) (err error) {
	var flags []string
	if p.postgres {
		server, url, err := fleet.NewDatabase(ctx)
		if err != nil {
			return err
		}
		p.database = server
		flags = []string{"--store", url}
	}
	if p.node, err = h.Node(ctx, h.Folder(), nil, flags...); err != nil {
		return err
	}
	p.client, err = client.New(p.node.URL, fairfactorConns)
	return err
}

func (p *fairfactorPeer) begin(_ context.Context, _, jobs int) error {
	p.ids = make([]string, jobs)
	m, err := p.client.Metrics()
	p.before = m.Completed()
	return err
}

func (p *fairfactorPeer) sender() func(context.Context, int, string) error {
	poster := p.client.Poster()
	return func(_ context.Context, i int, number string) (err error) {
		p.ids[i], err = poster.Accepted("caller-"+strconv.Itoa(i%fairfactorCallers), number)
		return err
	}
}

func (p *fairfactorPeer) done(context.Context) (int, error) {
	m, err := p.client.Metrics()
	return m.Completed() - p.before, err
}

func (p *fairfactorPeer) result(_ context.Context, i int) (string, error) {
	j, err := p.client.Job(p.ids[i])
	var words []string
	for prime, exponent := range j.Result {
		words = append(words, prime+"^"+strconv.Itoa(exponent))
	}
	return strings.Join(words, " "), err
}

func (p *fairfactorPeer) close() {
	if p.client != nil {
		p.client.Close()
	}
	if p.node != nil {
		p.node.Kill()
	}
	if p.database != nil {
		p.database.Remove()
	}
}

// makeFolder makes a folder for a server's data.
func makeFolder(dir string) error { return os.MkdirAll(dir, 0o755) }
