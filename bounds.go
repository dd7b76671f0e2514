package fairfactor

import "time"

// Bounds are what an operator allows one caller. A bound that is zero is not set: the
// caller has what the node allows to all.
type Bounds struct {
	MaxQueue  uint64        // unfinished jobs, besides the bound that all callers have
	MaxRate   uint64        // submissions a second, and at most a second's worth at once
	MaxDigits uint64        // of a number
	MaxCPU    time.Duration // that its jobs may use in a day, from midnight to midnight UTC, before submissions are refused
	// Day is the day whose CPU counts, in days since 1970, and Before what the caller had
	// used before it. Its actor keeps both; they are zero without MaxCPU.
	Day    uint64
	Before time.Duration
}

// Largest values of [Bounds].
const (
	MaxQueueBound  = 1 << 40                     // jobs
	MaxRateBound   = 1_000_000                   // submissions a second
	MaxDigitsBound = 1_000_000                   // decimal digits
	MaxCPUBound    = 1_000_000_000 * time.Second // of CPU in a day
)

// Set reports whether the caller has any bound of its own.
func (b *Bounds) Set() bool {
	return b.MaxQueue > 0 || b.MaxRate > 0 || b.MaxDigits > 0 || b.MaxCPU > 0
}

// CheckBounds returns an error, which is [Invalid], if a caller can't have these bounds.
func CheckBounds(b Bounds) error {
	for _, one := range []struct {
		name        string
		value, most uint64
	}{
		{"max_queue", b.MaxQueue, MaxQueueBound},
		{"max_rate", b.MaxRate, MaxRateBound},
		{"max_digits", b.MaxDigits, MaxDigitsBound},
		{"max_cpu_seconds_per_day", uint64(b.MaxCPU / time.Second), uint64(MaxCPUBound / time.Second)},
	} {
		if one.value > one.most {
			return Errorf(Invalid, "%s is %d: it can be at most %d", one.name, one.value, one.most)
		}
	}
	if b.MaxCPU < 0 || b.MaxCPU%time.Second != 0 || b.Before < 0 {
		return Errorf(Invalid, "max_cpu_seconds_per_day is %v: it must be a whole number of seconds, 1 or more", b.MaxCPU)
	}
	return nil
}

// BoundsChange says which bounds of a caller to change; nil leaves one as it is, and zero
// takes it away.
type BoundsChange struct {
	MaxQueue, MaxRate, MaxDigits *uint64
	MaxCPU                       *time.Duration
}

// Apply returns the bounds with the change.
func (c *BoundsChange) Apply(b Bounds) Bounds {
	for _, one := range []struct{ to, from *uint64 }{{&b.MaxQueue, c.MaxQueue}, {&b.MaxRate, c.MaxRate}, {&b.MaxDigits, c.MaxDigits}} {
		if one.from != nil {
			*one.to = *one.from
		}
	}
	if c.MaxCPU != nil {
		b.MaxCPU = *c.MaxCPU
	}
	if b.MaxCPU == 0 {
		b.Day, b.Before = 0, 0
	}
	return b
}

// Quota says which bound refused a submission, for clients that pace themselves.
type Quota struct {
	Name   string        // queue, rate, cpu or digits
	Unit   string        // of Limit: jobs, requests, cpu-seconds or digits
	Limit  uint64        // in Window
	Window time.Duration // zero for a bound at any time
	Reset  time.Duration // until something is left of it again, zero if no one knows
}
