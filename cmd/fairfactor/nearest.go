package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// nearest returns the name that takes the fewest changes of a letter to make from
// a word, the first of several; empty if there are no names.
func nearest(word string, names []string) (best string) {
	least := -1
	for _, name := range names {
		if d := distance(word, name); least < 0 || d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace on the way from a
// to b (Levenshtein). It takes len(a) * len(b) steps.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// flagNames are the flags of a command that have a value to set: not --help and
// not --version.
func flagNames(cmd *cobra.Command) (names []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && f.Name != "version" {
			names = append(names, f.Name)
		}
	})
	slices.Sort(names)
	return names
}
