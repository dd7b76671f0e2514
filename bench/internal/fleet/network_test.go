package fleet

import (
	"fmt"
	"strings"
	"testing"
)

// TestNetwork sends datagrams from host to host with everything let through, one
// direction dropped, both dropped, and healed.
func TestNetwork(t *testing.T) {
	network, err := newNetwork(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(network.close)
	// arrives sends datagrams from one host to another, which counts one as one to a
	// closed port, until one arrives. The first few may be lost on an
	// open way, too, while the hosts look for each other.
	arrives := func(from, to, most int) bool {
		t.Helper()
		before := noPorts(t, network, to)
		for range most {
			if err := network.hosts[from].run(t.Context(), "bash", "-c", fmt.Sprintf("echo x > /dev/udp/%s/9", network.addr(to))); err != nil {
				t.Fatal(err)
			}
			if noPorts(t, network, to) != before {
				return true
			}
		}
		return false
	}
	check := func(what string, there, back bool) {
		t.Helper()
		for _, way := range []struct {
			from, to int
			open     bool
		}{{0, 1, there}, {1, 0, back}} {
			most := 5
			if way.open {
				most = 500
			}
			if got := arrives(way.from, way.to, most); got != way.open {
				t.Errorf("%s: from %d to %d: %v", what, way.from, way.to, got)
			}
		}
	}
	check("a new network", true, true)
	if err := network.Drop(t.Context(), 0, 1); err != nil {
		t.Fatal(err)
	}
	check("one direction dropped", false, true)
	if err := network.Drop(t.Context(), 1, 0); err != nil {
		t.Fatal(err)
	}
	check("both dropped", false, false)
	if err := network.Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("healed", true, true)
}

// noPorts is the line of datagrams in a host's statistics.
func noPorts(t *testing.T, network *Network, host int) string {
	t.Helper()
	out, err := network.command(t.Context(), host, "cat", "/proc/net/snmp").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "Udp: ") && !strings.Contains(line, "NoPorts") {
			return strings.Fields(line)[2]
		}
	}
	t.Fatalf("no count in\n%s", out)
	return ""
}
