package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"fairfactor"
)

// classes are all of the appendix "PostgreSQL Error Codes", with what is done about
// the codes of each.
var classes = map[string]string{
	"00": "refusal", "01": "refusal", "02": "refusal", "03": "refusal", "08": "away", "09": "refusal", "0A": "refusal", "0B": "refusal",
	"0F": "refusal", "0L": "refusal", "0P": "refusal", "0Z": "refusal", "10": "refusal", "20": "refusal", "21": "refusal", "22": "refusal",
	"23": "refusal", "24": "refusal", "25": "refusal", "26": "refusal", "27": "refusal", "28": "refusal", "2B": "refusal", "2D": "refusal",
	"2F": "refusal", "34": "refusal", "38": "refusal", "39": "refusal", "3B": "refusal", "3D": "refusal", "3F": "refusal", "40": "again",
	"42": "refusal", "44": "refusal", "53": "away", "54": "refusal", "55": "refusal", "57": "away", "58": "away", "72": "again",
	"F0": "refusal", "HV": "refusal", "P0": "refusal", "XX": "refusal", "YB": "again",
}

// TestEveryClassOfErrors: whatever the server says, it is never an internal error,
// and the client is told when to come again.
func TestEveryClassOfErrors(t *testing.T) {
	if len(verdicts) != len(classes) {
		t.Errorf("%d classes, want %d", len(verdicts), len(classes))
	}
	cases := map[string]string{
		"25006": "away", "25P03": "again", "25P04": "again", "25P02": "refusal", "55P03": "again", "55006": "again", "55000": "refusal",
		"57014": "slow", "57P01": "away", "57P03": "away", "53300": "away", "53100": "away", "40P01": "again", "28P01": "refusal",
		"26000": "refusal", "ZZ001": "refusal", "X": "refusal",
		"40001": "again", "40003": "again", "58C00": "away", "58C01": "away", "08C00": "away", "YB003": "again", // of CockroachDB and YugabyteDB
	}
	for class, want := range classes {
		cases[class+"000"] = want
	}
	for code, want := range cases {
		err := error(fmt.Errorf("connect: %w", &pgconn.PgError{Severity: "FATAL", Code: code}))
		got := map[verdict]string{refusal: "refusal", again: "again", away: "away", slow: "slow"}[verdictOf(err)]
		if got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
		if gone(err) != (want == "away") || aborted(err) != (want == "again") || passing(err) != (want != "refusal") {
			t.Errorf("%s: gone %v, aborted %v, passing %v", code, gone(err), aborted(err), passing(err))
		}
		var e *fairfactor.Error
		if out := failure(context.Background(), err, "to read"); !errors.As(out, &e) || e.Code != fairfactor.Unavailable || e.Retry < time.Second {
			t.Errorf("%s: %#v", code, out)
		}
		if out := openError(err); fairfactor.CodeOf(out) == fairfactor.Internal {
			t.Errorf("%s when it is opened: %v", code, out)
		}
	}
	for _, err := range []error{io.ErrUnexpectedEOF, context.DeadlineExceeded, &pgconn.ConnectError{Config: &pgconn.Config{}}} {
		var e *fairfactor.Error
		if out := failure(context.Background(), err, "to read"); !gone(err) || !errors.As(out, &e) || e.Code != fairfactor.Unavailable || e.Retry == 0 {
			t.Errorf("%v: %v", err, out)
		}
	}
	for _, code := range []string{codeNoFunction, codeNoObject, codeNoFeature} {
		if out := openError(&pgconn.PgError{Code: code}); fairfactor.CodeOf(out) != fairfactor.Invalid || !strings.Contains(fairfactor.MessageOf(out), "PostgreSQL 14") {
			t.Errorf("%s when it is opened: %v", code, out)
		}
	}
	own := fairfactor.Errorf(fairfactor.Internal, "the database is damaged")
	if out := failure(context.Background(), own, "to read"); out != error(own) {
		t.Errorf("an error of ours became %v", out)
	}
	if !refused(&pgconn.PgError{SeverityUnlocalized: "ERROR", Code: "40001"}) || refused(&pgconn.PgError{SeverityUnlocalized: "FATAL", Code: "57P01"}) ||
		refused(&pgconn.PgError{SeverityUnlocalized: "ERROR", Code: "40003"}) {
		t.Error("what says for sure that nothing was committed")
	}
}
