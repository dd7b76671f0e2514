package report

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Machine says what a measurement ran on.
type Machine struct {
	CPU  string    `json:"cpu"`
	CPUs int       `json:"cpus"`
	Go   string    `json:"go"`
	Date time.Time `json:"date"`
	Load string    `json:"load,omitempty"` // of the last minute, when it began
}

// ThisMachine describes the machine and its load.
func ThisMachine() Machine {
	m := Machine{CPU: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version(), Date: time.Now().UTC().Truncate(time.Second)}
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			if key, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(load), " ")
	}
	return m
}

// String is one line for people.
func (m Machine) String() string {
	s := fmt.Sprintf("%s, %d CPUs, %s, %s", m.CPU, m.CPUs, m.Go, m.Date.Format(time.DateOnly))
	if m.Load != "" {
		s += ", load " + m.Load + " before"
	}
	return s
}
