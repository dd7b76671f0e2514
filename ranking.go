package fairfactor

// CallerOrder is an order of callers.
type CallerOrder uint8

// Orders of callers. Those that have equally much are in the order
// of their names.
const (
	ByName    CallerOrder = iota
	ByQueued              // those with the most jobs that wait come first
	ByRunning             // those with the most jobs that run come first
	ByCPU                 // those that have used the most CPU come first
)

var orderNames = [...]string{ByName: "name", ByQueued: "-queued", ByRunning: "-running", ByCPU: "-cpu"}

func (o CallerOrder) String() string { return orderNames[o] }

// ParseCallerOrder returns the order with that name, or false.
func ParseCallerOrder(name string) (CallerOrder, bool) {
	for o := ByName; o <= ByCPU; o++ {
		if orderNames[o] == name {
			return o, true
		}
	}
	return ByName, false
}

// CallerOrders are the names of all orders.
func CallerOrders() []string { return orderNames[:] }

// Value is what callers in that order have much of: jobs, or nanoseconds.
func (o CallerOrder) Value(c *Caller) uint64 {
	switch o {
	case ByQueued:
		return c.Queued - min(c.Running, c.Queued)
	case ByRunning:
		return c.Running
	case ByCPU:
		return uint64(c.CPU)
	}
	return 0
}

// MaxRanked is how many callers are put in an order other than by name: those that
// come first in it. The others follow by name.
const MaxRanked = 1000

// CallerQuery selects callers for [Jobs.RankedCallers].
type CallerQuery struct {
	Order  CallerOrder
	Prefix string // of their names
	Limit  int    // 1 to [MaxPage]
	After  string // opaque, from [CallerPage.Next]; empty for the first page
}

// CallerPage is one page of callers.
type CallerPage struct {
	Callers []Caller
	Next    string // cursor of the next page, empty on the last one
}
