//go:build compose

package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// standIn is a local image in the place of a public one, for machines that have
// a container engine and no image registry. It is made of this machine's own
// programs, and works as the public one does as far as the compose file and the
// Dockerfile can tell.
type standIn struct {
	name    string
	changes []string // as in a Dockerfile
	fill    func(t *testing.T, r *rootfs)
}

// publicImages in the environment says that the public images are to be used.
const publicImages = "FAIRFACTOR_PUBLIC_IMAGES"

// standInLabel tells a stand-in, and what was built from it, from a public image.
const standInLabel = "fairfactor.stand-in"

// keepImages in the environment says that stand-ins that are there are good
// enough, and are to stay.
const keepImages = "FAIRFACTOR_KEEP_IMAGES"

// standIns makes those images that are not there already, and takes them away
// again when the test is over: they must not be taken for the public ones.
func standIns(t *testing.T) {
	t.Helper()
	if os.Getenv(publicImages) != "" {
		return
	}
	keep := os.Getenv(keepImages) != ""
	if !keep {
		t.Cleanup(func() { docker(t, "image", "prune", "-f", "--filter", "label="+standInLabel) })
	}
	all := []standIn{golangImage(), postgresImage(), haproxyImage()}
	for _, name := range imagesNamed(t) {
		if !slices.ContainsFunc(all, func(s standIn) bool { return s.name == name }) {
			t.Fatalf("%s is named by the Dockerfile or docker-compose.yml, and there is no stand-in for it here", name)
		}
	}
	for _, s := range all {
		labels, err := exec.Command("docker", "image", "inspect", "-f", "{{.Config.Labels}}", s.name).Output()
		if err == nil && (keep || !strings.Contains(string(labels), standInLabel)) {
			t.Logf("%s is there", s.name)
			continue
		}
		if err := s.make(t); err != nil {
			t.Fatalf("stand-in for %s: %v", s.name, err)
		}
		if !keep {
			t.Cleanup(func() { docker(t, "image", "rm", "-f", s.name) })
		}
	}
}

// imagesNamed are the public images that are needed without the profile metrics.
func imagesNamed(t *testing.T) (names []string) {
	t.Helper()
	for _, file := range []string{"Dockerfile", "docker-compose.yml"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			words := strings.Fields(line)
			if len(words) < 2 || words[0] != "FROM" && words[0] != "image:" {
				continue
			}
			name := words[1]
			if name != "scratch" && !strings.HasPrefix(name, "fairfactor:") && !strings.Contains(name, "/") {
				names = append(names, name)
			}
		}
	}
	if len(names) < 3 {
		t.Fatalf("only %v are named", names)
	}
	return names
}

func (s standIn) make(t *testing.T) error {
	args := []string{"import", "--change", "LABEL " + standInLabel + "=1"}
	for _, c := range s.changes {
		args = append(args, "--change", c)
	}
	cmd := exec.Command("docker", append(args, "-", s.name)...)
	in, out := io.Pipe()
	var said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &said, &said
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		if err != nil {
			err = fmt.Errorf("docker import: %w: %s", err, said.String())
		}
		in.CloseWithError(errors.Join(io.ErrClosedPipe, err)) // who still writes is told
		ended <- err
	}()
	r := newRootfs(out)
	s.fill(t, r)
	filled := r.close()
	out.CloseWithError(filled) // a nil error is the end of the file
	return errors.Join(filled, <-ended)
}

// golangImage has this machine's toolchain, a module proxy in files with what
// go.mod names, so that nothing is downloaded while an image is built, and what
// is compiled already, so that a busy machine doesn't compile it for each test.
func golangImage() standIn {
	return standIn{
		name: "golang:1.26-alpine",
		changes: []string{
			"ENV PATH=/usr/local/go/bin:/bin", "ENV GOPATH=/go", "ENV GOTOOLCHAIN=local", "ENV GOPROXY=file:///proxy",
			"ENV GOFLAGS=-modcacherw", "ENV GOCACHE=/cache", "ENV HOME=/root", "WORKDIR /go",
		},
		fill: func(t *testing.T, r *rootfs) {
			r.base()
			r.tree(goEnv(t, "GOROOT"), "/usr/local/go", func(path string) bool {
				return path == "test" || path == "doc" || path == "api" || path == "misc" || path == "src/cmd" ||
					strings.HasSuffix(path, "/testdata") || strings.HasSuffix(path, "_test.go")
			})
			r.tree(modules(t), "/proxy", nil)
			r.tree(compiled(t), "/cache", nil)
			r.file("/etc/ssl/certs/ca-certificates.crt")
		},
	}
}

// modules returns a module proxy in files, with all that the program needs.
func modules(t *testing.T) string {
	cache := t.TempDir()
	here := "file://" + filepath.Join(goEnv(t, "GOMODCACHE"), "cache", "download")
	for _, args := range [][]string{{"mod", "download"}, {"list", "-deps", "./cmd/fairfactor"}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GOMODCACHE="+cache, "GOFLAGS=-modcacherw", "GOPROXY="+here+","+goEnv(t, "GOPROXY"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}
	return filepath.Join(cache, "cache", "download")
}

// compiled returns a build cache with all that the program is made of. It is
// kept from test to test; Go itself deletes what was not used for days.
func compiled(t *testing.T) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "fairfactor-stand-in")
	cmd := exec.Command("go", "build", "-trimpath", "-o", os.DevNull, "./cmd/fairfactor")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOCACHE="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return dir
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// haproxyImage runs as the public one does: as haproxy, with a master process.
func haproxyImage() standIn {
	return standIn{
		name: "haproxy:3.2-alpine",
		changes: []string{
			"ENV PATH=/usr/sbin:/bin", "USER haproxy",
			`CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]`,
		},
		fill: func(_ *testing.T, r *rootfs) {
			r.base()
			r.dir("/usr/local/etc/haproxy", 0, 0o755)
			r.program("/usr/sbin/haproxy")
		},
	}
}

// postgresImage sets a database up at its first start, as the public one does.
func postgresImage() standIn {
	const data = "/var/lib/postgresql/data"
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	s := standIn{name: "postgres:17-alpine"}
	if len(versions) == 0 {
		s.fill = func(_ *testing.T, r *rootfs) {
			r.fail(errors.New("no /usr/lib/postgresql/*/bin/postgres: install postgresql"))
		}
		return s
	}
	bin := filepath.Dir(versions[len(versions)-1])
	version := filepath.Base(filepath.Dir(bin))
	s.changes = []string{
		"ENV PATH=" + bin + ":/bin", "ENV PGDATA=" + data, "USER postgres", "VOLUME " + data,
		`ENTRYPOINT ["/entrypoint.sh"]`, `CMD ["postgres"]`,
	}
	s.fill = func(_ *testing.T, r *rootfs) {
		r.base()
		const owner = 70
		r.dir("/var/lib/postgresql", owner, 0o755)
		r.dir(data, owner, 0o700)
		r.dir("/var/run/postgresql", owner, 0o755)
		for _, name := range []string{"postgres", "initdb", "pg_ctl", "pg_isready", "psql"} {
			r.program(filepath.Join(bin, name))
		}
		lib := filepath.Join(filepath.Dir(bin), "lib")
		for _, name := range []string{"plpgsql.so", "dict_snowball.so"} {
			r.program(filepath.Join(lib, name))
		}
		share := filepath.Join("/usr/share/postgresql", version)
		r.tree(share, share, func(path string) bool { return path == "man" || strings.HasSuffix(path, "/man") })
		for _, zone := range []string{"UTC", "GMT", "Etc/UTC"} {
			r.file("/usr/share/zoneinfo/" + zone)
		}
		r.text("/entrypoint.sh", 0o755, postgresEntry)
	}
	return s
}

// postgresEntry is the part of the public image's entry point that the compose
// file uses.
const postgresEntry = `#!/bin/sh
set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	printf %s "${POSTGRES_PASSWORD:?}" >/tmp/password
	initdb --username="$POSTGRES_USER" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C
	rm /tmp/password
	echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
	pg_ctl -w -o "-c listen_addresses=''" start
	echo "CREATE DATABASE $POSTGRES_DB" | psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres
	pg_ctl -w -m fast stop
	echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
fi
exec "$@"
`
