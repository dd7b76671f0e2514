//go:build compose

package deploy

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// rootfs is the file system of an image, written as a tar stream. The first
// error sticks; close returns it.
type rootfs struct {
	tar  *tar.Writer
	seen map[string]bool
	err  error
}

func newRootfs(w io.Writer) *rootfs { return &rootfs{tar: tar.NewWriter(w), seen: map[string]bool{}} }

func (r *rootfs) close() error {
	if err := r.tar.Close(); r.err == nil {
		r.err = err
	}
	return r.err
}

func (r *rootfs) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// entry writes a header and what follows it, once for each path.
func (r *rootfs) entry(h tar.Header, body []byte) {
	h.Name = strings.TrimPrefix(h.Name, "/")
	if r.err != nil || r.seen[h.Name] {
		return
	}
	r.seen[h.Name] = true
	h.Size = int64(len(body))
	if r.err = r.tar.WriteHeader(&h); r.err == nil {
		_, r.err = r.tar.Write(body)
	}
}

func (r *rootfs) dir(path string, owner int, mode int64) {
	r.entry(tar.Header{Typeflag: tar.TypeDir, Name: path + "/", Uid: owner, Gid: owner, Mode: mode}, nil)
}

func (r *rootfs) text(path string, mode int64, content string) {
	r.entry(tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: mode}, []byte(content))
}

func (r *rootfs) link(path, target string) {
	r.entry(tar.Header{Typeflag: tar.TypeSymlink, Name: path, Linkname: target, Mode: 0o777}, nil)
}

// file copies what path leads to, under the name that it has here.
func (r *rootfs) file(path string) { r.fileAs(path, path) }

func (r *rootfs) fileAs(from, to string) {
	body, err := os.ReadFile(from)
	if err != nil {
		r.fail(err)
		return
	}
	mode := int64(0o644)
	if info, err := os.Stat(from); err == nil && info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	r.entry(tar.Header{Typeflag: tar.TypeReg, Name: to, Mode: mode}, body)
}

// tree copies a folder, but not what skip tells it not to.
func (r *rootfs) tree(from, to string, skip func(path string) bool) {
	r.fail(filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case skip != nil && skip(name):
			if d.IsDir() {
				return filepath.SkipDir
			}
		case d.IsDir():
			r.dir(filepath.Join(to, name), 0, 0o755)
		default:
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				r.fileAs(path, filepath.Join(to, name))
			}
		}
		return r.err
	}))
}

// library is a line of ldd: "libm.so.6 => /lib/libm.so.6 (0x...)", or the loader
// alone.
var library = regexp.MustCompile(`(?m)^\s+(?:\S+ => )?(/\S+) \(0x`)

// program copies an ELF file and the libraries that it needs.
func (r *rootfs) program(path string) {
	r.file(path)
	out, err := exec.Command("ldd", path).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "not a dynamic executable") {
		r.fail(fmt.Errorf("ldd %s: %w: %s", path, err, out))
	}
	for _, found := range library.FindAllStringSubmatch(string(out), -1) {
		r.file(found[1])
	}
}

// base is what every image with a shell has: busybox, users, places to write.
func (r *rootfs) base() {
	r.dir("/tmp", 0, 0o1777)
	r.dir("/root", 0, 0o755)
	r.dir("/run", 0, 0o1777)
	r.text("/etc/passwd", 0o644, "root:x:0:0::/root:/bin/sh\npostgres:x:70:70::/var/lib/postgresql:/bin/sh\nhaproxy:x:99:99::/:/bin/sh\n")
	r.text("/etc/group", 0o644, "root:x:0:\npostgres:x:70:\nhaproxy:x:99:\n")
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		r.fail(err)
		return
	}
	r.program(busybox)
	applets, err := exec.Command(busybox, "--list").Output()
	r.fail(err)
	for _, name := range strings.Fields(string(applets)) {
		r.link("/bin/"+name, busybox)
	}
}
