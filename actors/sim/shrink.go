package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Less says what is left of the run of a seed. As text it is what a person gives to
// see that run again: "clients=1,requests=4,faults=0+2".
type Less struct {
	Clients  int   // the first ones
	Requests int   // of each, the first ones
	Faults   []int // those that are left, by their place among those of the seed
}

// All is all that the options have.
func (o Options) All() Less {
	l := Less{Clients: o.Clients, Requests: o.Requests}
	for i := range o.Faults {
		l.Faults = append(l.Faults, i)
	}
	return l
}

// Only returns the options with what is left.
func (o Options) Only(l Less) Options {
	faults := o.Faults
	o.Clients, o.Requests, o.Faults = l.Clients, l.Requests, nil
	for _, i := range l.Faults {
		if i < len(faults) {
			o.Faults = append(o.Faults, faults[i])
		}
	}
	return o
}

func (l Less) String() string {
	var faults []string
	for _, i := range l.Faults {
		faults = append(faults, strconv.Itoa(i))
	}
	return fmt.Sprintf("clients=%d,requests=%d,faults=%s", l.Clients, l.Requests, strings.Join(faults, "+"))
}

// ParseLess reads what [Less.String] wrote.
func ParseLess(text string) (l Less, err error) {
	for _, part := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "clients":
			l.Clients, err = strconv.Atoi(value)
		case "requests":
			l.Requests, err = strconv.Atoi(value)
		case "faults":
			for _, field := range strings.FieldsFunc(value, func(r rune) bool { return r == '+' }) {
				i, wrong := strconv.Atoi(field)
				if wrong != nil {
					return l, wrong
				}
				l.Faults = append(l.Faults, i)
			}
		default:
			err = fmt.Errorf("%q is not clients, requests or faults", name)
		}
		if err != nil {
			return l, err
		}
	}
	return l, nil
}

// Shrink looks for less of a run that still breaks a promise: without one fault
// after the other, then with fewer clients and requests.
func Shrink(o Options) Less {
	least := o.All()
	try := func(l Less) bool {
		if len(Run(o.Only(l), nil).Faults) == 0 {
			return false
		}
		least = l
		return true
	}
	for i := 0; i < len(least.Faults); {
		l := least
		if l.Faults = slices.Delete(slices.Clone(least.Faults), i, i+1); !try(l) {
			i++
		}
	}
	for l := least; l.Clients > 1; {
		if l.Clients--; !try(l) {
			break
		}
	}
	for l := least; l.Requests > 1; {
		if l.Requests--; !try(l) {
			break
		}
	}
	return least
}
