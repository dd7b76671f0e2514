package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestWrongCommandLines: what is wrong with a command line is said before anything is
// opened, in words of the project and not of the libraries that read it.
func TestWrongCommandLines(t *testing.T) {
	dir := t.TempDir()
	for args, want := range map[string]string{
		"serve --workers x":                       `--workers "x" is not a whole number`,
		"serve --max-queue -1":                    `--max-queue "-1" is not a whole number, 0 or more`,
		"serve --max-queue 0":                     "--max-queue 0 is not 1 or more",
		"serve --max-digits 99999999999999999999": "--max-digits 99999999999999999999 is out of range",
		"serve --quantum x":                       `--quantum "x" is not a duration, such as 90s or 1h30m`,
		"serve --open=maybe":                      `--open "maybe" is not true or false`,
		"serve --store-memory 1XB":                `--store-memory: "1XB" is not a size: write 256MB or 1GiB`,
		"serve --join a\"b":                       "--join is not a list with commas between its items",
		"serve --max-cpu -1s":                     "--max-cpu -1s is negative",
		"serve --drain -1s":                       "--drain -1s is negative",
		"serve --drain 0":                         "--drain 0s leaves no time",
		"serve --linger 2h":                       "--linger 2h0m0s is more than 1h",
		"serve --known-size -1":                   "--known-size -1 is negative",
		"serve --http=":                           `--http "" is not host:port, such as 127.0.0.1:5555`,
		"serve --http 5555":                       `--http "5555" is not host:port`,
		"serve --http 127.0.0.1:99999":            `--http "127.0.0.1:99999" is not host:port`,
		"serve --data=":                           "--data is empty",
		"serve --pprof 0.0.0.0:6060":              "is not a loopback address",
		"serve --gossip-key x":                    "--gossip-key is not hexadecimal",
		"serve --webhook-secret x":                "a webhook secret has 1 bytes, fewer than 16",
		"serve --webhook-secret-file nowhere":     "--webhook-secret-file can't be read",
		"config --pprof 0.0.0.0:6060":             "is not a loopback address",
		"config --webhook-secret x":               "a webhook secret has 1 bytes",
		"config --max-cpu -1s":                    "--max-cpu -1s is negative",
		"serve x":                                 `fairfactor serve takes no arguments, and there is "x"`,
		"list x":                                  `fairfactor list takes no arguments, and there is "x"`,
		"get":                                     "an argument is missing: fairfactor get ID ...",
		"keys revoke":                             "an argument is missing: fairfactor keys revoke ID ...",
		"man":                                     "one argument is needed, and there are 0: fairfactor man DIR",
		"keys foo":                                `unknown command "foo"`,
		"help foo":                                `unknown command "foo"`,
		"completion foo":                          `unknown command "foo"`,
		"factor -5":                               "-5 is not a flag, and numbers are positive",
		"submit -x 5":                             "unknown shorthand flag: 'x'",
		"ready --timeout -1s":                     "--timeout -1s is negative",
		"wait --timeout -1s x":                    "--timeout -1s is negative",
		"top --count -1":                          "--count -1 is negative",
		"callers --limit -1":                      "--limit -1 is negative",
		"groups g":                                "--weight is missing: say which weight to give, 1 to 1000",
		"groups g --weight 0":                     "--weight 0 is not between 1 and 1000",
		"keys add":                                `--role: "" is not a role: write caller, viewer or operator`,
	} {
		line := strings.Fields(args)
		if line[0] == "serve" && !strings.Contains(args, "--data") {
			line = append(line, "--data", dir+"/data")
		}
		if line[0] == "serve" && !strings.Contains(args, "--http") {
			line = append(line, "--http", "127.0.0.1:0")
		}
		status, _, err := execute(t, "", line...)
		if status != exitUsage || !strings.Contains(err, want) || strings.Contains(err, "strconv") || strings.Contains(err, "msg=memory") {
			t.Errorf("%s: status %d, want %q:\n%s", args, status, want, err)
		}
	}
}

// TestChangesAreTyped: a variable that is set for other commands gives no key its callers,
// and what keys and groups get has none.
func TestChangesAreTyped(t *testing.T) {
	t.Setenv("FAIRFACTOR_CALLER", "alice")
	dir := t.TempDir()
	if status, _, err := execute(t, "", "keys", "add", "--data", dir, "--role", "operator"); status != exitDone {
		t.Errorf("an operator's key: status %d, %s", status, err)
	}
	if status, _, err := execute(t, "", "keys", "add", "--data", dir, "--role", "caller"); status != exitUsage || !strings.Contains(err, "pattern of callers") {
		t.Errorf("a caller's key without a pattern: status %d, %s", status, err)
	}
	for _, name := range []string{"ROLE", "GROUP", "WEIGHT"} {
		t.Setenv("FAIRFACTOR_"+name, "g")
		if status, _, err := execute(t, "", "factor", "15"); status != exitUsage || !strings.Contains(err, "FAIRFACTOR_"+name+" belongs to no flag") {
			t.Errorf("%s: status %d, %s", name, status, err)
		}
		t.Setenv("FAIRFACTOR_"+name, "")
	}
}

// TestExamplesRun: what the help shows as examples can be copied into a shell as it is.
func TestExamplesRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the examples are for a Unix shell")
	}
	p := serve(t, t.TempDir())
	dir := t.TempDir()
	for name, text := range map[string]string{
		"fairfactor":       "#!/bin/sh\nexec env " + asProgram + "=1 '" + os.Args[0] + "' \"$@\"\n",
		"numbers.txt":      "15 91\n2^67-1\n",
		"factors.txt":      "15: 3 5\n",
		"certificates.txt": "15: 3 5\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p.wait(p.submit("nightly", "15").ID) // some examples are about a caller that exists
	ran := 0
	for _, cmd := range allCommands(newRoot(streams{})) {
		for line := range strings.Lines(cmd.Example) {
			if line = strings.TrimSpace(line); slices.ContainsFunc(noExample, func(part string) bool { return strings.Contains(line, part) }) {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			shell := exec.CommandContext(ctx, "sh", "-c", line)
			shell.Dir, shell.WaitDelay = dir, time.Second
			shell.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "FAIRFACTOR_URL="+p.url)
			if out, err := shell.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%.500s", line, err, out)
			}
			cancel()
			ran++
		}
	}
	if ran < 40 {
		t.Errorf("only %d examples ran", ran)
	}
}

// noExample are parts of examples that can't be run as they are: they need a job or key
// that does not exist, go on until they are interrupted, or need other programs.
var noExample = []string{"serve", "bmx1rhz2q4", "fairfactor keys", "ff_...", "fairfactor events", "--follow", "fairfactor top", "/usr/local", "gp -q", "factor $(", "1000000 1100000"}

// helpWidth is the most columns of a line that help has written by hand.
const helpWidth = 88

// TestHelpIsFilled: paragraphs of help fit a terminal, and no line of them ends where
// the first word of the next one had room.
func TestHelpIsFilled(t *testing.T) {
	root := newRoot(streams{})
	for _, cmd := range append(allCommands(root), root) {
		if cmd.Name() == "help" || cmd.Parent() != nil && cmd.Parent().Name() == "completion" || cmd.Name() == "completion" {
			continue // the library's
		}
		for _, fault := range unfilled(cmd.Long) {
			t.Errorf("%s: %s", cmd.CommandPath(), fault)
		}
	}
	for text, want := range map[string]int{
		"one two\nthree":                          1,
		strings.Repeat("x", 75) + "\nthree four":  0,
		strings.Repeat("x", 89):                   1,
		"one\n\ntwo":                              0,
		"    0  done\n    1  error\n\nplain text": 0,
	} {
		if got := unfilled(text); len(got) != want {
			t.Errorf("%q: %v, want %d faults", text, got, want)
		}
	}
}

// unfilled finds lines of help that are too long, or too short for what follows. Lines
// that are indented stand as they are.
func unfilled(text string) (faults []string) {
	const least = 78 // columns that a line fills if the next word allows it
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if len(line) > helpWidth {
			faults = append(faults, "too long: "+line)
		}
		if line == "" || line[0] == ' ' || i+1 == len(lines) || lines[i+1] == "" || lines[i+1][0] == ' ' {
			continue
		}
		if word, _, _ := strings.Cut(lines[i+1], " "); len(line)+1+len(word) < least {
			faults = append(faults, "too short: "+line)
		}
	}
	return faults
}
