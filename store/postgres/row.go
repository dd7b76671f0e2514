package postgres

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fairfactor"
	"fairfactor/store/rules"
)

// Bounds of the numbers in an id.
const (
	maxNumber = rules.MaxNumber
	maxNonce  = rules.MaxNonce
)

// maxKey bounds an idempotency key: an index takes no longer ones. It is far
// above [fairfactor.MaxKeyBytes].
const maxKey = 1024

// kept returns a time as it is stored: in microseconds, in UTC. The zero time is
// stored as what it is, the first second of the year 1.
func kept(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// storable reports whether a column of texts takes this one.
func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// sentence returns a reason as it can be stored.
func sentence(text string) string {
	if storable(text) {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
}

// proofMarks stand behind primes that were proven that way.
var proofMarks = [...]byte{fairfactor.MinusOne: 'm', fairfactor.APRCL: 'j', fairfactor.PlusOne: 'p'}

// factorsText writes factors as in "2^3 1000003?", with a mark behind those that are
// probable or whose proof is known.
func factorsText(factors []fairfactor.Factor) string {
	var b strings.Builder
	for i, f := range factors {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(f.Prime)
		if f.Probable {
			b.WriteByte('?')
		} else if f.Proof != 0 {
			b.WriteByte(proofMarks[f.Proof])
		}
		if f.Exponent != 1 {
			b.WriteByte('^')
			b.WriteString(strconv.Itoa(f.Exponent))
		}
	}
	return b.String()
}

// parseFactors reads what factorsText wrote.
func parseFactors(text string) ([]fairfactor.Factor, error) {
	if text == "" {
		return nil, nil
	}
	factors := make([]fairfactor.Factor, 0, strings.Count(text, " ")+1)
	for field := range strings.SplitSeq(text, " ") {
		f := fairfactor.Factor{Exponent: 1}
		prime, exponent, power := strings.Cut(field, "^")
		f.Prime, f.Probable = strings.CutSuffix(prime, "?")
		if n := len(f.Prime) - 1; n > 0 && f.Prime[n] > '9' {
			f.Proof = fairfactor.Proof(max(bytes.IndexByte(proofMarks[:], f.Prime[n]), 0))
			if f.Proof != 0 {
				f.Prime = f.Prime[:n]
			}
		}
		if power {
			n, err := strconv.Atoi(exponent)
			if err != nil {
				return nil, err
			}
			f.Exponent = n
		}
		if f.Prime == "" || !rules.Decimal(f.Prime) || f.Probable && f.Proof != 0 {
			return nil, strconv.ErrSyntax
		}
		factors = append(factors, f)
	}
	return factors, nil
}

// jobRow is a row of queue or jobs on its way out.
type jobRow struct {
	caller, seq, ord, nonce, accepted int64
	state                             int16
	number, key                       string
	submitted, started, finished      time.Time
	attempts, turn, cpu, turns        int64
	factors, reason, wants, deaths    string
	known                             bool
}

// Columns of jobs and queue in the order of jobRow.scan. What is unfinished is
// pending and has no end.
const (
	jobColumns   = `caller, seq, ord, nonce, accepted, state, number, key, submitted, started, finished, attempts, turn, cpu, turns, factors, reason, known, wants, deaths`
	queueColumns = `caller, seq, ord, nonce, accepted, 1::smallint AS state, number, key, submitted, started, timestamptz '0001-01-01 00:00:00Z' AS finished, attempts, turn, cpu, turns, factors, reason, false AS known, wants, deaths`
)

// fields are where a row is scanned to.
func (r *jobRow) fields() []any {
	return []any{
		&r.caller, &r.seq, &r.ord, &r.nonce, &r.accepted, &r.state, &r.number, &r.key, &r.submitted, &r.started, &r.finished,
		&r.attempts, &r.turn, &r.cpu, &r.turns, &r.factors, &r.reason, &r.known, &r.wants, &r.deaths,
	}
}

// job returns the job in a row; caller is its caller's name, or empty for what
// [Store.nameJobs] fills in.
func (r *jobRow) job(caller string) (fairfactor.Job, error) {
	j := fairfactor.Job{
		ID:     fairfactor.ID{Nonce: uint64(r.nonce), Caller: uint64(r.caller), Seq: uint64(r.seq)},
		Caller: caller, Number: r.number, Key: r.key, Order: uint64(r.ord), State: fairfactor.State(r.state),
		Submitted: r.submitted.UTC(), Started: r.started.UTC(), Finished: r.finished.UTC(),
		Attempts: int(r.attempts), Turn: uint64(r.turn), CPU: time.Duration(r.cpu), Turns: uint64(r.turns), Reason: r.reason, Known: r.known,
	}
	var err error
	if j.Factors, err = parseFactors(r.factors); err == nil {
		err = readWants(r.wants, &j)
	}
	var readable bool
	if j.Deaths, readable = rules.ParseDeaths(r.deaths); !readable {
		err = strconv.ErrSyntax
	}
	if err != nil || !rules.Decimal(j.Number) || j.State < fairfactor.Pending || j.State > fairfactor.Cancelled {
		return fairfactor.Job{}, fairfactor.Errorf(fairfactor.Internal, "the database is damaged: job %s can't be read", j.ID)
	}
	return j, nil
}
