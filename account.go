package fairfactor

import (
	"context"
	"time"
)

// AccountStore is the part of a [Store] that bounds how many accounts it keeps. An
// account is what is stored of a caller besides its jobs. It is idle while no job of
// the caller is stored and nothing is set for the caller: no weight, bounds or pause, and
// no group that an operator has chosen.
type AccountStore interface {
	// Forget removes at most limit accounts that have been idle since before the given
	// time, and returns how many it removed. A caller that comes back is new: it gets
	// another number, because no number is given twice, and [ErrFenced] answers the
	// changes of its earlier activations. The cost grows with what is removed, not with
	// the number of accounts.
	Forget(ctx context.Context, before time.Time, limit int) (int, error)
	// BoundAccounts sets how many accounts are kept at most, zero for any number. It is
	// called before anything else. At the bound a new caller takes the place of the account
	// that has been idle longest; if none is idle, its claim, or its first change, is
	// refused with [ErrTooManyCallers].
	BoundAccounts(most uint64)
	// Accounts counts accounts.
	Accounts(ctx context.Context) (Accounts, error)
}

// Accounts says how many accounts a store has.
type Accounts struct {
	Kept      uint64 // of the store, those of active callers included
	Forgotten uint64 // by this process
}

// ErrTooManyCallers refuses a new caller because the store has as many accounts as it may.
var ErrTooManyCallers = &Error{
	Code: Limit, Retry: time.Minute,
	Message: "the service keeps as many callers as it may, and takes no new one now: use a caller id that has jobs, or try again later",
}
