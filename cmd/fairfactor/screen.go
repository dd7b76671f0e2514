package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// screen is where top draws: a terminal, or any stream.
type screen struct {
	out      io.Writer
	terminal bool
	sorts    chan struct{} // a press of the key s each
	restore  func()
}

// openScreen takes over the terminal, if there is one on both sides: keys count
// without the return key. q and ^C call quit. close gives the terminal back.
func openScreen(io streams, quit context.CancelFunc) (*screen, error) {
	width, _ := sizeOf(io.out)
	s := &screen{out: io.out, terminal: width > 0, sorts: make(chan struct{}, 1), restore: func() {}}
	in, ok := io.in.(*os.File)
	if !s.terminal || !ok || !term.IsTerminal(int(in.Fd())) {
		return s, nil
	}
	state, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	s.restore = func() { _ = term.Restore(int(in.Fd()), state) } // there is nothing else to try
	go s.read(in, quit)
	return s, nil
}

// read acts on keys until quit, or until the input ends.
func (s *screen) read(in io.Reader, quit context.CancelFunc) {
	const controlC, controlD = 3, 4
	key := make([]byte, 1)
	for {
		if _, err := in.Read(key); err != nil {
			return
		}
		switch key[0] {
		case 'q', 'Q', controlC, controlD:
			quit()
			return
		case 's', 'S':
			select {
			case s.sorts <- struct{}{}:
			default: // one is on its way
			}
		}
	}
}

// close leaves the cursor below the picture.
func (s *screen) close() {
	if s.terminal {
		fmt.Fprint(s.out, "\r\n")
	}
	s.restore()
}

// size is that of the terminal now, zero without one.
func (s *screen) size() (width, height int) { return sizeOf(s.out) }

// show writes lines over what the terminal shows.
func (s *screen) show(lines []byte) error {
	if s.terminal {
		const home, clearLine, clearRest = "\x1b[H", "\x1b[K\r\n", "\x1b[J"
		lines = bytes.TrimSuffix(lines, []byte("\n")) // at the bottom it would scroll
		lines = []byte(home + string(bytes.ReplaceAll(lines, []byte("\n"), []byte(clearLine))) + "\x1b[K" + clearRest)
	}
	_, err := s.out.Write(lines)
	return err
}
