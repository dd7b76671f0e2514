package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// column is one column of a table.
type column struct {
	name  string
	right bool // aligned to the right, as counts are
	least int  // width that cells may be cut to where there is no room; 0 cuts none
	hide  bool // left out
	drop  int  // order in which columns go if cutting is not enough, 1 first; 0 keeps it
}

// table is text in columns.
type table struct {
	columns []column
	rows    [][]string
}

// gap is the space between two columns.
const gap = 2

// hide leaves a column out.
func (t *table) hide(i int) { t.columns[i].hide = true }

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write writes the table in so many columns of the terminal, or as wide as it is for
// 0. Long cells are cut in the middle: both ends of a number tell it from others.
func (t *table) write(w io.Writer, width int) {
	kept, widths := t.fit(width)
	var b strings.Builder
	line := func(cells func(i int) string) {
		text := ""
		for k, i := range kept {
			if k > 0 {
				text += strings.Repeat(" ", gap)
			}
			cell := cut(cells(i), widths[i])
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if t.columns[i].right {
				text += padding + cell
			} else {
				text += cell + padding
			}
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	if slices.ContainsFunc(t.columns, func(c column) bool { return c.name != "" }) {
		line(func(i int) string { return t.columns[i].name })
	}
	for _, row := range t.rows {
		line(func(i int) string { return row[i] })
	}
	fmt.Fprint(w, b.String())
}

// fit chooses the columns that are shown and the width of each. A terminal that is
// too narrow even for the narrowest form gets that, and wraps it.
func (t *table) fit(width int) (kept, widths []int) {
	widths = make([]int, len(t.columns))
	for i, c := range t.columns {
		if !c.hide {
			kept = append(kept, i)
		}
		widths[i] = utf8.RuneCountInString(c.name)
		for _, row := range t.rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	if width == 0 {
		return kept, widths
	}
	for t.narrowest(kept, widths) > width {
		victim := -1
		for k, i := range kept {
			if drop := t.columns[i].drop; drop > 0 && (victim < 0 || drop < t.columns[kept[victim]].drop) {
				victim = k
			}
		}
		if victim < 0 {
			break
		}
		kept = slices.Delete(kept, victim, victim+1)
	}
	for t.total(kept, widths) > width {
		widest := -1
		for _, i := range kept {
			if widths[i] > t.least(i, widths) && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return kept, widths
}

// least is the width that a column may be cut to.
func (t *table) least(i int, widths []int) int {
	if t.columns[i].least == 0 {
		return widths[i]
	}
	return min(widths[i], max(t.columns[i].least, utf8.RuneCountInString(t.columns[i].name)))
}

func (t *table) total(kept, widths []int) int {
	sum := gap * (len(kept) - 1)
	for _, i := range kept {
		sum += widths[i]
	}
	return sum
}

func (t *table) narrowest(kept, widths []int) int {
	sum := gap * (len(kept) - 1)
	for _, i := range kept {
		sum += t.least(i, widths)
	}
	return sum
}

// cut shortens a text to so many characters: the middle gives way.
func cut(text string, width int) string {
	const mark = "..."
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	r := []rune(text)
	if width <= len(mark) {
		return string(r[:max(width, 0)])
	}
	tail := (width - len(mark)) / 2
	head := width - len(mark) - tail
	return string(r[:head]) + mark + string(r[len(r)-tail:])
}
