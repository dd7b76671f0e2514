//go:build unix

package flight

import (
	"os"
	"path/filepath"
	"syscall"
)

// Create begins the notes of a process with that many threads. The directory is made if it
// does not exist.
func Create(dir, process string, threads int) (r *Recorder, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	r = &Recorder{path: filepath.Join(dir, prefix+process)}
	if r.file, err = os.OpenFile(r.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.file.Close()
			os.Remove(r.path)
		}
	}()
	if err := syscall.Flock(int(r.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, err
	}
	// Written as a whole: a page of a mapped file that has no room on the disk would end the
	// process when it is written to.
	data := make([]byte, headBytes+threads*slotBytes)
	copy(data, magic)
	if _, err := r.file.Write(data); err != nil {
		return nil, err
	}
	r.data, err = syscall.Mmap(int(r.file.Fd()), 0, len(data), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	return r, err
}

// Close ends the notes: what runs is no one's concern any more. It may be called twice, and
// not while threads run turns.
func (r *Recorder) Close() {
	if r == nil || r.data == nil {
		return
	}
	os.Remove(r.path)
	syscall.Munmap(r.data)
	r.data = nil
	r.file.Close()
}

// Disown removes the file while threads may run turns: the process ends for a reason of its
// own.
func (r *Recorder) Disown() {
	if r != nil {
		os.Remove(r.path)
	}
}

// lock reports whether the process that made a file has ended, and keeps others from
// reading it too.
func lock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
