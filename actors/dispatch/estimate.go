package dispatch

import "time"

// estimates are what turns of each predicted cost really used: the mean, in
// nanoseconds, exponentially weighted.
type estimates map[time.Duration]float64

const (
	learning   = 1.0 / 64 // weight of one more turn
	maxClasses = 4096     // predicted costs told apart; others are taken at their word
)

// of returns the cost to expect of a turn that its caller predicts to cost p.
func (e estimates) of(p time.Duration) time.Duration {
	if mean, ok := e[p]; ok {
		return time.Duration(mean)
	}
	return p
}

// learn takes in what one turn used.
func (e estimates) learn(p, used time.Duration) {
	mean, ok := e[p]
	if !ok {
		if len(e) >= maxClasses {
			return
		}
		mean = float64(p)
	}
	e[p] = mean + (float64(used)-mean)*learning
}
