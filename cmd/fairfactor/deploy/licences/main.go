// Command licences says under which licences a program's modules are, for .ci/dist. It
// writes the text of each licence to a file, as most of them ask of those who pass
// a program on, and the SPDX expression of each to a CycloneDX bill of materials. It reads
// the modules from the program and the texts from the module cache, and fails if a module
// has no licence that it knows.
package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 3 && len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: licences PROGRAM TEXTS [BILL]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// run writes the texts of the licences of a program's modules to one file, and what they
// are into bills of materials.
func run(program, texts string, bills []string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	modules, err := modulesOf(info.Deps)
	if err != nil {
		return err
	}
	if err := os.WriteFile(texts, allTexts(modules), 0o644); err != nil {
		return err
	}
	own, err := os.ReadFile("LICENSE")
	if err != nil {
		return err
	}
	for _, bill := range bills {
		raw, err := os.ReadFile(bill)
		if err != nil {
			return err
		}
		if raw, err = correct(raw, spdx(string(own)), modules); err != nil {
			return err
		}
		if err := os.WriteFile(bill, raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// module is what a program contains.
type module struct {
	path, version string
	licence       string // SPDX expression
	text          string // of all files that speak of it
}

// modulesOf finds the licences of modules, and of Go's own library.
func modulesOf(deps []*debug.Module) ([]module, error) {
	var all []module
	for _, d := range deps {
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", d.Path).Output()
		if err != nil {
			return nil, fmt.Errorf("go list -m %s: %w", d.Path, err)
		}
		m, err := read(d.Path, d.Version, strings.TrimSpace(string(out)))
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	root, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, err
	}
	folder, version, _ := strings.Cut(strings.TrimSpace(string(root)), "\n")
	m, err := read("std", version, folder)
	return append(all, m), err
}

// licenceFile are the names of files that have to be passed on with a program.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|copyright)([.-].*)?$`)

// read finds the licence of a module in its folder.
func read(path, version, folder string) (module, error) {
	m := module{path: path, version: version}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return m, err
	}
	var texts []string
	for _, e := range entries {
		if !licenceFile.MatchString(e.Name()) || e.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return m, err
		}
		texts = append(texts, strings.TrimSpace(string(text)))
	}
	m.text = strings.Join(texts, "\n\n")
	if m.licence = spdx(m.text); m.licence == "" {
		return m, fmt.Errorf("%s %s has no licence that is known here: look at %s", path, version, folder)
	}
	return m, nil
}

// signs are sentences that only one licence has; a text may have several licences, each
// of a part of the module.
var signs = []struct{ id, sentence string }{
	{"Apache-2.0", "Apache License Version 2.0, January 2004"},
	{"Apache-2.0", "Licensed under the Apache License, Version 2.0"},
	{"BSD-3-Clause", "may be used to endorse or promote products derived from this software without specific prior written permission"},
	{"BSD-2-Clause", "Redistribution and use in source and binary forms, with or without modification, are permitted"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted"},
	{"ISC", "Permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"MPL-2.0", "Mozilla Public License, version 2.0"},
	{"MPL-2.0", "Mozilla Public License Version 2.0"},
}

// space is what lies between the words of a licence, whatever its lines begin with.
var space = regexp.MustCompile(`[\s#*/>]+`)

// spdx returns the expression for the licences in a text, empty if it knows none. Of the
// licences with two and with three clauses, which begin alike, it counts how often each begins.
func spdx(text string) string {
	words := strings.ToLower(space.ReplaceAllString(text, " "))
	has := map[string]int{}
	for _, s := range signs {
		has[s.id] += strings.Count(words, strings.ToLower(s.sentence))
	}
	has["BSD-2-Clause"] -= has["BSD-3-Clause"]
	var ids []string
	for id, n := range has {
		if n > 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, " AND ")
}

// allTexts is the file that goes with the program.
func allTexts(modules []module) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "fairfactor contains these modules, each under the licence that follows its name.\n")
	for _, m := range modules {
		fmt.Fprintf(&b, "\n%s\n%s %s, %s\n%[1]s\n\n%[5]s\n", strings.Repeat("-", 80), m.path, m.version, m.licence, m.text)
	}
	return b.Bytes()
}

// correct puts the licences into a bill of materials, in place of those that were guessed.
func correct(bill []byte, own string, modules []module) ([]byte, error) {
	var b map[string]any
	if err := json.Unmarshal(bill, &b); err != nil {
		return nil, err
	}
	put := func(component any, licence string) bool {
		c, ok := component.(map[string]any)
		if !ok {
			return false
		}
		delete(c, "evidence")
		c["licenses"] = []any{map[string]any{"expression": licence}}
		return true
	}
	metadata, _ := b["metadata"].(map[string]any)
	if !put(metadata["component"], own) {
		return nil, fmt.Errorf("the bill of materials names no program")
	}
	components, _ := b["components"].([]any)
	for _, c := range components {
		named, _ := c.(map[string]any)
		name, _ := named["name"].(string)
		i := slices.IndexFunc(modules, func(m module) bool { return m.path == name })
		if i < 0 || !put(c, modules[i].licence) {
			return nil, fmt.Errorf("the bill of materials has %q, which the program does not contain", name)
		}
	}
	if len(components) != len(modules) {
		return nil, fmt.Errorf("the bill of materials has %d modules, the program %d", len(components), len(modules))
	}
	out, err := json.MarshalIndent(b, "", "  ")
	return append(out, '\n'), err
}
