//go:build !unix

package flight

import (
	"errors"
	"os"
)

// Create is for systems that keep mapped memory of a process that was killed.
func Create(dir, process string, threads int) (*Recorder, error) {
	return nil, errors.ErrUnsupported
}

// Close does nothing.
func (r *Recorder) Close() {}

// Disown does nothing.
func (r *Recorder) Disown() {}

func lock(*os.File) bool { return false }
