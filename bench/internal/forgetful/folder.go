package forgetful

import (
	"maps"
	"slices"
	"syscall"
)

// create makes a file or a folder in a folder. d.mu is held.
func (d *Disk) create(in *node, name string, folder bool) (*node, syscall.Errno) {
	if errno := d.admit(Write); errno != 0 {
		return nil, errno
	}
	if in.names[name] != nil {
		return nil, syscall.EEXIST
	}
	n := d.newNode(folder)
	in.apply(change{name: n})
	return n, 0
}

// apply makes a change that is not durable yet.
func (n *node) apply(c change) {
	n.changes = append(n.changes, c)
	n.names = c.of(n.names)
}

// of makes a change to names.
func (c change) of(names map[string]*node) map[string]*node {
	for name, n := range c {
		if n == nil {
			delete(names, name)
		} else {
			names[name] = n
		}
	}
	return names
}

// remove takes a name away.
func (d *Disk) remove(in *node, name string, folder bool) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if errno := d.admit(Write); errno != 0 {
		return errno
	}
	n := in.names[name]
	switch {
	case n == nil:
		return syscall.ENOENT
	case n.folder && !folder:
		return syscall.EISDIR
	case !n.folder && folder:
		return syscall.ENOTDIR
	case folder && len(n.names) > 0:
		return syscall.ENOTEMPTY
	}
	in.apply(change{name: nil})
	d.unlink(n)
	return 0
}

// rename gives a node another name in the same folder, which it takes from the one
// that has it.
func (d *Disk) rename(in *node, from, to string) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if errno := d.admit(Write); errno != 0 {
		return errno
	}
	n, old := in.names[from], in.names[to]
	switch {
	case n == nil:
		return syscall.ENOENT
	case n == old:
		return 0
	case old != nil && (old.folder || n.folder):
		return syscall.EEXIST
	}
	in.apply(change{from: nil, to: n})
	if old != nil {
		d.unlink(old)
	}
	return 0
}

// unlink says that a node has no name any more. d.mu is held.
func (d *Disk) unlink(n *node) {
	if n.linked = false; n.open == 0 {
		d.used -= int64(len(n.data))
	}
}

// release closes a handle.
func (d *Disk) release(n *node) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n.open--; n.open == 0 && !n.linked {
		d.used -= int64(len(n.data))
	}
}

// chances are how likely an unsynced sector is there after a cut.
var chances = []float64{0, 0.05, 0.5, 0.95, 1}

// Cut cuts the power: from now on all calls fail, and what was not synced is lost or
// not. [Disk.On] ends it. What has the disk mounted must have ended by then.
func (d *Disk) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return
	}
	d.off, d.fault, d.used = true, Fault{}, 0
	d.life++
	d.stats.Cuts++
	d.root = d.forget(d.root, chances[d.rng.IntN(len(chances))])
}

// On is the power coming back.
func (d *Disk) On() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = false
}

// forget returns what a cut leaves of a node. It shares nothing with the node, which
// processes may still have open. d.mu is held.
func (d *Disk) forget(n *node, chance float64) *node {
	after := d.newNode(n.folder)
	if !n.folder {
		after.disk = d.forgetData(n, chance)
		after.data = slices.Clone(after.disk)
		d.used += int64(len(after.data))
		return after
	}
	names, first := maps.Clone(n.kept), d.rng.IntN(len(n.changes)+1)
	for _, c := range n.changes[:first] {
		names = c.of(names)
	}
	d.stats.Undone += len(n.changes) - first
	for _, name := range slices.Sorted(maps.Keys(names)) {
		after.kept[name] = d.forget(names[name], chance)
	}
	after.names = maps.Clone(after.kept)
	return after
}

// forgetData returns what a cut leaves of a file.
func (d *Disk) forgetData(n *node, chance float64) []byte {
	low, high := min(len(n.data), len(n.disk)), max(len(n.data), len(n.disk))
	size := []int{len(n.data), len(n.disk), low + d.rng.IntN(high-low+1)}[d.rng.IntN(3)]
	data := resized(slices.Clone(n.disk), size)
	lost := 0
	for _, s := range slices.Sorted(maps.Keys(n.dirty)) {
		if s*SectorSize < size && d.rng.Float64() < chance {
			put(data, s, sector(n.data, s))
		} else {
			lost++
		}
	}
	d.stats.Lost += lost
	if lost > 0 && lost < len(n.dirty) {
		d.stats.Torn++
	}
	return data
}
