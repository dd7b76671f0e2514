package fairfactor_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayImport is the project's import law: which of its own packages each part
// may import, itself and its subfolders always included.
var mayImport = map[string][]string{
	"fairfactor":                   {},
	"fairfactor/factor":            {},
	"fairfactor/actors":            {"fairfactor", "fairfactor/factor"},
	"fairfactor/cluster":           {"fairfactor"},
	"fairfactor/http":              {"fairfactor", "fairfactor/factor/expression"},
	"fairfactor/store":             {"fairfactor"},
	"fairfactor/store/membership":  {"fairfactor"},
	"fairfactor/store/rules":       {"fairfactor"},
	"fairfactor/cmd":               nil, // wires everything
	"fairfactor/bench":             nil,
	"fairfactor/factor/expression": {},
	"fairfactor/actors/caller":     {"fairfactor", "fairfactor/actors/backlog", "fairfactor/actors/share"},
	"fairfactor/actors/commit":     {"fairfactor"},
	"fairfactor/actors/fair":       {},
	"fairfactor/actors/flight":     {"fairfactor"},
	"fairfactor/actors/share":      {},
	"fairfactor/actors/memory":     {},
	"fairfactor/actors/dispatch":   {"fairfactor/actors/fair"},
	"fairfactor/actors/backlog":    {"fairfactor", "fairfactor/factor"},
	"fairfactor/actors/sim":        {"fairfactor", "fairfactor/factor", "fairfactor/actors", "fairfactor/actors/commit", "fairfactor/store/memory"},
}

// standardOnly are the parts that import nothing from outside the standard
// library and the project; pure ones may not even do I/O. Clockless ones are told
// what time it is: what they do depends on their input alone.
var (
	standardOnly = []string{"fairfactor", "fairfactor/factor", "fairfactor/factor/expression", "fairfactor/actors/fair", "fairfactor/actors/share", "fairfactor/actors/dispatch", "fairfactor/actors/backlog", "fairfactor/store/membership", "fairfactor/store/rules"}
	pure         = []string{"fairfactor/factor/expression", "fairfactor/actors/fair", "fairfactor/actors/share", "fairfactor/actors/dispatch", "fairfactor/actors/backlog", "fairfactor/store/membership", "fairfactor/store/rules"}
	clockless    = append([]string{"fairfactor/actors/caller", "fairfactor/actors/commit"}, pure...)
	impure       = []string{"os", "net", "net/http", "log", "log/slog", "sync", "math/rand", "math/rand/v2"}
	clock        = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"} // in package time
)

type listedPackage struct {
	Dir        string
	ImportPath string
	GoFiles    []string
	Imports    []string
	Standard   bool
}

func TestImportLaw(t *testing.T) {
	packages := list(t, "./...")
	if len(packages) < 10 {
		t.Fatalf("only %d packages found", len(packages))
	}
	for _, p := range packages {
		part := partOf(p.ImportPath)
		allowed, known := mayImport[part]
		if !known {
			t.Errorf("%s is in no part of the layout", p.ImportPath)
			continue
		}
		if slices.Contains(clockless, part) {
			for _, name := range p.GoFiles {
				for _, call := range clockUses(t, filepath.Join(p.Dir, name), nil) {
					t.Errorf("%s uses %s, but must be told the time", filepath.Join(p.ImportPath, name), call)
				}
			}
		}
		for _, imported := range p.Imports {
			if !ours(imported) {
				if slices.Contains(standardOnly, part) && strings.Contains(imported, ".") {
					t.Errorf("%s imports %s, but may use the standard library only", p.ImportPath, imported)
				}
				if slices.Contains(pure, part) && slices.Contains(impure, imported) {
					t.Errorf("%s imports %s, but must be pure", p.ImportPath, imported)
				}
				continue
			}
			if allowed != nil && !(part != "fairfactor" && within(imported, part)) && !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s, which the layout forbids", p.ImportPath, imported)
			}
		}
	}
}

// The program contains nothing of the benchmarks, nor what only they need.
func TestProgramWithoutBench(t *testing.T) {
	deps, err := exec.Command("go", "list", "-deps", "./cmd/fairfactor").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for name := range strings.Lines(string(deps)) {
		if strings.Contains(name, "/bench/") || strings.Contains(name, "hanwen/go-fuse") || strings.Contains(name, "porcupine") {
			t.Errorf("cmd/fairfactor contains %s", strings.TrimSpace(name))
		}
		found++
	}
	if found < 100 {
		t.Errorf("only %d packages found", found)
	}
}

// clockUses finds what of package time reads the clock or starts a timer in a file,
// which is read from source if that is not nil.
func clockUses(t *testing.T, path string, source any) (uses []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains(clock, s.Sel.Name) {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
				uses = append(uses, "time."+s.Sel.Name)
			}
		}
		return true
	})
	return uses
}

func TestClockUses(t *testing.T) {
	const source = `package p
import "time"
var start, pause = time.Now(), time.Second
var later = time.AfterFunc
type host interface{ Now() time.Time }
func f(h host) time.Duration { return start.Sub(h.Now()) }
`
	if got := clockUses(t, "p.go", source); !slices.Equal(got, []string{"time.Now", "time.AfterFunc"}) {
		t.Errorf("clockUses finds %v", got)
	}
}

// list asks the go command for the packages that match a pattern.
func list(t *testing.T, pattern string) (packages []listedPackage) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,GoFiles,Imports,Standard", pattern)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// partOf is the longest part of the layout that a package lies in.
func partOf(path string) (part string) {
	if path == "fairfactor" {
		return path
	}
	for p := range mayImport {
		if p != "fairfactor" && within(path, p) && len(p) > len(part) {
			part = p
		}
	}
	return part
}

func ours(path string) bool { return within(path, "fairfactor") }

func within(path, part string) bool {
	return path == part || strings.HasPrefix(path, part+"/")
}

// A folder at the top is a part of the system; there is to be no other one.
func TestTopLevel(t *testing.T) {
	parts := []string{"actors", "bench", "cluster", "cmd", "docs", "factor", "http", "store", "testdata"}
	written := []string{"bin", "data", "dist"} // by make and by the program
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(parts, e.Name()) && !slices.Contains(written, e.Name()) {
			t.Errorf("%s is a folder at the top, but no part of the system", e.Name())
		}
	}
}

// Exported names say what they are: by a comment of their own, or by that of the group
// of declarations that they stand in.
func TestExportedNamesAreDocumented(t *testing.T) {
	names := 0
	for _, p := range list(t, "./...") {
		documented := false // the package
		for _, name := range p.GoFiles {
			if strings.HasSuffix(name, ".pb.go") {
				documented = true
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			documented = documented || file.Doc != nil
			for _, decl := range file.Decls {
				exported, bare := undocumented(decl)
				names += exported
				for _, b := range bare {
					t.Errorf("%s: %s has no comment", filepath.Join(p.ImportPath, name), b)
				}
			}
		}
		if !documented {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
	if names < 500 {
		t.Errorf("only %d exported names found", names)
	}
}

// undocumented counts the exported names of a declaration and returns those without a
// comment. Methods of types that are not exported are reached through interfaces, which
// say what they do.
func undocumented(decl ast.Decl) (exported int, bare []string) {
	check := func(name *ast.Ident, comments ...*ast.CommentGroup) {
		if !name.IsExported() {
			return
		}
		exported++
		if !slices.ContainsFunc(comments, func(c *ast.CommentGroup) bool { return c != nil }) {
			bare = append(bare, name.Name)
		}
	}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			check(d.Name, d.Doc)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				check(s.Name, d.Doc, s.Doc, s.Comment)
			case *ast.ValueSpec:
				for _, name := range s.Names {
					check(name, d.Doc, s.Doc, s.Comment)
				}
			}
		}
	}
	return exported, bare
}
