package command

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Progress shows a line that changes: in place once a second on a terminal, a
// new line every five seconds elsewhere.
type Progress struct {
	end  chan struct{}
	done sync.WaitGroup
}

// StartProgress shows line() now and then until [Progress.Stop].
func StartProgress(w io.Writer, line func() string) *Progress {
	p := &Progress{end: make(chan struct{})}
	every, format, last := 5*time.Second, "%s\n", ""
	if f, ok := w.(*os.File); ok && isTerminal(f) {
		every, format, last = time.Second, "\r%s", "\r\x1b[K"
	}
	p.done.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				fmt.Fprintf(w, format, line())
			case <-p.end:
				fmt.Fprint(w, last)
				return
			}
		}
	})
	return p
}

// Stop ends the line; nothing is written after it returns.
func (p *Progress) Stop() {
	close(p.end)
	p.done.Wait()
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && info.Name() != "null"
}
