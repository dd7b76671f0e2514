package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"fairfactor"
)

// Codes of PostgreSQL's errors that matter here.
const (
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeLockTimeout   = "55P03"
	codeReadOnly      = "25006"
	codeTimeout       = "57014" // of a statement
	codeIdle          = "25P03" // of a transaction whose node did not go on: its session was ended
	codeNoPassword    = "28P01"
	codeNoAccess      = "28000"
	codeNoDatabase    = "3D000"
	codeNotAllowed    = "42501"
)

// aborted says that the server has refused a transaction that may succeed when it
// is tried again.
func aborted(err error) bool {
	switch pgCode(err) {
	case codeSerialization, codeDeadlock, codeLockTimeout, codeIdle:
		return true
	}
	return false
}

// pgCode returns the code that the server gave to an error, or none.
func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// refused says that the server has answered, with an error that leaves the
// connection open; so the transaction was not committed.
func refused(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.SeverityUnlocalized == "ERROR"
}

// gone says that there was nobody to ask, or that the answer did not come: the
// server is down, starts, stops, or can't be reached.
func gone(err error) bool {
	code := pgCode(err)
	switch {
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "57P"), strings.HasPrefix(code, "53"), code == codeReadOnly:
		return true
	case code != "":
		return false
	}
	var e *fairfactor.Error
	var dns *net.DNSError
	switch {
	case errors.As(err, &e):
		return false
	case errors.As(err, &dns) && dns.IsNotFound:
		return true // a name that a new node's network does not know yet
	}
	return true
}

// failure turns an error of the database into one of ours. what says what was
// not done.
func failure(ctx context.Context, err error, what string) error {
	var e *fairfactor.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return live(ctx)
	case errors.As(err, &e):
		return err
	case ctx.Err() != nil, gone(err), aborted(err), pgCode(err) == codeTimeout:
		return &fairfactor.Error{Code: fairfactor.Unavailable, Message: "the database is not available", Retry: time.Second, Err: errors.Join(errors.New(what), err)}
	}
	return fairfactor.Wrap(fairfactor.Internal, err, "the database refused "+what)
}

// live returns an error if ctx has ended.
func live(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fairfactor.Wrap(fairfactor.Canceled, err, "the caller went away")
	}
	return nil
}

// urlError explains a URL that can't be read, without the password in it.
func urlError(err error) error {
	var p *pgconn.ParseConfigError
	if errors.As(err, &p) {
		err = errors.Unwrap(p)
	}
	return fairfactor.Wrap(fairfactor.Invalid, err, "--store is not the address of a PostgreSQL: write postgres://user:password@host:5432/database")
}

// openError explains why the first connection failed.
func openError(err error) error {
	var e *fairfactor.Error
	if errors.As(err, &e) {
		return err
	}
	code, user, database, address := pgCode(err), "", "", ""
	var c *pgconn.ConnectError
	if errors.As(err, &c) {
		user, database = c.Config.User, c.Config.Database
		address = net.JoinHostPort(c.Config.Host, strconv.Itoa(int(c.Config.Port)))
	}
	wrap := func(code fairfactor.Code, message string) error { return fairfactor.Wrap(code, err, message) }
	switch code {
	case codeNoPassword:
		return wrap(fairfactor.Invalid, "the database server refuses the password of the user "+quoted(user)+": correct it in --store")
	case codeNoAccess:
		return wrap(fairfactor.Invalid, "the database server lets the user "+quoted(user)+" not in: look at its pg_hba.conf and at sslmode in --store")
	case codeNoDatabase:
		return wrap(fairfactor.Invalid, "there is no database "+quoted(database)+": make it with CREATE DATABASE, or name another one in --store")
	case codeNotAllowed:
		return wrap(fairfactor.Invalid, "the database user may not make what is needed: give it the database with ALTER DATABASE ... OWNER TO")
	}
	if gone(err) {
		return wrap(fairfactor.Unavailable, "the database at "+address+" can't be reached: is it running, and is the address in --store right?")
	}
	return wrap(fairfactor.Internal, "the database can't be used")
}

func quoted(name string) string { return strconv.Quote(name) }

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// sized reports whether a URL says how many connections there may be.
func sized(url string) bool { return strings.Contains(url, "pool_max_conns") }

// backoff is how long to wait before the next try, 50 ms to 2 s.
type backoff time.Duration

func (b backoff) next() backoff {
	return min(max(2*b, backoff(50*time.Millisecond)), backoff(2*time.Second))
}

// pause waits, for half to all of the time, or returns false when ended closes.
func (b backoff) pause(ended <-chan struct{}) bool {
	d := max(time.Duration(b), 50*time.Millisecond)
	t := time.NewTimer(d/2 + rand.N(d/2))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ended:
		return false
	}
}
