package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"fairfactor"
)

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
	return errors.As(err, &e) && e.SeverityUnlocalized == "ERROR" && e.Code != codeUnknown
}

// gone says that there was no server to ask, or that the answer did not come: it is
// down, starts, stops, or can't be reached.
func gone(err error) bool {
	var e *fairfactor.Error
	switch {
	case pgCode(err) != "":
		return verdictOf(err) == away
	case errors.As(err, &e), distrusted(err):
		return false
	}
	return true // a name that a new node's network does not know yet is of these too
}

// distrusted says that the certificate of the server is not one that this node trusts.
func distrusted(err error) bool {
	var c *tls.CertificateVerificationError
	return errors.As(err, &c)
}

// aborted says that the server has refused a transaction that may succeed when it
// is tried again.
func aborted(err error) bool { return pgCode(err) != "" && verdictOf(err) == again }

// passing says that what is in the way goes away by itself, perhaps.
func passing(err error) bool {
	return gone(err) || aborted(err) || pgCode(err) != "" && verdictOf(err) == slow || errors.Is(err, context.DeadlineExceeded)
}

// failure turns an error of the database into one of ours. what says what was
// not done. Whatever the database says, the client's move is to come again.
func failure(ctx context.Context, err error, what string) error {
	var e *fairfactor.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return live(ctx)
	case errors.As(err, &e):
		return err
	}
	out := &fairfactor.Error{
		Code: fairfactor.Unavailable, Message: "the database is not available", Retry: time.Second,
		Err: errors.Join(errors.New(what), err),
	}
	if ctx.Err() == nil && !passing(err) {
		out.Message, out.Retry = "the database refuses what this node asks of it: its operator has to look at the log", refusedRetry
	}
	return out
}

// refusedRetry is when to come again if an operator has to put something right first.
const refusedRetry = 10 * time.Second

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
	case codeNoStatement, codeStatementTwice:
		return errPooled
	case codeNoFeature, codeNoObject, codeNoFunction:
		return wrap(fairfactor.Invalid, "the database server lacks something that a node needs: PostgreSQL 14 and newer have it, others that speak its protocol may not")
	case codeNotAllowed:
		return wrap(fairfactor.Invalid, "the database user may not make what is needed: give it the database with ALTER DATABASE ... OWNER TO")
	}
	if distrusted(err) {
		return wrap(fairfactor.Invalid, "the certificate of the database server at "+address+" is not trusted: look at its names and its authority, and at sslrootcert in --store")
	}
	if gone(err) && code != "" {
		return wrap(fairfactor.Unavailable, "the database server takes no connection or no write now: look at its log")
	}
	if gone(err) {
		return wrap(fairfactor.Unavailable, "the database at "+address+" can't be reached: is it running, and is the address in --store right?")
	}
	return wrap(fairfactor.Unavailable, "the database can't be used")
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
