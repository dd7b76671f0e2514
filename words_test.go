package fairfactor_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// avoided are words and phrases for which plain English has a better one: next to
// or besides, again, at random, usually, no node or another member, and so on.
var avoided = regexp.MustCompile(`(?i)\b(beside|anew|by lot|as a rule|whoever|nobody|somebody|is none|of which|of whom)\b`)

// commentWidth is the most columns of a line of a Go comment, with tabs of four.
const commentWidth = 120

// The texts that people read keep to plain words, and comments to a width that fits
// a screen.
func TestWords(t *testing.T) {
	for name, text := range readable(t) {
		for _, at := range avoided.FindAllStringIndex(unwrapped(text), -1) {
			t.Errorf("%s has an avoided word: %s", name, around(unwrapped(text), at))
		}
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		for i, line := range strings.Split(text, "\n") {
			if tooWide(line) {
				t.Errorf("%s:%d: a comment of more than %d columns", name, i+1, commentWidth)
			}
		}
	}
}

// The rules of TestWords find what they are for, and nothing else.
func TestWordsAreFound(t *testing.T) {
	for text, want := range map[string]int{
		"a seat beside the road":                  1,
		"sit down besides":                        0,
		"Whoever comes":                           1,
		"drawn by\n\t// lot":                      1,
		"as\na rule, the sum of\n# whom":          2,
		"type nobodyKnows struct{}; nobody := 1":  1,
		"there is none. As a ruler, he renews it": 1,
	} {
		if got := len(avoided.FindAllString(unwrapped(text), -1)); got != want {
			t.Errorf("%q has %d avoided words, want %d", text, got, want)
		}
	}
	wide := strings.Repeat("x", commentWidth)
	for line, want := range map[string]bool{
		"// " + wide:                         true,
		"\t// " + wide[:commentWidth-7]:      false,
		"\t// " + wide[:commentWidth-6]:      true,
		"x := 1 // " + wide:                  false, // gofmt aligns these
		"// see https://example.com/" + wide: false,
	} {
		if got := tooWide(line); got != want {
			t.Errorf("tooWide(%q) is %v", line, got)
		}
	}
}

// readable returns the files of the project that people read, by name; not this
// one, which has the avoided words in it, and not generated ones.
func readable(t *testing.T) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if base := d.Name(); name != "." && (base[0] == '.' || base == "testdata" || base == "bin" || base == "data") {
				return fs.SkipDir
			}
			return nil
		case name == "words_test.go" || strings.HasSuffix(name, ".pb.go"):
			return nil
		case !slices.Contains([]string{".go", ".md", ".json", ".html", ".css", ".js", ".proto", ".yml"}, path.Ext(name)):
			return nil
		}
		text, err := os.ReadFile(name)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("only %d files found", len(files))
	}
	return files
}

// lineBreak is a line break with the mark of a comment on the next line.
var lineBreak = regexp.MustCompile(`\s*\n\s*(//|#|>)?\s*`)

// unwrapped returns a text in one line, so that a phrase is found across lines.
func unwrapped(text string) string { return lineBreak.ReplaceAllString(text, " ") }

// around returns what is at a place in a text, with some of what surrounds it.
func around(text string, at []int) string {
	return strings.ToValidUTF8(text[max(0, at[0]-40):min(len(text), at[1]+40)], "")
}

// tooWide tells whether a line is a comment and too wide. A line with a URL may be,
// because that can't be broken.
func tooWide(line string) bool {
	comment := strings.TrimLeft(line, "\t ")
	if !strings.HasPrefix(comment, "// ") || strings.Contains(comment, "://") {
		return false
	}
	return utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")) > commentWidth
}
