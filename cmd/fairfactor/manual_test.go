package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestManualPages: there is one for each command, and the help of this machine and
// another are the same.
func TestManualPages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1900000000")
	dir := filepath.Join(t.TempDir(), "man1")
	if status, out, err := execute(t, "", "man", dir); status != 0 || !strings.Contains(out, dir) {
		t.Fatalf("status %d, %q, %q", status, out, err)
	}
	page := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if root := page("fairfactor"); !strings.Contains(root, " 1 2030-03-17 ") || !strings.Contains(root, "4  timed out") {
		t.Errorf("fairfactor.1:\n%s", root)
	}
	for _, cmd := range newRoot(streams{}).Commands() {
		text := page("fairfactor-" + cmd.Name())
		for _, name := range flagNames(cmd) {
			if !strings.Contains(text, "\n.TP\n") || !strings.Contains(text, `\fB\-\-`+strings.ReplaceAll(name, "-", `\-`)+`\fR`) {
				t.Errorf("the page of %s lacks --%s", cmd.Name(), name)
			}
		}
		checkPage(t, cmd.Name(), text)
		if host := hostname(); len(host) > 4 && strings.Contains(text, host) {
			t.Errorf("the page of %s has the name of this machine", cmd.Name())
		}
	}
}

// checkPage finds what formatters of manual pages complain of.
func checkPage(t *testing.T, name, text string) {
	t.Helper()
	macros := []string{".TH", ".SH", ".PP", ".TP", ".B", ".BR", ".RS", ".RE", ".nf", ".fi"}
	for line := range strings.Lines(text) {
		macro, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(line, ".") && !slices.Contains(macros, macro) || strings.HasPrefix(line, "'") || strings.ContainsAny(line, "\t") || line == "\n" && !strings.Contains(text, ".nf") {
			t.Errorf("the page of %s has the line %q", name, line)
		}
	}
	if starts, ends := strings.Count(text, "\n.nf\n"), strings.Count(text, "\n.fi\n"); starts != ends {
		t.Errorf("the page of %s keeps lines %d times, and fills them again %d times", name, starts, ends)
	}
}

// TestRoff: text that looks like a macro or an escape is printed as it is.
func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		"--wait": `\-\-wait`, ".hidden": `\&.hidden`, "'quoted'": `\&'quoted'`, `C:\data`: `C:\edata`, "a\tb": "a    b",
	} {
		if got := roff(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	var b strings.Builder
	writeText(&b, "one\ntwo\n\n  kept\n\n  apart\n\nthree")
	if want := "one\ntwo\n.PP\n.RS 2\n.nf\nkept\n\napart\n\n.fi\n.RE\n.PP\nthree\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if status, _, err := execute(t, "", "man", t.TempDir()); status == 0 || !strings.Contains(err, "SOURCE_DATE_EPOCH") {
		t.Errorf("a date that is no number: %d, %s", status, err)
	}
}

// TestOperationsListsFlags: an operator finds each flag of serve in the table, with the
// default that it has.
func TestOperationsListsFlags(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	serve, _, err := newRoot(streams{}).Find([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{} // defaults by flag
	for _, row := range regexp.MustCompile("(?m)^\\| (`--[^|]*) \\| ([^|]*)\\|").FindAllStringSubmatch(string(text), -1) {
		defaults := strings.Split(row[2], ", ")
		for i, name := range regexp.MustCompile("`--([a-z-]+)`").FindAllStringSubmatch(row[1], -1) {
			rows[name[1]] = strings.Trim(strings.ReplaceAll(defaults[min(i, len(defaults)-1)], ",", ""), "` ")
		}
	}
	words := strings.NewReplacer(" us", "µs", " s", "s", " h", "h0m0s", " m", "m0s")
	serve.LocalFlags().VisitAll(func(f *pflag.Flag) {
		got, ok := rows[f.Name]
		want := strings.Trim(f.DefValue, "[]")
		switch described := strings.Contains(f.Usage, "(default "); {
		case f.Name == "help":
		case !ok:
			t.Errorf("docs/operations.md lacks --%s", f.Name)
		case described || f.Name == "advertise": // in words, which depend on the machine
			if got == "" {
				t.Errorf("docs/operations.md has no default of --%s", f.Name)
			}
		case want == "0s" && got == "0", words.Replace(got) == want:
		default:
			t.Errorf("docs/operations.md has the default %q of --%s, and it is %q", got, f.Name, want)
		}
	})
}

// TestDocumentsNameFlags: each command and flag that a page gives to the program exists, and
// the README has all commands.
func TestDocumentsNameFlags(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	decisions, err := filepath.Glob("../../docs/adr/*.md")
	if err != nil {
		t.Fatal(err)
	}
	root := newRoot(streams{})
	known := map[string]bool{}
	for _, cmd := range allCommands(root) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
	}
	flag := regexp.MustCompile("`--([a-z][a-z-]+)")
	line := regexp.MustCompile("(?m)(?:^\\$ |^|`|&& |\\| )fairfactor ([a-z]+)((?: [^\n`#|]*)?)")
	found := 0
	for _, path := range append(append(pages, decisions...), "../../README.md", "../../SECURITY.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range flag.FindAllStringSubmatch(string(text), -1) {
			if found++; !known[m[1]] && m[1] != "scale" { // of docker compose
				t.Errorf("%s names --%s, a flag of no command", path, m[1])
			}
		}
		for _, m := range line.FindAllStringSubmatch(string(text), -1) {
			cmd, rest, err := root.Find(strings.Fields(m[1] + m[2]))
			if err != nil || cmd == root {
				continue // prose, such as: fairfactor proves every prime
			}
			found++
			for _, word := range rest {
				name, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
				if strings.HasPrefix(word, "--") && cmd.Flags().Lookup(name) == nil && name != "help" {
					t.Errorf("%s gives --%s to %s, which has no such flag", path, name, cmd.Name())
				}
			}
		}
	}
	if found < 150 {
		t.Errorf("only %d flags and commands found", found)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "| verb | does |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, cmd := range append(root.Commands(), &cobra.Command{Use: "completion"}) {
		if !regexp.MustCompile("`" + cmd.Name() + "[ `]").MatchString(table) {
			t.Errorf("README.md has no row for %s", cmd.Name())
		}
	}
}

// TestHelpIsComplete: each command is in the list, each flag says what it does and
// how its variable is called, if it has one.
func TestHelpIsComplete(t *testing.T) {
	_, out, _ := execute(t, "", "--help")
	for _, name := range []string{"serve", "config", "factor", "verify", "submit", "get", "wait", "list", "export", "events", "cancel", "retry", "pause", "resume", "callers", "groups", "keys", "nodes", "top", "ready", "certs", "completion", "man", "version"} {
		if !strings.Contains(out, "\n  "+name+" ") {
			t.Errorf("the help lacks %s:\n%s", name, out)
		}
	}
	for _, cmd := range newRoot(streams{}).Commands() {
		_, out, _ := execute(t, "", cmd.Name(), "--help")
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(out, "--"+f.Name) || len(f.Usage) < 10 || strings.Contains(out, envName(f.Name)+"]") == isOnlyTyped(f) {
				t.Errorf("the help of %s does not say what --%s is", cmd.Name(), f.Name)
			}
		})
	}
}

// TestCompletion: shells get values, not only flags.
func TestCompletion(t *testing.T) {
	for args, want := range map[string]string{
		"__complete list --status ":   "cancelled\n",
		"__complete list -o ":         "wide\n",
		"__complete callers --sort q": "queued\n",
		"__complete gro":              "groups\t",
	} {
		words := strings.Split(args, " ")
		if status, out, err := execute(t, "", words...); status != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: status %d, %q, %q", args, status, out, err)
		}
	}
	if status, out, _ := execute(t, "", "completion", "bash"); status != 0 || !strings.Contains(out, "fairfactor") {
		t.Errorf("completion: status %d, %.100q", status, out)
	}
}
