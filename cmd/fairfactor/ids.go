package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"fairfactor"
)

// maxIDLine bounds a line of standard input that has an id in it: a job in JSON, with
// all its primes.
const maxIDLine = 1 << 20

// jobIDs returns the ids of a command line. - stands for standard input, whose lines are
// ids separated by white space, or objects with the member request_id, as submit -o
// json prints them. A text that is no id is handed to bad with the reason, in its turn.
func jobIDs(args []string, stdin io.Reader, bad func(text string, err error)) (ids []fairfactor.ID, err error) {
	add := func(text string) {
		id, err := fairfactor.ParseID(text)
		if err != nil {
			bad(text, err)
			return
		}
		ids = append(ids, id)
	}
	for _, arg := range args {
		if arg != stdinName {
			add(arg)
			continue
		}
		lines := bufio.NewScanner(stdin)
		lines.Buffer(nil, maxIDLine)
		for lines.Scan() {
			for _, text := range idsIn(lines.Text()) {
				add(text)
			}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
	}
	return ids, nil
}

// idsIn returns what stands for ids in a line.
func idsIn(line string) []string {
	if strings.HasPrefix(strings.TrimSpace(line), "{") {
		var object struct {
			ID string `json:"request_id"`
		}
		if json.Unmarshal([]byte(line), &object) == nil && object.ID != "" {
			return []string{object.ID}
		}
		return []string{line}
	}
	return strings.Fields(line)
}
