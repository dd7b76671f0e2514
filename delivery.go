package fairfactor

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Callback is who is told of a job's end, and how far that is.
type Callback struct {
	URL       string        // http or https, at most [MaxCallbackBytes]
	State     DeliveryState // zero until the job has ended
	Attempts  int           // that have ended
	LastError string        // of the last attempt, a sentence
	Next      time.Time     // of the next attempt, zero if there will be no other
}

// MaxCallbackBytes bounds the URL of a [Callback].
const MaxCallbackBytes = 2048

// DeliveryState says what became of the message to a [Callback].
type DeliveryState uint8

// States of a delivery; the zero state is that of a job that has not ended.
const (
	DeliveryPending DeliveryState = iota + 1
	Delivered
	DeliveryFailed // it was given up
)

var deliveryNames = [...]string{0: "waiting", DeliveryPending: "pending", Delivered: "delivered", DeliveryFailed: "failed"}

func (s DeliveryState) String() string {
	if int(s) >= len(deliveryNames) {
		return "state(" + strconv.Itoa(int(s)) + ")"
	}
	return deliveryNames[s]
}

// ParseDeliveryState returns the state with that name, or false.
func ParseDeliveryState(name string) (DeliveryState, bool) {
	for s, n := range deliveryNames {
		if n == name {
			return DeliveryState(s), true
		}
	}
	return 0, false
}

// Host is the host and port that a callback goes to, in lower case; empty if its URL
// can't be read.
func (c *Callback) Host() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return ""
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return host + ":" + port
}

// DeliveryStore is the part of a [Store] that keeps what callbacks have not been told
// yet. A job that ends, with [Finish] or [AcceptEnded], and has a callback is owed a
// delivery from the same commit on; a job that is queued again is owed none.
//
// The URL of a job's callback stays as it was accepted.
type DeliveryStore interface {
	// ClaimDeliveries takes deliveries that are due at the given time, for as long as the
	// lease: until then no other claim gets them. It takes the earliest of each host, at
	// most perHost, and none of the busy hosts; at most limit. Its cost grows with the
	// hosts whose deliveries are due and with what it returns.
	ClaimDeliveries(ctx context.Context, now time.Time, lease time.Duration, busy []string, perHost, limit int) ([]Delivery, error)
	// SettleDeliveries makes durable what came of attempts. Those whose claim is over, or
	// whose job is gone or was queued again, are ignored.
	SettleDeliveries(ctx context.Context, settled []Settled) error
	// Owed gets a value after jobs with callbacks have ended in this process.
	Owed() <-chan struct{}
}

// Delivery is a claimed delivery.
type Delivery struct {
	Job   Job    // as it ended, with its callback
	Claim uint64 // names the claim
}

// ID names the delivery: it is the same in each attempt, and another one when the job
// ends again after a retry.
func (d *Delivery) ID() string {
	return d.Job.ID.String() + "-" + strconv.FormatUint(d.Job.Order, 10)
}

// Settled is what came of an attempt.
type Settled struct {
	ID        ID
	Claim     uint64
	State     DeliveryState
	LastError string
	Next      time.Time // of the next attempt, if the state is pending
}
