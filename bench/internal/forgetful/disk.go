// Package forgetful is a file system that keeps what was synced apart from what was
// only written. When its power is cut, all that was synced is there; of the rest
// each sector of each file is there or not, at random, and the changes of each folder
// are there up to a random one. It can refuse a write or a sync, and be full.
//
// [Disk] is the model, in memory and without any I/O; [Disk.Mount] shows it to
// processes as a FUSE file system. A process that was killed has lost nothing by
// that alone: what it wrote is lost by [Disk.Cut].
//
// The model promises no more than POSIX does. Syncing a file does not make its name
// durable: its folder has to be synced too. A file that grew may have any size in
// between, with zeros where data was not synced. Sectors reach the disk in any order.
// A sync that failed leaves the file's unsynced sectors there or not, and no later one
// writes them: the kernel has taken them for clean. A folder's changes are kept in
// order, as journals of file systems do.
package forgetful

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"

	"fairfactor/bench/internal/wait"
)

// SectorSize is what reaches the disk as a whole or not at all, in bytes.
const SectorSize = 512

// Call is a kind of call that can be made to fail.
type Call string

// The calls that a [Fault] may be of.
const (
	Write Call = "write" // also the making, renaming and removing of names
	Sync  Call = "fsync"
)

// Fault makes calls fail from the After-th on, counted from 1 from when it is set.
type Fault struct {
	Call  Call
	After int
	Once  bool // only that one
	Error syscall.Errno
}

// Disk is a file system. Its methods may be called by many goroutines.
type Disk struct {
	syncTime time.Duration // that a sync takes

	mu       sync.Mutex
	rng      *rand.Rand // guarded by mu, as all below
	root     *node
	nodes    uint64
	used     int64 // bytes in files that have a name or are open
	capacity int64 // bytes; zero is without end
	off      bool  // the power is cut: all calls fail
	life     int   // counts the cuts
	fault    Fault
	calls    map[Call]int // since the fault was set
	writes   uint64       // counts them
	stats    Stats
}

// Stats count what happened to a disk.
type Stats struct {
	Cuts    int // of its power
	Syncs   int
	Lost    int // sectors that were written and not synced, and are gone
	Torn    int // files with some unsynced sectors that are there and some that are not
	Undone  int // changes of folders that are gone
	Refused int // calls that failed on purpose
}

// node is a file or a folder.
type node struct {
	id     uint64
	folder bool

	data  []byte         // of a file, as reads see it
	disk  []byte         // what is durable of it
	dirty map[int]uint64 // sectors in which they may differ; number of the last write
	open  int            // handles

	names   map[string]*node // of a folder, as reads see them
	kept    map[string]*node // what is durable of them
	changes []change         // from kept to names
	linked  bool             // it has a name

	syncing sync.Mutex // held during a sync of the file, which takes time
}

// change gives some names of a folder other nodes, at once; nil takes a name away.
type change map[string]*node

// New returns an empty disk of a size in bytes, or without end if that is zero, on
// which each sync of a file takes a time.
func New(seed uint64, capacity int64, syncTime time.Duration) *Disk {
	d := &Disk{capacity: capacity, syncTime: syncTime, calls: map[Call]int{}, rng: rand.New(rand.NewPCG(seed, 0))}
	d.root = d.newNode(true)
	return d
}

func (d *Disk) newNode(folder bool) *node {
	d.nodes++
	n := &node{id: d.nodes, folder: folder, linked: true}
	if folder {
		n.names, n.kept = map[string]*node{}, map[string]*node{}
	} else {
		n.dirty = map[int]uint64{}
	}
	return n
}

// Set makes calls fail; the zero Fault makes none fail.
func (d *Disk) Set(f Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault, d.calls = f, map[Call]int{}
}

// Fill leaves room for some more bytes.
func (d *Disk) Fill(room int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = d.used + room
}

// Resize sets the size in bytes; zero is without end.
func (d *Disk) Resize(capacity int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = capacity
}

// Stats says what has happened up to now.
func (d *Disk) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// admit counts a call and says whether it may go on. d.mu is held.
func (d *Disk) admit(call Call) syscall.Errno {
	if d.off {
		return syscall.EIO
	}
	if d.calls[call]++; d.fault.Call != call {
		return 0
	}
	n := d.calls[call]
	if n == d.fault.After || n > d.fault.After && !d.fault.Once {
		d.stats.Refused++
		return d.fault.Error
	}
	return 0
}

// grow takes room for some bytes, which may be fewer than none. d.mu is held.
func (d *Disk) grow(by int64) syscall.Errno {
	if by > 0 && d.capacity > 0 && d.used+by > d.capacity {
		d.stats.Refused++
		return syscall.ENOSPC
	}
	d.used += by
	return 0
}

// write writes to a file.
func (d *Disk) write(n *node, p []byte, at int64) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if errno := d.admit(Write); errno != 0 {
		return errno
	}
	end := int(at) + len(p)
	if more := end - len(n.data); more > 0 {
		if errno := d.grow(int64(more)); errno != 0 {
			return errno
		}
		d.touch(n, len(n.data), end) // zeros up to what is written
		n.data = resized(n.data, end)
	}
	copy(n.data[at:], p)
	d.touch(n, int(at), end)
	return 0
}

// truncate sets the size of a file.
func (d *Disk) truncate(n *node, size int64) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if errno := d.admit(Write); errno != 0 {
		return errno
	}
	return d.resize(n, size)
}

// resize does it. d.mu is held.
func (d *Disk) resize(n *node, size int64) syscall.Errno {
	old := len(n.data)
	if errno := d.grow(size - int64(old)); errno != 0 {
		return errno
	}
	d.touch(n, min(int(size), old), max(int(size), old))
	n.data = resized(n.data, int(size))
	return 0
}

// touch says that sectors from one byte up to another may differ from the disk's.
// d.mu is held.
func (d *Disk) touch(n *node, from, to int) {
	d.writes++
	for s := from / SectorSize; s*SectorSize < to; s++ {
		n.dirty[s] = d.writes
	}
}

// sector is one of them in data, short or empty at its end.
func sector(data []byte, s int) []byte {
	return data[min(s*SectorSize, len(data)):min((s+1)*SectorSize, len(data))]
}

// sync makes a file durable as it was when the call began, or the names in a folder.
func (d *Disk) sync(n *node) syscall.Errno {
	n.syncing.Lock()
	defer n.syncing.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	errno := d.admit(Sync)
	if d.off || n.folder && errno != 0 {
		return errno
	}
	d.stats.Syncs++
	if n.folder {
		n.kept, n.changes = maps.Clone(n.names), nil
		return 0
	}
	life, size, sectors, numbers := d.life, len(n.data), map[int][]byte{}, maps.Clone(n.dirty)
	for s := range numbers {
		sectors[s] = slices.Clone(sector(n.data, s))
	}
	d.mu.Unlock()
	wait.For(context.Background(), d.syncTime)
	d.mu.Lock()
	if d.life != life { // it was cut off: some are written, as of any dirty file
		return syscall.EIO
	}
	n.disk = resized(n.disk, size)
	for s, number := range numbers {
		if errno == 0 || d.rng.IntN(2) == 0 {
			put(n.disk, s, sectors[s])
		}
		if n.dirty[s] == number {
			delete(n.dirty, s)
		}
	}
	return errno
}

// resized is data cut, or filled up with zeros.
func resized(data []byte, size int) []byte {
	if size <= len(data) {
		return data[:size:size]
	}
	return append(data, make([]byte, size-len(data))...)
}

// put writes a sector, as far as data goes.
func put(data []byte, s int, content []byte) {
	to := sector(data, s)
	clear(to)
	copy(to, content)
}
