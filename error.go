package fairfactor

import (
	"errors"
	"fmt"
	"time"
)

// Code classifies errors by who must act next.
type Code string

// Codes of [Error].
const (
	Invalid     Code = "invalid"     // the caller must change its input
	NotFound    Code = "not_found"   // there is no such thing
	Conflict    Code = "conflict"    // the thing is in another state, or has another owner now
	Limit       Code = "limit"       // a bound was reached: try again later, with less
	Unavailable Code = "unavailable" // the service can't say yes now: try again
	Canceled    Code = "canceled"    // the caller went away
	Internal    Code = "internal"    // our fault; the text stays in the log
)

// Error is the only error type that crosses a package border. Message is a
// sentence for the person who has to act on it.
type Error struct {
	Code    Code
	Message string
	Retry   time.Duration // when to try again, zero if that is up to the caller
	Quota   *Quota        // the bound of the caller that was reached, nil for none
	Err     error         // cause, for the log only
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an [*Error] without a cause.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns an [*Error] with a cause that is kept for the log.
func Wrap(code Code, err error, message string) *Error {
	return &Error{Code: code, Message: message, Err: err}
}

// CodeOf returns the code of err: [Internal] for an error that has none, and
// the empty code for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// MessageOf returns the sentence of err, which any user may see; an error without
// one gives a general sentence, never its own text.
func MessageOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Message
	}
	return "internal error"
}

// ErrUnanswered is for a request whose answer is lost: it may have been carried out
// or not. [Unavailable] without it says that it was not.
var ErrUnanswered = &Error{Code: Unavailable, Message: "the answer to the request was lost: it may have been carried out"}

// ErrFenced answers a write whose epoch is not the newest: another activation owns
// the caller now, and the writer must stop.
var ErrFenced = &Error{Code: Conflict, Message: "another activation of this caller has taken over"}

// ErrWentBack answers a write of an activation that began before the store lost
// acknowledged changes, by a failover to a standby that lagged or by a restored
// backup. What the activation believes may be wrong, so it must stop, as after
// [ErrFenced], which this error wraps.
var ErrWentBack = &Error{Code: Conflict, Message: "the database has lost changes that it had acknowledged: this activation must begin again", Err: ErrFenced}
