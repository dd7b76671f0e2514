package http

import (
	"time"

	"fairfactor"
)

// NewImpatient returns a server that has all its deadlines after the same short
// time and takes few connections and one batch, so that tests reach these limits.
func NewImpatient(cfg Config, connections int, deadline time.Duration) *Server {
	return newServer(cfg, limits{
		connections: connections, calls: 64, brief: time.Millisecond, look: 50 * time.Millisecond, read: deadline, park: deadline, idle: deadline, write: deadline, submit: deadline, grace: deadline, batches: 1, answers: DefaultAnswerMemory, stuck: deadline, heartbeat: deadline,
	})
}

// Bound has a server cut off clients that hold up others after that time, and refuse
// long answers that wait for longer than half of submit. No request may be under way.
func (s *Server) Bound(stuck, submit time.Duration) *Server {
	s.answers.patience, s.limits.submit = stuck, submit
	return s
}

// NewQuick returns a server whose subscribers get heartbeats soon, and are too slow when
// so many events wait for them.
func NewQuick(cfg Config, heartbeat time.Duration, queued int) *Server {
	bounds := defaultLimits()
	bounds.heartbeat, bounds.queued, bounds.look = heartbeat, queued, 50*time.Millisecond
	return newServer(cfg, bounds)
}

// NewUngated returns a server that lets all calls into the service at once.
func NewUngated(cfg Config) *Server {
	bounds := defaultLimits()
	bounds.calls = bounds.connections
	return newServer(cfg, bounds)
}

// PlainNumber and AnyNumber are the two readers of a submission's body;
// AppendString and AppendFloat write parts of answers.
var (
	PlainNumber = plainNumber
	AnyNumber   = func(body []byte) (string, error) {
		values, err := membersOf("body", body, numberMembers, nil)
		if err != nil {
			return "", err
		}
		return anyNumber("body", values, 200)
	}
	AppendString = appendString
	AppendFloat  = appendFloat
)

// ProblemText is a problem document with facts of these names.
func ProblemText(names ...string) string {
	p := refuse(notNow, "d")
	for i, name := range names {
		p.facts = append(p.facts, count(name, i))
	}
	return string(appendProblem(nil, p))
}

// Routes are all endpoints, as METHOD path.
func Routes() (all []string) {
	for i := range resources {
		for m, e := range resources[i].endpoints {
			if e.answer != nil {
				all = append(all, methodNames[m]+" "+resources[i].path)
			}
		}
	}
	return all
}

// ForgetSince lets a keyring believe that it last asked the store that long ago.
func (k *Keyring) ForgetSince(ago time.Duration) { k.asked.Add(-int64(ago)) }

// PlainMembers is what an audit line shows of a body.
func PlainMembers(body string) string { return plainMembers([]byte(body)) }

// FindKey recognises a key.
func FindKey(k *Keyring, secret []byte) *fairfactor.APIKey { return k.find(secret) }

// Leftovers is the budget of what is read only to be thrown away. Its function counts a read
// at a time and returns for how long the reader must wait, and whether it may read on at all.
func Leftovers() func(n int, now time.Duration) (wait time.Duration, on bool) {
	var l leftovers
	return func(n int, now time.Duration) (time.Duration, bool) {
		wait := l.read(n, now)
		return wait, wait <= lingerWait
	}
}

// Limits of [Leftovers].
const (
	LingerRate, LingerSaved, LingerWait, LingerRead, LingerLeast = lingerRate, lingerSaved, lingerWait, lingerRead, lingerLeast
)

// SpendLeftovers has others use up what may be read and thrown away in the next seconds.
func (s *Server) SpendLeftovers(seconds int64) {
	l := s.connections()
	l.leftovers.mu.Lock()
	defer l.leftovers.mu.Unlock()
	l.leftovers.at = time.Since(l.begun)
	l.leftovers.taken = lingerSaved + seconds*lingerRate
}
