package http

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"fairfactor"
)

// FuzzEventStream: whatever comes as a stream of events is read to its end or refused,
// and an event that a node would send comes out as it went in, wherever it stands.
func FuzzEventStream(f *testing.F) {
	f.Add([]byte("id: 0-1-0\nevent: accepted\ndata: {}\n\n"))
	f.Add([]byte(": a comment\r\nretry: 3\r\n\r\ndata\ndata:\n\nid\n"))
	f.Add([]byte("id: x\n"))
	f.Add(bytes.Repeat([]byte("data: x"), 9000))
	want := fairfactor.Position{Line: 2, Group: 42, Index: 7}
	f.Fuzz(func(t *testing.T, before []byte) {
		stream := fmt.Appendf(bytes.Clone(before), "\n\nid: %s\nevent: completed\ndata: {\"x\":1}\n\n", want)
		r := eventReader{lines: bufio.NewReaderSize(bytes.NewReader(stream), 64), heard: func() {}}
		for n := 0; ; n++ {
			name, data, at, err := r.next()
			if errors.Is(err, errSenseless) {
				return
			}
			if errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatal("the last event is missing")
			}
			if err != nil || n > len(stream) {
				t.Fatal(n, err)
			}
			if name == "completed" && at == want && string(data) == `{"x":1}` {
				if _, _, _, err := r.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("after the end: %v", err)
				}
				return
			}
		}
	})
}
