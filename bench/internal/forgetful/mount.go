package forgetful

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"fairfactor/bench/internal/wait"
)

// ErrNoMount says that this machine, or this user, can't mount a FUSE file system.
var ErrNoMount = errors.New("a file system can't be mounted: that needs root and /dev/fuse")

// MayMount returns [ErrNoMount] unless a disk can be mounted here.
func MayMount() error {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil || os.Geteuid() != 0 {
		return errors.Join(ErrNoMount, err)
	}
	return f.Close()
}

// Mount shows the disk at a folder, until the function that it returns is called.
// There is no cache between: each read and write of a process comes to the disk.
func (d *Disk) Mount(folder string) (unmount func() error, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	d.mu.Lock()
	root := d.root
	d.mu.Unlock()
	var none time.Duration
	server, err := fs.Mount(folder, &entry{disk: d, node: root}, &fs.Options{
		EntryTimeout: &none, AttrTimeout: &none, NegativeTimeout: &none,
		MountOptions: fuse.MountOptions{
			DirectMountStrict: true, FsName: "forgetful", Name: "forgetful", DisableXAttrs: true, MaxWrite: 1 << 20,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("mount at %s: %w", folder, err)
	}
	return func() error {
		var err error
		for range unmountTries { // the kernel may take a moment to see that all files are closed
			if err = server.Unmount(); err == nil {
				return nil
			}
			wait.For(context.Background(), unmountPause)
		}
		return fmt.Errorf("unmount %s: %w", folder, err)
	}, nil
}

// How often it is tried to unmount, and the pause between.
const (
	unmountTries = 100
	unmountPause = 50 * time.Millisecond
)

// entry is a node as the kernel knows it.
type entry struct {
	fs.Inode
	disk *Disk
	node *node
}

// handle is an open file.
type handle struct{ node *node }

var (
	_ fs.NodeStatfser  = (*entry)(nil)
	_ fs.NodeGetattrer = (*entry)(nil)
	_ fs.NodeSetattrer = (*entry)(nil)
	_ fs.NodeLookuper  = (*entry)(nil)
	_ fs.NodeReaddirer = (*entry)(nil)
	_ fs.NodeMkdirer   = (*entry)(nil)
	_ fs.NodeCreater   = (*entry)(nil)
	_ fs.NodeUnlinker  = (*entry)(nil)
	_ fs.NodeRmdirer   = (*entry)(nil)
	_ fs.NodeRenamer   = (*entry)(nil)
	_ fs.NodeOpener    = (*entry)(nil)
	_ fs.NodeReader    = (*entry)(nil)
	_ fs.NodeWriter    = (*entry)(nil)
	_ fs.NodeFsyncer   = (*entry)(nil)
	_ fs.NodeReleaser  = (*entry)(nil)
	_ fs.InodeEmbedder = (*entry)(nil)
	_ fs.FileHandle    = (*handle)(nil)
)

// Statfs implements [fs.NodeStatfser].
func (e *entry) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	const block, endless = 4096, 1 << 40
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	size := e.disk.capacity
	if size == 0 {
		size = endless
	}
	out.Bsize, out.Frsize, out.NameLen = block, block, 255
	out.Blocks = uint64(size / block)
	out.Bfree = uint64(max(0, size-e.disk.used) / block)
	out.Bavail, out.Files, out.Ffree = out.Bfree, 1<<20, 1<<20
	return 0
}

func (e *entry) attr(n *node, out *fuse.Attr) {
	out.Ino, out.Nlink, out.Blksize = n.id, 1, 4096
	out.Mode = fuse.S_IFREG | 0o644
	if n.folder {
		out.Mode = fuse.S_IFDIR | 0o755
	}
	out.Size = uint64(len(n.data))
	out.Blocks = (out.Size + SectorSize - 1) / SectorSize
}

// Getattr implements [fs.NodeGetattrer].
func (e *entry) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	e.attr(e.node, &out.Attr)
	return 0
}

// Setattr implements [fs.NodeSetattrer]; it knows sizes only.
func (e *entry) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		if errno := e.disk.truncate(e.node, int64(size)); errno != 0 {
			return errno
		}
	}
	return e.Getattr(context.Background(), nil, out)
}

// child makes the kernel's view of a node. disk.mu is held.
func (e *entry) child(ctx context.Context, n *node, out *fuse.EntryOut) *fs.Inode {
	e.attr(n, &out.Attr)
	return e.NewInode(ctx, &entry{disk: e.disk, node: n}, fs.StableAttr{Mode: out.Mode & syscall.S_IFMT, Ino: n.id + 1})
}

// Lookup implements [fs.NodeLookuper].
func (e *entry) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	n := e.node.names[name]
	switch {
	case e.disk.off:
		return nil, syscall.EIO
	case n == nil:
		return nil, syscall.ENOENT
	}
	return e.child(ctx, n, out), 0
}

// Readdir implements [fs.NodeReaddirer].
func (e *entry) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	if e.disk.off {
		return nil, syscall.EIO
	}
	var list []fuse.DirEntry
	for name, n := range e.node.names {
		mode := uint32(fuse.S_IFREG)
		if n.folder {
			mode = fuse.S_IFDIR
		}
		list = append(list, fuse.DirEntry{Name: name, Ino: n.id + 1, Mode: mode})
	}
	return fs.NewListDirStream(list), 0
}

// Mkdir implements [fs.NodeMkdirer].
func (e *entry) Mkdir(ctx context.Context, name string, _ uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	n, errno := e.disk.create(e.node, name, true)
	if errno != 0 {
		return nil, errno
	}
	return e.child(ctx, n, out), 0
}

// Create implements [fs.NodeCreater].
func (e *entry) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	n, errno := e.disk.create(e.node, name, false)
	if errno != 0 {
		return nil, nil, 0, errno
	}
	n.open++
	return e.child(ctx, n, out), &handle{n}, fuse.FOPEN_DIRECT_IO, 0
}

// Unlink implements [fs.NodeUnlinker].
func (e *entry) Unlink(_ context.Context, name string) syscall.Errno {
	return e.disk.remove(e.node, name, false)
}

// Rmdir implements [fs.NodeRmdirer].
func (e *entry) Rmdir(_ context.Context, name string) syscall.Errno {
	return e.disk.remove(e.node, name, true)
}

// Rename implements [fs.NodeRenamer], within a folder.
func (e *entry) Rename(_ context.Context, name string, in fs.InodeEmbedder, to string, flags uint32) syscall.Errno {
	if other, ok := in.(*entry); !ok || other.node != e.node {
		return syscall.EXDEV
	}
	if flags != 0 {
		return syscall.EINVAL
	}
	return e.disk.rename(e.node, name, to)
}

// Open implements [fs.NodeOpener].
func (e *entry) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	if e.disk.off {
		return nil, 0, syscall.EIO
	}
	if flags&syscall.O_TRUNC != 0 {
		if errno := e.disk.resize(e.node, 0); errno != 0 {
			return nil, 0, errno
		}
	}
	e.node.open++
	return &handle{e.node}, fuse.FOPEN_DIRECT_IO, 0
}

// Read implements [fs.NodeReader].
func (e *entry) Read(_ context.Context, _ fs.FileHandle, into []byte, at int64) (fuse.ReadResult, syscall.Errno) {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	if e.disk.off {
		return nil, syscall.EIO
	}
	from := min(at, int64(len(e.node.data)))
	return fuse.ReadResultData(into[:copy(into, e.node.data[from:])]), 0
}

// Write implements [fs.NodeWriter].
func (e *entry) Write(_ context.Context, _ fs.FileHandle, p []byte, at int64) (uint32, syscall.Errno) {
	if errno := e.disk.write(e.node, p, at); errno != 0 {
		return 0, errno
	}
	return uint32(len(p)), 0
}

// Fsync implements [fs.NodeFsyncer], for folders too.
func (e *entry) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return e.disk.sync(e.node)
}

// Release implements [fs.NodeReleaser].
func (e *entry) Release(context.Context, fs.FileHandle) syscall.Errno {
	e.disk.release(e.node)
	return 0
}
