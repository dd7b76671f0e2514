//go:build !linux

package pgtest

import (
	"errors"
	"os/exec"
	"syscall"
	"time"
)

// unprivileged returns the user that the server runs as: the one who runs the test.
func unprivileged() (*syscall.Credential, error) { return nil, nil }

// attributes makes a process run as a user.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Setpgid: true}
}

// run starts cmd and closes exited when it has ended.
func run(cmd *exec.Cmd, exited chan<- struct{}) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	return nil
}

// children returns the processes that a process has started: those of a server
// that was killed end by themselves.
func children(int) []int { return nil }

// CPU is known on Linux only.
func (s *Server) CPU() (time.Duration, error) { return 0, errors.ErrUnsupported }
