package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// configFile writes a configuration file.
func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fairfactor.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestConfigShowsOrigins: the command line wins over the environment, that over the
// file, that over the default.
func TestConfigShowsOrigins(t *testing.T) {
	path := configFile(t, `
# everything that serve takes
workers: 3
max-digits: 77
quantum: 200us
drain: 5s
insecure: yes
join: [10.0.0.1:7946, "10.0.0.2:7946"]
host: a.example
gossip-key: 00000000000000000000000000000000
max-queue:
log-format: &format json
log-level: "warn"
store: postgres://u:secret@db:5432/f?sslmode=disable&password=secret
`)
	t.Setenv("FAIRFACTOR_MAX_DIGITS", "88")
	t.Setenv("FAIRFACTOR_DRAIN", "6s")
	t.Setenv("FAIRFACTOR_CONFIG", path)
	status, out, err := execute(t, "", "config", "--drain", "7s", "--host", "b.example", "--data", "")
	if status != 0 {
		t.Fatalf("status %d, %q", status, err)
	}
	for _, want := range []string{
		"workers: 3 # file " + path + ":3",
		"max-digits: 88 # environment FAIRFACTOR_MAX_DIGITS",
		"quantum: 200µs # file " + path + ":5",
		"drain: 7s # flag",
		"insecure: true # file " + path + ":7",
		"join: ['10.0.0.1:7946', '10.0.0.2:7946'] # file " + path + ":8",
		"host: [b.example] # flag",
		"gossip-key: xxxxx # file " + path + ":10",
		"max-queue: 5000000 # default",
		"log-format: json # file " + path + ":12",
		"log-level: warn # file " + path + ":13",
		"store: postgres://u:xxxxx@db:5432/f?password=xxxxx&sslmode=disable # file " + path + ":14",
		`data: "" # flag`,
		"linger: 0s # default",
		`cors-origin: [] # default`,
	} {
		if !strings.Contains(out, "\n"+want+"\n") {
			t.Errorf("lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// TestConfigPrintsAConfigurationFile: what config prints means the same when it is
// read again.
func TestConfigPrintsAConfigurationFile(t *testing.T) {
	values := regexp.MustCompile(`(?m) # .*$`)
	for _, args := range [][]string{{}, {"--workers", "3", "--store-memory", "1GiB", "--join", "a:1,b:2", "--store", "postgres://db/f", "--node", "012", "--insecure", "--cluster", "a: b # c", "--retention", "800h"}} {
		_, out, err := execute(t, "", append([]string{"config"}, args...)...)
		status, again, err2 := execute(t, "", "config", "--config", configFile(t, out))
		if status != 0 || values.ReplaceAllString(again, "") != values.ReplaceAllString(out, "") || strings.Contains(again, "environment") {
			t.Errorf("%v: %q, %q:\n%s\nis not\n%s", args, err, err2, again, out)
		}
	}
}

func TestBadConfigurationFiles(t *testing.T) {
	for text, want := range map[string]string{
		"http: 127.0.0.1:0\nwokers: 4\n": `fairfactor.yaml:2: the key "wokers" belongs to no flag: the nearest is workers`,
		"config: other.yaml":             `"config" belongs to no flag`,
		"workers: 4\nworkers: 5":         "fairfactor.yaml:2: the key workers is there twice",
		"workers: many":                  `fairfactor.yaml:1: --workers "many" is not a whole number`,
		"workers: [1, 2]":                "fairfactor.yaml:1: workers takes one plain value",
		"workers: {a: 1}":                "workers takes one plain value",
		"join: [[a]]":                    "other than plain values",
		"insecure: maybe":                "insecure is neither true nor false",
		"- workers\n":                    "one \"flag: value\" a line",
		"just text":                      "one \"flag: value\" a line",
		"workers: 4\n---\nworkers: 5":    "more than one YAML document",
		"workers: 'x":                    "--config",
		"workers: 0":                     "--workers 0 is not between",
		"group-by: name":                 "--group-by",
		"log-level: loud":                "--log-level",
		"\"\": 1":                        "belongs to no flag",
		"trusted-proxies: [proxy]":       "--trusted-proxies",
		"a: &a [*a]\n":                   "belongs to no flag",
		"max-cpu: 1h\nhelp: true":        `"help" belongs to no flag`,
		"workers: &w 4\nmax-cpus: *w":    "the nearest is max-cpu",
	} {
		status, _, err := execute(t, "", "config", "--config", configFile(t, text))
		if status != exitUsage || !strings.Contains(err, want) {
			t.Errorf("%.40q: status %d, %q lacks %q", text, status, err, want)
		}
	}
	tooLong := "data: " + strings.Repeat("x", maxConfig)
	if status, _, err := execute(t, "", "config", "--config", configFile(t, tooLong)); status != exitUsage || !strings.Contains(err, "more than 1048576 bytes") {
		t.Errorf("a long file: status %d, %q", status, err)
	}
	for _, text := range []string{"", "# nothing\n", "---\n", "null\n"} {
		if status, _, err := execute(t, "", "config", "--config", configFile(t, text)); status != 0 {
			t.Errorf("%q: status %d, %q", text, status, err)
		}
	}
}

// TestServeTakesAConfigurationFile starts a node with one.
func TestServeTakesAConfigurationFile(t *testing.T) {
	p := serve(t, t.TempDir(), "--config", configFile(t, "max-digits: 10\nworkers: 1\n"))
	p.submit("a", "1234567890")
	if status, j, _ := p.do("POST", "/compute", "a", `{"number":"12345678901"}`); status != 422 {
		t.Errorf("11 digits: %d %+v", status, j)
	}
}

// TestSecretsAreMasked: neither password nor key is printed, however the URL looks.
func TestSecretsAreMasked(t *testing.T) {
	for _, c := range []struct{ flag, value, want string }{
		{"store", "", ""},
		{"store", "postgres://db/f", "postgres://db/f"},
		{"store", "postgres://u:s3cret@db/f", "postgres://u:xxxxx@db/f"},
		{"store", "postgres://db/f?user=u&password=s3cret", "postgres://db/f?password=xxxxx&user=u"},
		{"store", "postgres://db/f?sslpassword=s3cret", "postgres://db/f?sslpassword=xxxxx"},
		{"store", "postgres://u:s3cret%zz@db/f", "xxxxx"},
		{"gossip-key", "s3cret", "xxxxx"},
		{"gossip-key", "", ""},
		{"data", "s3cret", "s3cret"},
	} {
		if got := withoutSecret(c.flag, c.value); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.flag, c.value, got, c.want)
		}
	}
}
