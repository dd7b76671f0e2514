package chaos

import (
	"fmt"
	"slices"
	"sync"

	"fairfactor/bench/internal/verify"
)

// register is what one setting of a caller may be, as far as its only writer knows. A write
// that was answered is what a read that begins later must see, on whichever node. One that had no
// answer may happen at any time, also after later ones.
type register struct {
	last string   // of the last write that was answered, empty for none
	open []string // of those that were not
}

// wrote notes a write.
func (r *register) wrote(value string, answered bool) {
	if answered {
		r.last = value
	} else if !slices.Contains(r.open, value) {
		r.open = append(r.open, value)
	}
}

// is reports whether the setting has that value for certain.
func (r *register) is(value string) bool { return r.last == value && len(without(r.open, value)) == 0 }

// may reports whether a read may see that value.
func (r *register) may(value string) bool {
	return r.last == value || r.last == "" || slices.Contains(r.open, value)
}

func without(all []string, value string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(v string) bool { return v == value })
}

// orders counts what operators saw of what they ordered.
type orders struct {
	mu       sync.Mutex
	reads    int      // guarded by mu
	wrong    int      // guarded by mu
	examples []string // guarded by mu
}

// read notes an answer that says something of an order, and whether it is right.
func (o *orders) read(right bool, format string, args ...any) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reads++
	if !right {
		if o.wrong++; len(o.examples) < verify.MaxExamples {
			o.examples = append(o.examples, fmt.Sprintf(format, args...))
		}
	}
	return right
}
