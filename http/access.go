package http

import (
	"fmt"
	"unsafe"

	"fairfactor"
)

// access says who may use an endpoint while the node asks for keys; an operator may
// use all. The zero value decides nothing, and [compile] refuses it, so that a new
// route can't be forgotten.
type access struct {
	decided bool
	public  bool // without a key too
	caller  bool // with a caller's key
	viewer  bool // with a viewer's key
	changes bool // something other than a submission, if the method is not GET: an audit line is written
	// narrow refuses what a caller's key may not do here, because it is about another
	// caller; nil if it is about none.
	narrow func(s *Server, r *request, key *fairfactor.APIKey) error
}

// Who may use an endpoint.
var (
	// anyone needs no key: nothing here says anything about a caller or a job.
	anyone = access{decided: true, public: true}
	// anyKey is for what belongs to no caller.
	anyKey = access{decided: true, caller: true, viewer: true}
	// viewers read what is about all callers at once.
	viewers = access{decided: true, viewer: true}
	// operators change what is about all callers at once, or how callers are served.
	operators = access{decided: true, changes: true}
	// submitters hand in jobs of the caller that the request names, see [submitterOf].
	submitters = access{decided: true, caller: true, narrow: ownSubmission}
	// jobReaders see the job whose id is in the path; another caller's is 404.
	jobReaders = access{decided: true, caller: true, viewer: true, narrow: ownJob}
	// manyReaders see the jobs whose ids are in the body, see [lookup].
	manyReaders = access{decided: true, caller: true, viewer: true}
	// jobOwners change it.
	jobOwners = access{decided: true, caller: true, changes: true, narrow: ownJob}
	// listReaders see jobs of the caller in ?caller_id=, which a caller's key must name.
	listReaders = access{decided: true, caller: true, viewer: true, narrow: ownList}
	// listOwners change jobs of that caller.
	listOwners = access{decided: true, caller: true, changes: true, narrow: ownList}
	// accountReaders see the caller whose name is in the path.
	accountReaders = access{decided: true, caller: true, viewer: true, narrow: ownAccount}
)

// authorise refuses a request whose key does not allow it.
func (s *Server) authorise(r *request, a *access) error {
	if a.public {
		return nil
	}
	key, err := s.identify(r)
	if err != nil || key == nil {
		return err
	}
	r.as = key
	switch {
	case key.Role == fairfactor.RoleOperator, key.Role == fairfactor.RoleViewer && a.viewer:
		return nil
	case key.Role == fairfactor.RoleCaller && a.caller:
		if a.narrow == nil {
			return nil
		}
		return a.narrow(s, r, key)
	}
	needed := "an operator's"
	if a.viewer {
		needed = "a viewer's or an operator's"
	} else if a.caller {
		needed = "a caller's or an operator's"
	}
	return refuse(forbidden, "this needs "+needed+" key, and the key is a "+string(key.Role)+"'s", fact{name: "role", text: string(key.Role)})
}

// notYours is the refusal of a caller that a key does not name.
func notYours(key *fairfactor.APIKey, caller string) error {
	return refuse(forbidden, fmt.Sprintf("this key is for the callers %s, and %.40q is not one of them", key.Callers, caller),
		shown("caller_id", caller), fact{name: "callers", text: key.Callers})
}

func ownSubmission(_ *Server, r *request, key *fairfactor.APIKey) error {
	caller, err := submitterOf(r)
	if err != nil || key.ActsFor(unsafe.String(unsafe.SliceData(caller), len(caller))) {
		return err
	}
	return notYours(key, string(caller))
}

func ownList(_ *Server, r *request, key *fairfactor.APIKey) error {
	caller, has, err := queryValue(r, "caller_id")
	switch {
	case err != nil:
		return err
	case !has || caller == "":
		return refuse(forbidden, "this key is for the callers "+key.Callers+" only: name one of them with ?caller_id=", fact{name: "callers", text: key.Callers})
	case !key.Reads(caller):
		return notYours(key, caller)
	}
	return nil
}

func ownAccount(_ *Server, r *request, key *fairfactor.APIKey) error {
	if key.Reads(r.arg) {
		return nil
	}
	return notYours(key, r.arg)
}

// ownJob answers for another caller's job as for one that does not exist.
func ownJob(s *Server, r *request, key *fairfactor.APIKey) error {
	id, err := jobID(r.arg)
	if err != nil {
		return err
	}
	caller, err := s.ownerOf(id)
	if err == nil && !key.Reads(caller) {
		err = fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", id)
	}
	if err != nil {
		return aboutJob(err, r.arg)
	}
	return nil
}

// ownerOf returns the caller of a job. It looks the job up, unless it has seen
// another one of the same caller lately.
func (s *Server) ownerOf(id fairfactor.ID) (string, error) {
	if name, ok := s.owners.name(id.Caller, s.now()); ok {
		return name, nil
	}
	job, err := s.jobs.Job(s.bounded(), id)
	if err != nil {
		return "", err
	}
	s.owners.remember(id.Caller, job.Caller, s.now())
	return job.Caller, nil
}
