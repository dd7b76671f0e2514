package fairfactor_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents returns the pages that people read, by name. The changelog speaks of what
// was, so it is not among them.
func documents(t *testing.T) map[string]string {
	t.Helper()
	pages := make(map[string]string)
	for name, text := range readable(t) {
		if strings.HasSuffix(name, ".md") && name != "CHANGELOG.md" && !strings.HasPrefix(name, ".github/") {
			pages[name] = text
		}
	}
	if len(pages) < 20 {
		t.Fatalf("only %d pages found", len(pages))
	}
	return pages
}

// source is all of the project's code in one text.
func source(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for name, text := range readable(t) {
		if strings.HasSuffix(name, ".go") {
			b.WriteString(text)
		}
	}
	return b.String()
}

var (
	inlineCode  = regexp.MustCompile("`[^`\n]+`")
	markdownURL = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading     = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	fence       = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Links lead somewhere, to the heading that they name too.
func TestDocumentsLink(t *testing.T) {
	pages := documents(t)
	links := 0
	for name, text := range pages {
		for _, link := range markdownURL.FindAllStringSubmatch(text, -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			links++
			file, anchor, _ := strings.Cut(link[1], "#")
			target := name
			if file != "" {
				target = path.Join(path.Dir(name), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, link[1])
			} else if anchor != "" && !slices.Contains(anchors(pages[target]), anchor) {
				t.Errorf("%s links to %s, and there is no such heading", name, link[1])
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links found", links)
	}
}

// anchors are what the headings of a page can be linked by.
func anchors(text string) (all []string) {
	for _, h := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		plain := notInAnchor.ReplaceAllString(strings.ToLower(h[1]), "")
		all = append(all, strings.ReplaceAll(strings.TrimSpace(plain), " ", "-"))
	}
	return all
}

// Tables are whole: a row that stands alone is shown as text.
func TestDocumentsHaveWholeTables(t *testing.T) {
	for name, text := range documents(t) {
		for _, row := range strayRows(text) {
			t.Errorf("%s has a row outside a table, or one with more or fewer columns: %.60s", name, row)
		}
	}
	if got := strayRows("| a | b |\n|---|---|\n| 1 | `x\\|y` |\n\n| 2 | 3 |\n"); len(got) != 1 {
		t.Errorf("one row stands alone, %q are found", got)
	}
}

// strayRows are rows that belong to no table, or do not fit theirs.
func strayRows(text string) (stray []string) {
	columns := 0 // of the table that a row is in, 0 outside
	lines := strings.Split(fence.ReplaceAllString(text, ""), "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if columns == 0 && i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|---") {
			columns = n
		}
		if n != columns {
			stray = append(stray, line)
		}
	}
	return stray
}

// What documents say by its name exists: tests, metrics, targets of make, files.
func TestDocumentsNameWhatExists(t *testing.T) {
	code := source(t)
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	has := func(text, pattern string) bool { return regexp.MustCompile(pattern).MatchString(text) }
	for name, text := range documents(t) {
		for _, test := range regexp.MustCompile(`\b(Test|Fuzz|Benchmark)[A-Z]\w+`).FindAllString(text, -1) {
			if !has(code, `func `+test+`\(`) {
				t.Errorf("%s names %s, which does not exist", name, test)
			}
		}
		for _, metric := range regexp.MustCompile(`\bfairfactor_[a-z_]+[a-z]\b`).FindAllString(text, -1) {
			if short := strings.TrimPrefix(metric, "fairfactor_"); !strings.Contains(code, `"`+metric+`"`) && !strings.Contains(code, `"`+short+`"`) {
				t.Errorf("%s names the metric %s, which does not exist", name, metric)
			}
		}
		for _, target := range regexp.MustCompile("(?m)(?:`|^\\$ )make ([a-z-]+)").FindAllStringSubmatch(text, -1) {
			if !has(string(makefile), `(?m)^`+target[1]+`:`) {
				t.Errorf("%s names make %s, which does not exist", name, target[1])
			}
		}
		for _, quoted := range inlineCode.FindAllString(text, -1) {
			if file := strings.Trim(quoted, "`"); isOurPath(file) && !exists(file, path.Dir(name)) {
				t.Errorf("%s names %s, which does not exist", name, file)
			}
		}
	}
}

// isOurPath reports whether a text in a document names a file or folder of the project.
func isOurPath(text string) bool {
	first, _, nested := strings.Cut(text, "/")
	return nested && !strings.ContainsAny(text, " *{}<>$@") && slices.Contains([]string{"actors", "bench", "cluster", "cmd", "docs", "factor", "http", "store", "testdata", ".ci"}, first)
}

// exists looks for a file or folder from the top, or from the folder of its page.
func exists(name, from string) bool {
	for _, dir := range []string{".", from} {
		if found, err := filepath.Glob(filepath.Join(dir, name)); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

// The code map shows each package, and no other ones.
func TestCodeMapIsComplete(t *testing.T) {
	text := documents(t)["docs/architecture.md"]
	_, rows, found := strings.Cut(text, "## Code map")
	if !found {
		t.Fatal("docs/architecture.md has no code map")
	}
	named := inlineCode.FindAllString(rows, -1)
	for _, p := range list(t, "./...") {
		folder := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, "fairfactor"), "/")
		base := path.Base(folder)
		parent := strings.Contains("/"+folder+"/", "/internal/") || strings.HasSuffix(base, "pb") && base != "actorspb"
		if folder == "" || parent || slices.ContainsFunc(named, func(n string) bool {
			n = strings.TrimSuffix(strings.Trim(n, "`"), "/")
			return n == folder || path.Dir(folder) == "store" && n == base
		}) {
			continue
		}
		t.Errorf("the code map of docs/architecture.md lacks %s", folder)
	}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+`) \\|").FindAllStringSubmatch(rows, -1) {
		for _, quoted := range inlineCode.FindAllString(row[1], -1) {
			if folder := strings.Trim(quoted, "`"); !exists(folder, ".") {
				t.Errorf("the code map of docs/architecture.md shows %s, which does not exist", folder)
			}
		}
	}
}
