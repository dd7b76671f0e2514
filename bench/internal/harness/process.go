package harness

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Process is a running node, or what it is compared with.
type Process struct {
	cmd   *exec.Cmd
	URL   string
	Ready time.Duration // from the start to the line that says so
	Log   *Tail
	ended chan struct{} // closed when the process is gone
}

// reap reads the rest of the output and waits for the end.
func (p *Process) reap(rest io.Reader) {
	io.Copy(io.Discard, rest)
	p.cmd.Wait()
	close(p.ended)
}

// Kill ends the process as a crash would, and returns when it is gone. Killing
// twice does nothing.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// Gone reports whether the process has ended.
func (p *Process) Gone() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Pid is the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Resident is the memory of the process that is in RAM, in bytes.
func (p *Process) Resident() (float64, error) { return memoryOf(p.Pid(), "VmRSS") }

// MostResident is the largest that [Process.Resident] ever was.
func (p *Process) MostResident() (float64, error) { return memoryOf(p.Pid(), "VmHWM") }

// ResidentOf is the memory of a process that is in RAM, in bytes.
func ResidentOf(pid int) (float64, error) { return memoryOf(pid, "VmRSS") }

// OwnResident is the memory of this process that is in RAM, in bytes.
func OwnResident() (float64, error) { return memoryOf(os.Getpid(), "VmRSS") }

// memoryOf reads a line of a process's status, in bytes.
func memoryOf(pid int, name string) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == name+":" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib * 1024, err
		}
	}
	return 0, fmt.Errorf("no %s in the status of process %d", name, pid)
}

// Tail keeps the last bytes that were written to it.
type Tail struct {
	mu   sync.Mutex
	kept []byte // guarded by mu
}

// TailBytes is enough for the last lines of a log.
const TailBytes = 4096

// Write implements [io.Writer]. It never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if n := len(t.kept) - TailBytes; n > 0 {
		t.kept = append(t.kept[:0], t.kept[n:]...)
	}
	return len(p), nil
}

// String returns what is kept.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.kept))
}
