package main

import (
	"fmt"
	"io"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/harness"
)

// memory is what connections cost on both sides, if there are so many that it can
// be told from everything else.
type memory struct {
	conns                   int
	node, own               float64 // resident bytes before
	nodeGrowth, benchGrowth float64
	known                   bool // the node tells
}

// manyConns is a number of connections from which on their memory is told.
const manyConns = 1000

// residentMetric is the sample of the node's resident memory.
const residentMetric = "process_resident_memory_bytes"

// measureMemory reads the memory before the connections are opened.
func measureMemory(c *client.Client, conns int) *memory {
	m := &memory{conns: conns}
	if conns < manyConns {
		return m
	}
	metrics, err := c.Metrics()
	m.node = metrics[residentMetric]
	m.own, _ = harness.OwnResident() // without it the bench's part is not told
	m.known = err == nil && m.node > 0 && m.own > 0
	return m
}

// full reads it while all of them are open.
func (m *memory) full(c *client.Client) {
	if !m.known {
		return
	}
	metrics, err := c.Metrics()
	own, ownErr := harness.OwnResident()
	m.known = err == nil && ownErr == nil
	m.nodeGrowth, m.benchGrowth = metrics[residentMetric]-m.node, own-m.own
}

func (m *memory) print(out io.Writer) {
	if m.known {
		fmt.Fprintf(out, "Memory per connection, with jobs: node %.1f KiB, bench %.1f KiB\n",
			m.nodeGrowth/1024/float64(m.conns), m.benchGrowth/1024/float64(m.conns))
	}
}
