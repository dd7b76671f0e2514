package main

import (
	"strings"
	"testing"
)

// TestTypoInAVariable: a variable that belongs to no flag is an error that names the
// nearest.
func TestTypoInAVariable(t *testing.T) {
	for name, want := range map[string]string{
		"FAIRFACTOR_WOKERS":    "--workers, FAIRFACTOR_WORKERS",
		"FAIRFACTOR_MAXDIGITS": "--max-digits, FAIRFACTOR_MAX_DIGITS",
		"FAIRFACTOR_ULR":       "--url, FAIRFACTOR_URL",
		"FAIRFACTOR_HELP":      "the nearest is --",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "1")
			for _, args := range [][]string{{"config"}, {"factor", "15"}, {"list"}} {
				status, _, err := execute(t, "", args...)
				if status != exitUsage || !strings.Contains(err, name+" ") || !strings.Contains(err, want) {
					t.Errorf("%v: status %d, %q", args, status, err)
				}
			}
		})
	}
}

// TestVariablesThatAreSpared: of flags of other commands, of the project, of
// Kubernetes, and empty ones.
func TestVariablesThatAreSpared(t *testing.T) {
	for name, value := range map[string]string{
		"FAIRFACTOR_URL":                       "http://127.0.0.1:1",
		"FAIRFACTOR_LINGER":                    "3s",
		"FAIRFACTOR_CPU":                       "noavx2",
		"FAIRFACTOR_TAG":                       "latest",
		"FAIRFACTOR_WOKERS":                    "",
		"FAIRFACTOR_PORT":                      "tcp://10.0.0.7:5555",
		"FAIRFACTOR_SERVICE_HOST":              "10.0.0.7",
		"FAIRFACTOR_SERVICE_PORT":              "5555",
		"FAIRFACTOR_SERVICE_PORT_HTTP":         "5555",
		"FAIRFACTOR_PORT_5555_TCP":             "tcp://10.0.0.7:5555",
		"FAIRFACTOR_PORT_5555_TCP_PROTO":       "tcp",
		"FAIRFACTOR_PORT_5555_TCP_PORT":        "5555",
		"FAIRFACTOR_PORT_5555_TCP_ADDR":        "10.0.0.7",
		"FAIRFACTOR_GOSSIP_PORT":               "udp://10.0.0.8:7946",
		"FAIRFACTOR_GOSSIP_PORT_7946_UDP_ADDR": "10.0.0.8",
		"FAIRFACTOR_GOSSIP_SERVICE_HOST":       "10.0.0.8",
	} {
		t.Setenv(name, value)
	}
	if status, out, err := execute(t, "", "factor", "15"); status != 0 || out != "15: 3 5\n" {
		t.Errorf("status %d, %q, %q", status, out, err)
	}
	t.Setenv("FAIRFACTOR_GOSSIP_PORT", "7946") // no service has that
	if status, _, err := execute(t, "", "factor", "15"); status != exitUsage || !strings.Contains(err, "FAIRFACTOR_GOSSIP") {
		t.Errorf("status %d, %q", status, err)
	}
}

// TestEmptyVariableIsUnset: it neither overrides the default nor is it refused.
func TestEmptyVariableIsUnset(t *testing.T) {
	t.Setenv("FAIRFACTOR_WORKERS", "")
	t.Setenv("FAIRFACTOR_STORE_MEMORY", "")
	t.Setenv("FAIRFACTOR_HTTP", "")
	status, out, err := execute(t, "", "config")
	if status != 0 || !strings.Contains(out, "http: 127.0.0.1:5555 # default\n") || !strings.Contains(out, "store-memory: # default\n") {
		t.Errorf("status %d, %q, %q", status, out, err)
	}
}

// TestBadVariableIsNamed: a value that a flag does not take is refused with the name
// of the variable.
func TestBadVariableIsNamed(t *testing.T) {
	t.Setenv("FAIRFACTOR_WORKERS", "many")
	if status, _, err := execute(t, "", "config"); status != exitUsage || !strings.Contains(err, "FAIRFACTOR_WORKERS: ") || !strings.Contains(err, "many") {
		t.Errorf("status %d, %q", status, err)
	}
}
