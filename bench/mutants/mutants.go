// Package mutants shows that tests notice: it makes small faults in the source, one
// at a time, and runs the test that must find each.
//
// The faults are in list.go. They are made in a copy that only the compiler sees
// (go's -overlay), so the checkout is not touched. TestList holds that each fault
// still has its place; start reading at [Mutants.Measure].
package mutants

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"fairfactor/bench/internal/command"
)

// Mutant is a fault and the test that must fail because of it.
type Mutant struct {
	Name string // what is wrong, in words
	File string // from the root of the module
	Old  string // occurs once in the file
	New  string // stands in its place
	Pkg  string // folder of the test
	Run  string // pattern of the test's name
}

// Study is `bench mutants`.
var Study = command.Study{
	Name:    "mutants",
	Summary: "small faults in the source: does a test find each of them?",
	Limit:   time.Hour,
	Help: `Runs the tests that are to find the faults, which must pass; then makes one fault
after the other in a copy of the source and runs its test, which must fail. A fault that
does not compile, or whose test fails for lack of time only, was not found. The status
is 1 if a fault was not found.`,
	Prepare: func(f *flag.FlagSet) command.Inquiry {
		m := &Mutants{list: List}
		f.StringVar(&m.only, "only", "", "make the faults only whose name, file or test matches this `pattern`")
		f.DurationVar(&m.each, "each", 3*time.Minute, "give up one test after this time; a busy machine may need more")
		return m
	},
}

// Mutants is a run of the study, and what came of it.
type Mutants struct {
	Verdicts []Verdict `json:"verdicts"`

	list []Mutant
	only string
	each time.Duration // bounds one test, which takes seconds
	root string
}

// Verdict says what became of one fault.
type Verdict struct {
	Name  string  `json:"name"`
	Test  string  `json:"test"`
	Found bool    `json:"found"`
	How   string  `json:"how"` // the first line that says why the test failed, or what went wrong instead
	Took  float64 `json:"took_s"`
}

// Measure implements [command.Inquiry].
func (m *Mutants) Measure(ctx context.Context, _ uint64, progress io.Writer) (err error) {
	if m.root, err = root(ctx); err != nil {
		return err
	}
	list, err := m.chosen()
	if err != nil {
		return err
	}
	if err := m.sound(ctx, list, progress); err != nil {
		return err
	}
	survived := 0
	for i, mutant := range list {
		v, err := m.try(ctx, mutant)
		if err != nil {
			return err
		}
		m.Verdicts = append(m.Verdicts, v)
		word := "found"
		if !v.Found {
			survived++
			word = "NOT FOUND"
		}
		fmt.Fprintf(progress, "bench:   %d of %d, %s: %s by %s: %s\n", i+1, len(list), v.Name, word, v.Test, v.How)
	}
	if survived > 0 {
		return fmt.Errorf("%d of %d faults were not found", survived, len(list))
	}
	return nil
}

// Print implements [command.Inquiry].
func (m *Mutants) Print(out io.Writer) {
	found := 0
	for _, v := range m.Verdicts {
		if v.Found {
			found++
		} else {
			fmt.Fprintf(out, "not found: %s (%s): %s\n", v.Name, v.Test, v.How)
		}
	}
	fmt.Fprintf(out, "%d of %d faults were found\n", found, len(m.Verdicts))
}

// root is the folder of the module.
func root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("the module is not found: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

func (m *Mutants) chosen() ([]Mutant, error) {
	pattern, err := regexp.Compile(m.only)
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(slices.Clone(m.list), func(u Mutant) bool {
		return !pattern.MatchString(u.Name + "\n" + u.File + "\n" + u.test())
	})
	if len(list) == 0 {
		return nil, fmt.Errorf("no fault matches %q", m.only)
	}
	return list, nil
}

func (u *Mutant) test() string { return u.Pkg + " " + u.Run }

// sound runs the tests without any fault.
func (m *Mutants) sound(ctx context.Context, list []Mutant, progress io.Writer) error {
	ran := map[string]bool{}
	for _, u := range list {
		if ran[u.test()] {
			continue
		}
		ran[u.test()] = true
		out, err := m.goTest(ctx, u)
		if err != nil {
			return fmt.Errorf("%s fails without a fault: %w\n%s", u.test(), err, out)
		}
		if strings.Contains(out, "no tests to run") {
			return fmt.Errorf("%s: there is no such test", u.test())
		}
	}
	fmt.Fprintf(progress, "bench:   %d tests pass without a fault\n", len(ran))
	return nil
}

func (m *Mutants) goTest(ctx context.Context, u Mutant, more ...string) (string, error) {
	args := append([]string{"test", "-run", u.Run, "-timeout", m.each.String()}, more...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+u.Pkg)...)
	cmd.Dir = m.root
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), errors.Join(err, ctx.Err())
}

// try makes a fault and runs its test.
func (m *Mutants) try(ctx context.Context, u Mutant) (v Verdict, err error) {
	dir, err := os.MkdirTemp("", "fairfactor-mutant-")
	if err != nil {
		return v, err
	}
	defer os.RemoveAll(dir)
	overlay, err := u.overlay(m.root, dir)
	if err != nil {
		return v, err
	}
	began := time.Now()
	out, err := m.goTest(ctx, u, "-count=1", "-overlay="+overlay)
	if ctx.Err() != nil {
		return v, ctx.Err()
	}
	v = Verdict{Name: u.Name, Test: u.test(), Took: time.Since(began).Seconds()}
	v.Found, v.How = judge(out, err)
	return v, nil
}

// overlay writes the source with the fault, and tells go to read it.
func (u *Mutant) overlay(root, dir string) (string, error) {
	path := filepath.Join(root, filepath.FromSlash(u.File))
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), u.Old); n != 1 {
		return "", fmt.Errorf("%s: %s has the text %d times, not once: %s", u.Name, u.File, n, u.Old)
	}
	faulty := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(faulty, []byte(strings.Replace(string(text), u.Old, u.New, 1)), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {path: faulty}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, replace, 0o600)
}

// judge says whether a test found a fault, and how.
func judge(out string, err error) (found bool, how string) {
	switch {
	case err == nil:
		return false, "the test passes"
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return false, "it does not compile: " + line(out, ".go:")
	case strings.Contains(out, "panic: test timed out"):
		return false, "the test hangs"
	case strings.Contains(out, "panic: ") || strings.Contains(out, "fatal error: "):
		return true, line(out, "panic: ", "fatal error: ")
	case strings.Contains(out, "--- FAIL: "):
		return true, line(out, "_test.go:", ".go:", "--- FAIL: ")
	}
	return false, "the test did not run: " + strings.TrimSpace(out)
}

// line is the first line with the first of the marks that there is, cut to a width.
func line(out string, marks ...string) string {
	for _, mark := range marks {
		for text := range strings.Lines(out) {
			if strings.Contains(text, mark) {
				text = strings.TrimSpace(text)
				return text[:min(len(text), 160)]
			}
		}
	}
	return ""
}
