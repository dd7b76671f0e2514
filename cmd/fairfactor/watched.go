package main

import (
	"log/slog"
	"os"
	"sync"
	"time"
)

// watchEvery is the least time between two looks at files.
const watchEvery = time.Second

// watched is what was read from files. It is read again when one of them has changed,
// by the first who asks for it after that. A version that can't be read is logged,
// and the one before stays.
type watched[T any] struct {
	files []string
	what  string // for the log
	read  func() (T, error)
	log   *slog.Logger
	now   func() time.Time

	mu     sync.Mutex // guards what follows
	value  T
	stamps []stamp
	looked time.Time
}

// stamp tells versions of a file apart.
type stamp struct {
	size     int64
	modified time.Time
}

// watchFiles reads files for the first time.
func watchFiles[T any](log *slog.Logger, what string, read func() (T, error), files ...string) (*watched[T], error) {
	w := &watched[T]{files: files, what: what, read: read, log: log, now: time.Now}
	w.stamps, w.looked = w.look(), w.now()
	var err error
	w.value, err = read()
	return w, err
}

func (w *watched[T]) look() []stamp {
	stamps := make([]stamp, len(w.files))
	for i, name := range w.files {
		if info, err := os.Stat(name); err == nil {
			stamps[i] = stamp{info.Size(), info.ModTime()}
		}
	}
	return stamps
}

// get returns the newest version that could be read.
func (w *watched[T]) get() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	if now.Sub(w.looked) < watchEvery {
		return w.value
	}
	w.looked = now
	stamps := w.look()
	same := true
	for i := range stamps {
		same = same && stamps[i].size == w.stamps[i].size && stamps[i].modified.Equal(w.stamps[i].modified)
	}
	if same {
		return w.value
	}
	w.stamps = stamps
	value, err := w.read()
	if err != nil {
		w.log.Warn("changed files can't be used yet: "+w.what+" stays as it is", "err", err)
		return w.value
	}
	w.value = value
	w.log.Info("read again: "+w.what, "files", w.files)
	return value
}
