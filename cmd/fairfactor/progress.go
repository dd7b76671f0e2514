package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"fairfactor/factor"
)

// manner is how the line about a long number is written. A number that is done
// before the first is not told of.
type manner struct {
	first, every time.Duration
	form, erase  string
}

// On a terminal the line is drawn in place; what would wrap at the edge is cut off
// by the terminal itself. Elsewhere one goes below the other.
var (
	inPlace = manner{time.Second, 500 * time.Millisecond, "\r\x1b[?7l%s\x1b[K\x1b[?7h", "\r\x1b[K"}
	inLines = manner{10 * time.Second, 10 * time.Second, "%s\n", ""}
)

// progress knows the long number at hand.
type progress struct {
	mu      sync.Mutex // guards all below
	number  string
	driver  *factor.Driver // nil: none
	since   time.Time
	threads int
	from    pace
}

// pace is where the share of the work began to grow that the time left is told by: at
// the first look since a factor was found.
type pace struct {
	remaining string
	elapsed   time.Duration
	percent   float64
}

func (g *progress) begin(number string, d *factor.Driver, threads int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.number, g.driver, g.since, g.threads, g.from = number, d, time.Now(), threads, pace{}
}

func (g *progress) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.driver = nil
}

// line describes how the long number at hand is going; empty without one.
func (g *progress) line() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.driver == nil {
		return ""
	}
	p, elapsed := g.driver.Progress(), time.Since(g.since)
	g.from.follow(p, elapsed)
	return describe(g.number, p, g.from.left(p, elapsed, g.threads))
}

// waitFor waits for answers and meanwhile writes lines.
func (g *progress) waitFor(done <-chan []answer, to io.Writer) []answer {
	m := inLines
	if isTerminal(to) {
		m = inPlace
	}
	timer := time.NewTimer(m.first)
	defer timer.Stop()
	return g.write(done, timer.C, func() { timer.Reset(m.every) }, m, to)
}

// write writes a line whenever it is time to, calls again for the next, and returns
// the answers. What is drawn in place is erased before.
func (g *progress) write(done <-chan []answer, now <-chan time.Time, again func(), m manner, to io.Writer) []answer {
	told := false
	for {
		select {
		case a := <-done:
			if told {
				fmt.Fprint(to, m.erase)
			}
			return a
		case <-now:
			if line := g.line(); line != "" {
				told = true
				fmt.Fprintf(to, m.form, line)
			}
			again()
		}
	}
}

// follow begins again when another number remains than before.
func (f *pace) follow(p factor.Progress, elapsed time.Duration) {
	if remaining := strings.Join(p.Remaining, " "); remaining != f.remaining {
		*f = pace{remaining, elapsed, p.Percent}
	}
}

// left estimates how long it will take; 0: unknown. What was predicted for this
// machine is right within a factor only; once a part is done, that tells better.
func (f *pace) left(p factor.Progress, elapsed time.Duration, threads int) time.Duration {
	if gained := p.Percent - f.percent; gained >= 4 {
		return time.Duration(float64(elapsed-f.elapsed) * (100 - p.Percent) / gained)
	}
	return p.Left / time.Duration(threads)
}

// describe says in one line how far a number is.
func describe(number string, p factor.Progress, left time.Duration) string {
	if len(number) > 20 {
		number = fmt.Sprintf("%s...%s (%d digits)", number[:6], number[len(number)-4:], len(number))
	}
	line := fmt.Sprintf("%s: %.0f %%, %s, %s", number, p.Percent, inWords(left), p.Phase)
	if len(p.Found) > 0 {
		line += ", found " + factor.Spell(p.Found)
	}
	return line
}

func inWords(left time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case left <= 0:
		return "time left unknown"
	case left < 100*time.Second:
		return fmt.Sprintf("%.0f s left", max(left.Seconds(), 1))
	case left < 100*time.Minute:
		return fmt.Sprintf("%.0f min left", left.Minutes())
	case left < 100*time.Hour:
		return fmt.Sprintf("%.0f h left", left.Hours())
	case left < 1000*day:
		return fmt.Sprintf("%.0f days left", left.Hours()/24)
	}
	return "years left"
}

// isTerminal reports whether what is written to w goes to a screen.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && !strings.HasSuffix(f.Name(), os.DevNull)
}
