package http

import (
	"bytes"
	"encoding/json"
	"strconv"

	"fairfactor"
)

// What a submission tells of work done elsewhere: curves, {"50000":200}, and primes,
// ["1000003"].

// ecmMember is how many curves were run elsewhere, by first bound.
func ecmMember(raw json.RawMessage) ([]fairfactor.Curves, error) {
	wrong := func(why string) ([]fairfactor.Curves, error) {
		return nil, refuse(badECM, why, shown("ecm", string(raw)))
	}
	if raw[0] != '{' {
		return wrong(`ecm must be an object of curves by first bound, like {"50000":200}`)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var curves []fairfactor.Curves
	for _, err := d.Token(); d.More() && err == nil; { // the token is the brace
		if len(curves) > fairfactor.MaxCurveBounds {
			break // the check says so
		}
		name, _ := d.Token() // each is there: the body is JSON
		value, _ := d.Token()
		B1, err := strconv.ParseUint(name.(string), 10, 64)
		if err != nil {
			return wrong("a first bound in ecm must be a whole number in decimal digits")
		}
		digits, _ := value.(json.Number)
		count, err := strconv.ParseUint(string(digits), 10, 64)
		if err != nil {
			return wrong("how many curves there are in ecm must be a whole number")
		}
		curves = append(curves, fairfactor.Curves{B1: B1, Count: count})
	}
	curves, err := fairfactor.CheckCurves(curves)
	if err != nil {
		return nil, problemAs(badECM, err, shown("ecm", string(raw)))
	}
	return curves, nil
}

// factorsMember is the primes of the number that are known, unchecked: see checkFactors.
func factorsMember(raw json.RawMessage) ([]fairfactor.Factor, error) {
	var texts []string
	if raw[0] != '[' || json.Unmarshal(raw, &texts) != nil {
		return nil, refuse(badFactors, `factors must be an array of strings of decimal digits, like ["1000003"]`, shown("factors", string(raw)))
	}
	factors := make([]fairfactor.Factor, len(texts))
	for i, text := range texts {
		factors[i].Prime = text
	}
	return factors, nil
}

// checkFactors makes sure of the primes that a submission says are known, once its number
// is.
func checkFactors(sub *fairfactor.Submission) error {
	if len(sub.Factors) == 0 {
		return nil
	}
	texts := make([]string, len(sub.Factors))
	for i, f := range sub.Factors {
		texts[i] = f.Prime
	}
	factors, err := fairfactor.KnownFactors(sub.Number, texts)
	if err != nil {
		return problemAs(badFactors, err)
	}
	sub.Factors = factors
	return nil
}
