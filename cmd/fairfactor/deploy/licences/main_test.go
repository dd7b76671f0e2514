package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// TestEveryModuleHasALicence: each module that the program is made of, on each platform that
// is released, has a licence that is known, and its text is passed on.
func TestEveryModuleHasALicence(t *testing.T) {
	t.Chdir("../../../..")
	seen := map[string]bool{}
	var deps []*debug.Module
	for _, os := range []string{"linux", "darwin", "windows"} {
		list := exec.Command("go", "list", "-deps", "-tags", "grpcnotrace", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "./cmd/fairfactor")
		list.Env = append(list.Environ(), "GOOS="+os, "CGO_ENABLED=0")
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			if path, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !seen[path] {
				seen[path] = true
				deps = append(deps, &debug.Module{Path: path, Version: version})
			}
		}
	}
	modules, err := modulesOf(deps)
	if err != nil || len(modules) != len(deps)+1 || len(deps) < 50 {
		t.Fatalf("%d modules of %d, %v", len(modules), len(deps), err)
	}
	texts := string(allTexts(modules))
	for _, want := range []string{"Copyright 2009 The Go Authors", "THE SOFTWARE IS PROVIDED", "Mozilla Public License"} {
		if !strings.Contains(strings.ToLower(texts), strings.ToLower(want)) {
			t.Errorf("the texts lack %q", want)
		}
	}
	for _, m := range modules {
		if len(m.text) < 300 || !strings.Contains(texts, "\n"+m.path+" "+m.version+", "+m.licence+"\n") || !strings.Contains(texts, m.text) {
			t.Errorf("%s: %s, a text of %d bytes", m.path, m.licence, len(m.text))
		}
	}
}

// TestLicencesAreRecognised: by what they say, however their lines are broken.
func TestLicencesAreRecognised(t *testing.T) {
	const bsd = "Redistribution and use in source\n// and binary forms, with or without modification, are permitted provided that"
	const third = "Neither the name of X nor its contributors may be used to endorse or promote\n> products derived from this software without specific prior written permission."
	const mit = "Permission is hereby granted, free of charge, to any\nperson obtaining a copy of this software"
	for text, want := range map[string]string{
		bsd:               "BSD-2-Clause",
		bsd + third:       "BSD-3-Clause",
		bsd + third + bsd: "BSD-2-Clause AND BSD-3-Clause",
		mit:               "MIT",
		"Apache License\n   Version 2.0, January 2004" + mit: "Apache-2.0 AND MIT",
		"Mozilla Public License, version 2.0":                "MPL-2.0",
		"All rights reserved.":                               "",
		"GNU GENERAL PUBLIC LICENSE Version 3":               "",
	} {
		if got := spdx(text); got != want {
			t.Errorf("%.60q: %q, want %q", text, got, want)
		}
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "LICENSE"), []byte("All rights reserved."), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := read("example.com/x", "v1", folder); err == nil || !strings.Contains(err.Error(), "example.com/x v1 has no licence") {
		t.Errorf("a module without a licence: %v", err)
	}
}

// TestBillsAreCorrected: what was guessed goes, and a bill of another program is refused.
func TestBillsAreCorrected(t *testing.T) {
	bill := `{"bomFormat":"CycloneDX","metadata":{"component":{"name":"fairfactor"}},"components":[
		{"name":"example.com/a","evidence":{"licenses":[{"license":{"id":"0BSD"}}]}},{"name":"std"}]}`
	modules := []module{{path: "example.com/a", licence: "BSD-3-Clause"}, {path: "std", licence: "BSD-3-Clause AND MIT"}}
	raw, err := correct([]byte(bill), "Apache-2.0", modules)
	if err != nil {
		t.Fatal(err)
	}
	type component struct {
		Evidence any
		Licenses []struct{ Expression string }
	}
	var got struct {
		BomFormat  string
		Metadata   struct{ Component component }
		Components []component
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"Apache-2.0", "BSD-3-Clause", "BSD-3-Clause AND MIT"} {
		c := append([]component{got.Metadata.Component}, got.Components...)[i]
		if len(c.Licenses) != 1 || c.Licenses[0].Expression != want || c.Evidence != nil || got.BomFormat != "CycloneDX" {
			t.Errorf("component %d: %+v, want %s", i, c, want)
		}
	}
	for _, other := range [][]module{modules[:1], append(modules, module{path: "example.com/b"})} {
		if _, err := correct([]byte(bill), "Apache-2.0", other); err == nil {
			t.Errorf("a bill of two modules is right for %d", len(other))
		}
	}
}
