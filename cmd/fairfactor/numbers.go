package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode"
	"unicode/utf8"

	"fairfactor"
)

// stdinName stands for standard input among numbers and files.
const stdinName = "-"

// open opens a file, or standard input for [stdinName].
func (s streams) open(name string) (io.ReadCloser, error) {
	if name == stdinName {
		return io.NopCloser(s.in), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fairfactor.Wrap(fairfactor.Invalid, err, "can't read "+name)
	}
	return f, nil
}

// numbersHelp says in the help of commands how they read numbers.
const numbersHelp = `Without arguments and files it reads numbers from standard input; - stands for it
among both. Numbers are separated by white space; a # where a number could begin
starts a comment, up to the end of the line (10# is a primorial). Byte order marks and
the line ends of Windows do no harm.

` + expressionsHelp

// words hands out numbers, some at a time; io.EOF ends them. Several numbers at once
// are short ones, at most batchSize; a long one comes alone.
type words func() ([]string, error)

// A batch makes the way of a short number from the input to its thread and back
// cheaper than its factors are.
const (
	batchSize   = 256
	shortDigits = 15 // of a number that is factored in microseconds
)

// numbersOf hands out the numbers of a command line: the arguments, then those in
// the files; standard input if there are neither. The files stay open until they
// have been read or the program ends.
func numbersOf(ctx context.Context, args, files []string, stdin io.Reader) (words, error) {
	if len(args) == 0 && len(files) == 0 {
		files = []string{stdinName}
	}
	var sources []words
	for _, arg := range args {
		if arg == stdinName {
			sources = append(sources, wordsIn(ctx, stdin, "standard input"))
			continue
		}
		sources = append(sources, wordOf(arg))
	}
	for _, name := range files {
		if name == stdinName {
			sources = append(sources, wordsIn(ctx, stdin, "standard input"))
			continue
		}
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("--file: %w", err)
		}
		sources = append(sources, wordsIn(ctx, file, name))
	}
	return func() ([]string, error) {
		for len(sources) > 0 {
			batch, err := sources[0]()
			if !errors.Is(err, io.EOF) {
				return batch, err
			}
			sources = sources[1:]
		}
		return nil, io.EOF
	}, nil
}

// wordOf hands out one number.
func wordOf(word string) words {
	given := false
	return func() ([]string, error) {
		if given {
			return nil, io.EOF
		}
		given = true
		return []string{word}, nil
	}
}

// maxWord bounds a number in the input, in bytes.
const maxWord = 1 << 20

// wordsIn hands out the numbers in a stream. From the first one on it reads ahead in
// a goroutine of its own: nothing else ends the wait for a keyboard when ctx does.
func wordsIn(ctx context.Context, in io.Reader, name string) words {
	read, failed := make(chan []string, 16), make(chan error, 1)
	ahead := func() {
		defer close(read)
		b := batcher{in: in, to: read, stop: ctx.Done()}
		s := bufio.NewScanner(&b)
		s.Buffer(make([]byte, 64<<10), maxWord)
		s.Split(splitTyped(splitNumbers()))
		for s.Scan() && ctx.Err() == nil {
			b.add(s.Text())
		}
		b.flush()
		if err := s.Err(); err != nil {
			failed <- fmt.Errorf("reading %s: %w", name, err)
		}
	}
	begun := false
	return func() ([]string, error) {
		if !begun {
			begun = true
			go ahead()
		}
		select {
		case batch, ok := <-read:
			if ok {
				return batch, nil
			}
		case <-ctx.Done():
			return nil, errInterrupted
		}
		select {
		case err := <-failed:
			return nil, err
		default:
			return nil, io.EOF
		}
	}
}

// batcher collects the words of a stream. It is the reader of that stream too: what
// was collected goes on its way before more is read, so that no number waits for
// another one to be typed.
type batcher struct {
	in    io.Reader
	to    chan<- []string
	stop  <-chan struct{}
	words []string
}

func (b *batcher) Read(p []byte) (int, error) {
	b.flush()
	return b.in.Read(p)
}

func (b *batcher) add(word string) {
	alone := len(word) > shortDigits || !isNumber(word)
	if alone {
		b.flush()
	}
	b.words = append(b.words, word)
	if alone || len(b.words) == batchSize {
		b.flush()
	}
}

func (b *batcher) flush() {
	if len(b.words) == 0 {
		return
	}
	select {
	case b.to <- b.words:
	case <-b.stop:
	}
	b.words = nil
}

// splitNumbers returns a split function like [bufio.ScanWords] that leaves out
// comments and byte order marks.
func splitNumbers() bufio.SplitFunc {
	comment := false // the data begins inside one
	return func(data []byte, atEOF bool) (advance int, token []byte, err error) {
		start := 0
		for {
			if comment {
				end := bytes.IndexAny(data[start:], "\r\n")
				if end < 0 {
					return len(data), nil, nil
				}
				start += end
			}
			start += leadingSpace(data[start:])
			if comment = start < len(data) && data[start] == '#'; !comment {
				break
			}
		}
		for end := start; end < len(data); {
			r, width := utf8.DecodeRune(data[end:])
			if unicode.IsSpace(r) {
				return end + width, data[start:end], nil
			}
			end += width
		}
		if atEOF && len(data) > start {
			return len(data), data[start:], nil
		}
		return start, nil, nil
	}
}

// leadingSpace is the number of bytes of white space and byte order marks that data
// begins with.
func leadingSpace(data []byte) (n int) {
	for n < len(data) {
		r, width := utf8.DecodeRune(data[n:])
		if !unicode.IsSpace(r) && r != '\uFEFF' {
			break
		}
		n += width
	}
	return n
}

// atEnd reports whether err is the plain end of the input.
func atEnd(err error) bool { return errors.Is(err, io.EOF) }

// errInterrupted ends the input when the program is stopped.
var errInterrupted = errors.New("interrupted")
