package mutants

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestList keeps the list true: each fault has its place in the source, once, is a
// change, is Go, and names a test that exists.
func TestList(t *testing.T) {
	if len(List) < 40 {
		t.Errorf("%d faults", len(List))
	}
	names := map[string]bool{}
	for _, u := range List {
		if names[u.Name] {
			t.Errorf("two faults are called %q", u.Name)
		}
		names[u.Name] = true
		text, err := os.ReadFile(filepath.Join("../..", u.File))
		if err != nil {
			t.Error(err)
			continue
		}
		if n := strings.Count(string(text), u.Old); n != 1 || u.Old == u.New {
			t.Errorf("%s: %s has the text %d times, want once: %s", u.Name, u.File, n, u.Old)
			continue
		}
		faulty := strings.Replace(string(text), u.Old, u.New, 1)
		if _, err := parser.ParseFile(token.NewFileSet(), u.File, faulty, 0); err != nil {
			t.Errorf("%s: %v", u.Name, err)
		}
		if !hasTest(t, u) {
			t.Errorf("%s: there is no test %s", u.Name, u.test())
		}
	}
}

// TestListCompiles makes all faults at once, but for those in each other's place, which come
// after: a fault that does not compile is found by no test.
func TestListCompiles(t *testing.T) {
	for rest := List; len(rest) > 0; {
		texts := map[string]string{}
		var later []Mutant
		for _, u := range rest {
			text, ok := texts[u.File]
			if !ok {
				source, err := os.ReadFile(filepath.Join("../..", u.File))
				if err != nil {
					t.Fatal(err)
				}
				text = string(source)
			}
			if strings.Count(text, u.Old) != 1 {
				later = append(later, u)
				continue
			}
			texts[u.File] = strings.Replace(text, u.Old, u.New, 1)
		}
		if len(later) == len(rest) {
			t.Fatalf("%d faults have no place, such as: %s", len(later), later[0].Name)
		}
		compile(t, texts)
		rest = later
	}
}

// compile compiles the packages of files that have other texts.
func compile(t *testing.T, texts map[string]string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir, replace, packages := t.TempDir(), map[string]string{}, map[string]bool{}
	for file, text := range texts {
		faulty := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(faulty, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, filepath.FromSlash(file))] = faulty
		packages["./"+path.Dir(file)] = true
	}
	overlay := filepath.Join(dir, "overlay.json")
	content, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		err = os.WriteFile(overlay, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"build", "-overlay", overlay}, slices.Sorted(maps.Keys(packages))...)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("not all faults compile: %v\n%s", err, out)
	}
}

var testName = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// hasTest reports whether a fault's pattern matches the name of one test or more.
func hasTest(t *testing.T, u Mutant) bool {
	t.Helper()
	top, _, _ := strings.Cut(u.Run, "/")
	pattern := regexp.MustCompile(top)
	files, err := filepath.Glob(filepath.Join("../..", u.Pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testName.FindAllStringSubmatch(string(text), -1) {
			if pattern.MatchString(m[1]) {
				return true
			}
		}
	}
	return false
}

// TestJudge: only a test that ran and failed has found a fault.
func TestJudge(t *testing.T) {
	failed := errors.New("exit status 1")
	for out, want := range map[string]bool{
		"--- FAIL: TestX (0.00s)\n    x_test.go:3: got 1\nFAIL":                       true,
		"panic: runtime error\n\ngoroutine 1":                                         true,
		"# fairfactor/x\n./x.go:3:1: undefined: y\nFAIL\tfairfactor/x [build failed]": false,
		"panic: test timed out after 3m0s":                                            false,
		"go: no such package":                                                         false,
	} {
		if found, how := judge(out, failed); found != want || how == "" {
			t.Errorf("%q: %t, %s", out, found, how)
		}
	}
	if found, _ := judge("ok", nil); found {
		t.Error("a test that passes has found a fault")
	}
}

// TestTwoFaults makes one fault that its test finds and one that it does not.
func TestTwoFaults(t *testing.T) {
	base := Mutant{
		Name: "a short cursor", File: "store/rules/row.go", Old: "return t.UTC().Truncate(time.Microsecond)",
		Pkg: "store/rules", Run: "TestRow",
	}
	bad, same := base, base
	bad.New, same.New = "return t.UTC().Truncate(time.Hour)", "return t.Truncate(time.Microsecond).UTC()"
	m := &Mutants{list: []Mutant{bad, same}, each: time.Minute}
	var said strings.Builder
	err := m.Measure(t.Context(), 1, &said)
	if err == nil || len(m.Verdicts) != 2 || !m.Verdicts[0].Found || m.Verdicts[1].Found {
		t.Errorf("%v, %+v\n%s", err, m.Verdicts, said.String())
	}
}
