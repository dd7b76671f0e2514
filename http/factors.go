package http

import (
	"encoding/json"
	"errors"
	"strings"

	"fairfactor"
)

// factorizationAnswer is what is known of a number.
type factorizationAnswer struct {
	Number   string        `json:"number"`
	Status   string        `json:"status"`
	Factors  []powerAnswer `json:"factors"`
	Cofactor string        `json:"cofactor"`
}

// powerAnswer is a prime of a number.
type powerAnswer struct {
	Prime    string `json:"prime"`
	Exponent int    `json:"exponent"`
	Proof    string `json:"proof"`
}

// proofMissing is said of a prime that is not proven, see [fairfactor.Factor.Method].
const proofMissing = "probable"

func factorizationOf(f *fairfactor.Factorization) factorizationAnswer {
	a := factorizationAnswer{Number: f.Number, Status: string(f.Status), Factors: make([]powerAnswer, len(f.Factors)), Cofactor: f.Cofactor}
	for i := range f.Factors {
		p := &f.Factors[i]
		a.Factors[i] = powerAnswer{Prime: p.Prime, Exponent: p.Exponent, Proof: p.Method()}
	}
	return a
}

func (a *factorizationAnswer) factorization() fairfactor.Factorization {
	return fairfactor.Factorization{Number: a.Number, Status: fairfactor.Status(a.Status), Factors: factorsIn(a.Factors), Cofactor: a.Cofactor}
}

func factorsIn(powers []powerAnswer) (factors []fairfactor.Factor) {
	for _, p := range powers {
		factors = append(factors, fairfactor.Factor{Prime: p.Prime, Exponent: p.Exponent, Probable: p.Proof == proofMissing, Proof: fairfactor.ParseProof(p.Proof)})
	}
	return factors
}

// knownAnswer is a page of numbers that are remembered.
type knownAnswer struct {
	Known []factorizationAnswer `json:"known"`
	Next  textOrNull            `json:"next"`
}

// taughtAnswer says what became of factorizations that were sent.
type taughtAnswer struct {
	Learned int             `json:"learned"`
	Small   []string        `json:"small"`
	Refused []refusedAnswer `json:"refused"`
}

// refusedAnswer is a factorization that is not one.
type refusedAnswer struct {
	Index  int    `json:"index"` // its place in the request, from 0: a number may be there twice
	Number string `json:"number"`
	Detail string `json:"detail"`
}

// AppendFactorization appends what is known of a number as the API shows it.
func AppendFactorization(b []byte, f *fairfactor.Factorization) []byte {
	return appendValue(b, factorizationOf(f))
}

// knowledgeOf returns what answers questions about factors.
func (s *Server) knowledgeOf() (fairfactor.Knowledge, error) {
	if s.knowledge == nil {
		return nil, refuse(noSuchThing, "this server answers no questions about factors")
	}
	return s.knowledge, nil
}

// getFactors tells what is known of a number, without a job.
func (s *Server) getFactors(r *request) error {
	knowledge, err := s.knowledgeOf()
	if err != nil {
		return err
	}
	number, err := typedIn(r.arg, s.maxDigits)
	if err != nil {
		return err
	}
	f, err := knowledge.Factorization(s.bounded(), number)
	if err != nil {
		return err
	}
	return answerValue(&r.ctx.Response, factorizationOf(&f))
}

// typedIn returns the number that a person asks for, perhaps by an expression. What has no
// operator is a number, as strict as elsewhere.
func typedIn(text string, maxDigits int) (string, error) {
	if len(text) > 0 && strings.ContainsAny(text[1:], "+-*/%^!#()") {
		return valueOf(text, maxDigits)
	}
	return parseNumber(text, maxDigits)
}

// listFactors shows all numbers that are remembered, page by page.
func (s *Server) listFactors(r *request) error {
	knowledge, err := s.knowledgeOf()
	if err != nil {
		return err
	}
	limit, err := queryLimit(r, defaultPage)
	if err != nil {
		return err
	}
	cursor, _, err := queryValue(r, "cursor")
	if err != nil {
		return err
	}
	return s.answerList(r, "known", limit, func(b []byte, limit int) ([]byte, int, string, error) {
		list, next, err := knowledge.Factorizations(s.bounded(), cursor, limit)
		if fairfactor.CodeOf(err) == fairfactor.Invalid {
			err = problemAs(badRequest, err, shown("cursor", cursor))
		}
		for i := range list {
			b = AppendFactorization(appendComma(b), &list[i])
		}
		cursor = next
		return b, len(list), next, err
	})
}

// postFactors takes factorizations that were found elsewhere. One that is wrong is
// refused, the others are learned.
func (s *Server) postFactors(r *request) error {
	knowledge, err := s.knowledgeOf()
	if err != nil {
		return err
	}
	values, err := bodyMembers(r, "known")
	if err != nil {
		return err
	}
	var sent []factorizationAnswer
	if json.Unmarshal(values["known"], &sent) != nil {
		return refuse(badRequest, `known must be a list of {"number": "...", "factors": [{"prime": "...", "exponent": 1}]}`)
	}
	results, errs, err := s.teach(knowledge, sent)
	if err != nil {
		return err
	}
	return answerValue(&r.ctx.Response, taught(results, errs))
}

// teach makes known what was sent and returns an error for each that was not learned.
func (s *Server) teach(knowledge fairfactor.Knowledge, sent []factorizationAnswer) ([]fairfactor.Known, []error, error) {
	all, errs := make([]fairfactor.Known, len(sent)), make([]error, len(sent))
	var good []fairfactor.Known
	var places []int // of the good ones
	for i := range sent {
		all[i] = fairfactor.Known{Number: sent[i].Number, Factors: factorsIn(sent[i].Factors)}
		number, err := fairfactor.ParseNumber(sent[i].Number, s.maxDigits)
		if err != nil {
			errs[i] = err
			continue
		}
		all[i].Number = number
		good, places = append(good, all[i]), append(places, i)
	}
	if len(good) == 0 {
		return all, errs, nil
	}
	found, err := knowledge.Teach(s.bounded(), good)
	for i := range found {
		errs[places[i]] = found[i]
	}
	return all, errs, err
}

// taught counts what became of results.
func taught(results []fairfactor.Known, errs []error) taughtAnswer {
	a := taughtAnswer{Small: []string{}, Refused: []refusedAnswer{}, Learned: len(results)}
	for i, err := range errs {
		if err == nil {
			continue
		}
		a.Learned--
		if errors.Is(err, fairfactor.ErrSmall) {
			a.Small = append(a.Small, results[i].Number)
			continue
		}
		a.Refused = append(a.Refused, refusedAnswer{Index: i, Number: results[i].Number, Detail: fairfactor.MessageOf(err)})
	}
	return a
}
