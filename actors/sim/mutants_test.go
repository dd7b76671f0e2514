package sim_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	mutants = flag.Bool("mutants", false, "put each fault of testdata/mutants.txt into a copy of the source, and see that the simulation finds it")
	most    = flag.Int("most", 60_000, "with -mutants: seeds for each")
	only    = flag.String("only", "", "with -mutants: these, a regular expression of names")
)

// mutant is a fault in the source.
type mutant struct{ name, what, file, from, to string }

// readMutants reads testdata/mutants.txt.
func readMutants(t *testing.T) (all []mutant) {
	t.Helper()
	file, err := os.Open("testdata/mutants.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var m mutant
	var text *string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "end":
			m.from, m.to = strings.TrimSuffix(m.from, "\n"), strings.TrimSuffix(m.to, "\n")
			all, m, text = append(all, m), mutant{}, nil
		case line == "old":
			text = &m.from
		case line == "new":
			text = &m.to
		case text != nil:
			*text += line + "\n"
		case word == "name":
			m.name = rest
		case word == "what":
			m.what = rest
		case word == "file":
			m.file = rest
		case line != "" && word != "#":
			t.Fatalf("testdata/mutants.txt has the line %q", line)
		}
	}
	return all
}

// TestMutants is for make sim-mutants: it takes a minute for each three of them, and two for the rarest.
func TestMutants(t *testing.T) {
	all := readMutants(t)
	if len(all) < 8 {
		t.Fatalf("only %d mutants", len(all))
	}
	if !*mutants {
		compile(t, all)
		return
	}
	chosen := regexp.MustCompile(*only)
	tree := t.TempDir()
	copyTree(t, "../..", tree)
	fmt.Printf("%-34s %8s %8s  %s\n", "mutant", "seeds", "took", "found by")
	for _, m := range all {
		if chosen.MatchString(m.name) {
			m.try(t, tree)
		}
	}
}

// compile puts all mutants into the source at once, as only the compiler sees it, but for those
// in each other's place, which come after: what does not compile is found by no simulation.
func compile(t *testing.T, rest []mutant) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for len(rest) > 0 {
		dir, replace, packages := t.TempDir(), map[string]string{}, map[string]bool{}
		var later []mutant
		for _, m := range rest {
			place := filepath.Join(root, m.file)
			source, err := os.ReadFile(cmp.Or(replace[place], place))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(source), m.from) != 1 {
				later = append(later, m)
				continue
			}
			replace[place] = filepath.Join(dir, strings.ReplaceAll(m.file, "/", "_"))
			if err := os.WriteFile(replace[place], []byte(strings.Replace(string(source), m.from, m.to, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			packages["./"+path.Dir(m.file)] = true
		}
		if len(later) == len(rest) {
			t.Fatalf("%d mutants have no place, such as %s", len(later), later[0].name)
		}
		overlay := filepath.Join(dir, "overlay.json")
		text, err := json.Marshal(map[string]any{"Replace": replace})
		if err == nil {
			err = os.WriteFile(overlay, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"build", "-overlay", overlay}, slices.Sorted(maps.Keys(packages))...)...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("not all mutants compile: %v\n%s", err, out)
		}
		rest = later
	}
}

// try has the simulation look for a fault.
func (m mutant) try(t *testing.T, tree string) {
	path := filepath.Join(tree, m.file)
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.from); n != 1 {
		t.Errorf("%s: %s has its text %d times", m.name, m.file, n)
		return
	}
	changed := strings.Replace(string(source), m.from, m.to, 1)
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(path, source, 0o644)
	begin := time.Now()
	cmd := exec.Command("go", "test", "-count=1", "-vet=off", "./actors/sim", "-run", "TestSimulation", "-seeds", strconv.Itoa(*most), "-quick", "-v")
	cmd.Dir = tree
	out, err := cmd.CombinedOutput()
	took := time.Since(begin).Round(time.Second)
	found := regexp.MustCompile(`(?m)^\s*first: step [^:]*: (.*)$`).FindSubmatch(out)
	count := regexp.MustCompile(`(\d+) seeds,`).FindSubmatch(out)
	if err == nil || found == nil || count == nil {
		t.Errorf("%s (%s) survived: %.2000s", m.name, m.what, out)
		return
	}
	fmt.Printf("%-34s %8s %8v  %s\n", m.name, count[1], took, found[1])
}

// copyTree copies what the go command needs.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); name != "." && (base[0] == '.' || slices.Contains([]string{"bin", "data", "bench", "cmd", "docs"}, name)) {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}
