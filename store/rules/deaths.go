package rules

import (
	"strconv"
	"strings"
	"time"

	"fairfactor"
)

// DeathsText writes deaths as stores keep them: nanoseconds of CPU, then the processes,
// with a space between; empty for none.
func DeathsText(d *fairfactor.Deaths) string {
	if d.Count() == 0 {
		return ""
	}
	return strconv.FormatInt(int64(d.CPU), 10) + " " + strings.Join(d.Processes, " ")
}

// ParseDeaths reads what DeathsText wrote.
func ParseDeaths(text string) (*fairfactor.Deaths, bool) {
	if text == "" {
		return nil, true
	}
	fields := strings.Split(text, " ")
	cpu, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || len(fields) < 2 {
		return nil, false
	}
	return &fairfactor.Deaths{CPU: time.Duration(cpu), Processes: fields[1:]}, true
}
