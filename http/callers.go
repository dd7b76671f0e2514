package http

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// listCallers shows the callers' accounts by name.
func (s *Server) listCallers(ctx *fasthttp.RequestCtx, _ string) error {
	limit, err := queryLimit(ctx, defaultPage)
	if err != nil {
		return err
	}
	after, _, err := queryValue(ctx, "after")
	if err != nil {
		return err
	}
	if len(after) > fairfactor.MaxCallerBytes {
		return refuse(badRequest, "after is longer than a caller's name", shown("after", after), count("max_bytes", fairfactor.MaxCallerBytes))
	}
	call := s.bounded()
	callers, err := s.jobs.Callers(call, after, limit)
	if err != nil {
		return err
	}
	buf := acquireScratch()
	defer buf.release()
	buf.out = append(buf.out, `{"callers":[`...)
	for i := range callers {
		if i > 0 {
			buf.out = append(buf.out, ',')
		}
		buf.out = appendCaller(buf.out, &callers[i], s.now())
	}
	buf.out = append(buf.out, `],"next":`...)
	next := ""
	if len(callers) == limit {
		next = callers[limit-1].Name
	}
	buf.out = append(appendStringOrNull(buf.out, next), '}', '\n')
	answerJSON(ctx, buf.out)
	return nil
}

// getCaller shows one caller's account.
func (s *Server) getCaller(ctx *fasthttp.RequestCtx, arg string) error {
	name, err := checkCaller(arg)
	if err != nil {
		return err
	}
	call := s.bounded()
	caller, err := s.jobs.Caller(call, name)
	return s.answerCaller(ctx, &caller, name, err)
}

// putCaller changes a caller's weight.
func (s *Server) putCaller(ctx *fasthttp.RequestCtx, arg string) error {
	name, err := checkCaller(arg)
	if err != nil {
		return err
	}
	if err := checkMedia(ctx, jsonTypes); err != nil {
		return err
	}
	buf := acquireScratch()
	defer buf.release()
	if buf.in, err = readBody(ctx, buf.in); err != nil {
		return err
	}
	raw, err := onlyMember(buf.in, "weight")
	if err != nil {
		return err
	}
	weight, err := strconv.Atoi(string(raw))
	if err != nil || weight < 1 || weight > fairfactor.MaxWeight {
		return refuse(badWeight, "weight must be a whole number between 1 and "+strconv.Itoa(fairfactor.MaxWeight), shown("weight", string(raw)), count("max_weight", fairfactor.MaxWeight))
	}
	call := s.bounded()
	caller, err := s.jobs.SetWeight(call, name, weight)
	return s.answerCaller(ctx, &caller, name, err)
}

func (s *Server) answerCaller(ctx *fasthttp.RequestCtx, caller *fairfactor.Caller, name string, err error) error {
	if err != nil {
		if k := kindOf(fairfactor.CodeOf(err)); k != broken {
			return problemAs(k, err, shown("caller_id", name))
		}
		return err
	}
	buf := acquireScratch()
	defer buf.release()
	buf.out = append(appendCaller(buf.out, caller, s.now()), '\n')
	answerJSON(ctx, buf.out)
	return nil
}
