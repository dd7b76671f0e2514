// Package flight keeps what a process was at when it died. Each compute thread notes the
// turn that it runs in a file that is mapped into memory: a note costs some nanoseconds, no
// system call and no write to the disk, and the kernel has it however the process ends. The
// next process finds the file and tells who has to know. What ends in good order leaves no
// file.
//
// The file of a process that lives is locked, so that several processes may share a
// directory. A machine that loses its power may lose notes, and that does not matter: it
// was no turn's doing.
//
// Start reading at [Create] and [Read].
package flight

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"unsafe"

	"fairfactor"
)

// Turn is what a thread ran.
type Turn struct {
	Caller string
	ID     fairfactor.ID // of the job
	Number string        // of the turn, empty if it has more than [MaxDigits]
}

// MaxDigits is how many digits of a number are noted. Jobs for longer ones wait for each
// other anyway.
const MaxDigits = 80

// Last is what a process was at when it died.
type Last struct {
	Process string
	Turns   []Turn

	file *os.File
}

// Form of a file: the magic, and a slot of slotBytes for each thread. A slot is the word
// in use or 0, nonce, caller's number, sequence number, lengths of the caller's name and of the
// number, both.
const (
	magic     = "fairfactor flight 2\n"
	prefix    = "flight-"
	headBytes = 64
	slotBytes = 192
	inUse     = 1
	nameAt    = 40
	numberAt  = nameAt + fairfactor.MaxCallerBytes

	// The form without numbers, of a process that an upgrade has replaced.
	earlier     = "fairfactor flight 1\n"
	earlierSlot = 128
)

// Recorder notes what the threads of this process do. Each thread has its own slot.
type Recorder struct {
	file *os.File
	path string
	data []byte
}

// Begin notes that a thread runs a turn of a job.
func (r *Recorder) Begin(thread int, caller string, id fairfactor.ID, number string) {
	s := r.slot(thread)
	word(s).Store(0)
	binary.LittleEndian.PutUint64(s[8:], id.Nonce)
	binary.LittleEndian.PutUint64(s[16:], id.Caller)
	binary.LittleEndian.PutUint64(s[24:], id.Seq)
	s[32] = byte(copy(s[nameAt:numberAt], caller))
	if s[33] = 0; len(number) <= MaxDigits {
		s[33] = byte(copy(s[numberAt:], number))
	}
	word(s).Store(inUse)
}

// End notes that a thread runs nothing.
func (r *Recorder) End(thread int) { word(r.slot(thread)).Store(0) }

func (r *Recorder) slot(thread int) []byte {
	at := headBytes + thread*slotBytes
	return r.data[at : at+slotBytes]
}

// word is the first word of a slot, which says whether the rest counts. Slots are aligned,
// as mapped memory is.
func word(slot []byte) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&slot[0])) }

// parse reads the notes in a file.
func parse(data []byte) (turns []Turn, ok bool) {
	if len(data) < headBytes {
		return nil, false
	}
	size := slotBytes
	switch string(data[:len(magic)]) {
	case magic:
	case earlier:
		size = earlierSlot
	default:
		return nil, false
	}
	for s := data[headBytes:]; len(s) >= size; s = s[size:] {
		n, digits := int(s[32]), int(s[33]) // no digits in the earlier form
		if binary.NativeEndian.Uint32(s) != inUse || n > fairfactor.MaxCallerBytes || digits > MaxDigits {
			continue
		}
		turns = append(turns, Turn{
			Caller: string(s[nameAt : nameAt+n]),
			ID:     fairfactor.ID{Nonce: binary.LittleEndian.Uint64(s[8:]), Caller: binary.LittleEndian.Uint64(s[16:]), Seq: binary.LittleEndian.Uint64(s[24:])},
			Number: string(s[min(numberAt, size):][:digits]),
		})
	}
	return turns, true
}

// Read returns what processes that died in this directory were at. Their files stay until
// [Last.Forget].
func Read(dir string) (all []Last, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			continue // its process has just ended
		}
		data, err := os.ReadFile(path)
		turns, ok := parse(data)
		if err != nil || !ok || !lock(f) {
			f.Close()
			continue
		}
		last := Last{Process: strings.TrimPrefix(filepath.Base(path), prefix), Turns: turns, file: f}
		if len(turns) == 0 {
			last.Forget()
			continue
		}
		all = append(all, last)
	}
	return all, nil
}

// Forget removes the file: all who have to know do.
func (l *Last) Forget() {
	os.Remove(l.file.Name())
	l.file.Close()
}
