package http_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestPageIsSelfContained: nothing comes from elsewhere, and no text becomes markup.
func TestPageIsSelfContained(t *testing.T) {
	for name, text := range pageTexts(t) {
		for _, forbidden := range []string{"https://", "//cdn", "url(", "@import", "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "style=", "onclick=", "<style", "<script>"} {
			if strings.Contains(text, forbidden) {
				t.Errorf("%s has %q", name, forbidden)
			}
		}
		if without := strings.ReplaceAll(text, "http://www.w3.org/2000/svg", ""); strings.Contains(without, "http://") {
			t.Errorf("%s has an address of another site", name)
		}
	}
}

// pageTexts are the files of the page as the server gives them.
func pageTexts(t *testing.T) map[string]string {
	t.Helper()
	s := start(t)
	texts := map[string]string{}
	entries, err := os.ReadDir("page")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		a := s.do("GET", "/page/"+e.Name(), "")
		media, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
		want := map[string]string{"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "html": "text/html"}[e.Name()[strings.LastIndexByte(e.Name(), '.')+1:]]
		if a.status != 200 || media != want || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", e.Name(), a.status, a.header)
		}
		texts[e.Name()] = a.body
	}
	return texts
}

// TestPageFiles: the document names each module, so that all come at once and not one
// after the other; browsers ask whether theirs is still right.
func TestPageFiles(t *testing.T) {
	s := start(t)
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:href|src)="page/([^"]+)"`).FindAllStringSubmatch(s.do("GET", "/", "").body, -1) {
		named[m[1]] = true
	}
	for name := range pageTexts(t) {
		if !named[name] && name != "index.html" {
			t.Errorf("the document does not name %s", name)
		}
	}
	for _, path := range []string{"/", "/page/app.js"} {
		tag := s.do("GET", path, "").header.Get("Etag")
		if a := s.do("GET", path, "", "If-None-Match: "+tag); tag == "" || a.status != 304 || a.body != "" || a.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	s.do("GET", "/page/nothing.js", "").problem(t, "no such file", 404, "not-found")
	s.do("GET", "/page/..%2fpage.go", "").problem(t, "a file of the program", 404, "not-found")
	policy := s.do("GET", "/", "").header.Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "script-src 'self'") || !strings.Contains(policy, "require-trusted-types-for 'script'") {
		t.Errorf("the policy of the page: %s", policy)
	}
}

// TestPageContrast holds the colours against both backgrounds, light and dark: text needs
// 4.5 to 1 (WCAG 2.2, 1.4.3), lines of charts 3 to 1 (1.4.11).
func TestPageContrast(t *testing.T) {
	schemes := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(pageTexts(t)["style.css"], -1)
	if len(schemes) != 2 {
		t.Fatalf("%d colour schemes", len(schemes))
	}
	for i, scheme := range schemes {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{3,6});`).FindAllStringSubmatch(scheme[1], -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		contrast := func(text, ground string, least float64) {
			a, okA := colours[text]
			b, okB := colours[ground]
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); !okA || !okB || ratio < least {
				t.Errorf("scheme %d: %s on %s has the contrast %.2f", i, text, ground, ratio)
			}
		}
		contrast("on-accent", "accent", 4.5)
		for _, text := range []string{"ink", "soft", "accent", "good", "warm", "bad", "run"} {
			contrast(text, "paper", 4.5)
			contrast(text, "sheet", 4.5)
		}
		contrast("ink", "track", 4.5)
		contrast("soft", "track", 4.5)
		for _, line := range []string{"c-a", "c-b", "c-c", "c-d", "c-e", "c-f"} {
			contrast(line, "sheet", 3)
		}
	}
}

// luminance is the relative luminance of a colour (WCAG 2.2, definitions).
func luminance(t *testing.T, hex string) (sum float64) {
	t.Helper()
	if len(hex) == 3 {
		hex = fmt.Sprintf("%c%c%c%c%c%c", hex[0], hex[0], hex[1], hex[1], hex[2], hex[2])
	}
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
