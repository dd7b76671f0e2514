package main

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"fairfactor"
)

// knownWork is what was done elsewhere on a number that is submitted.
type knownWork struct{ curves, factors []string }

func (w *knownWork) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&w.curves, "ecm", nil, "elliptic curves that were run on the number elsewhere, as B1:CURVES, 50000:214,250000:80; the job goes on from there")
	f.StringSliceVar(&w.factors, "known-factor", nil, "prime of the number that is known; may be repeated")
}

func (w *knownWork) given() bool { return len(w.curves)+len(w.factors) > 0 }

// add checks what is known and adds it to the submission of a number as it was typed.
func (w *knownWork) add(sub *fairfactor.Submission, typed string) (err error) {
	var curves []fairfactor.Curves
	for _, text := range w.curves {
		bound, count, _ := strings.Cut(text, ":")
		B1, err := strconv.ParseUint(bound, 10, 64)
		n, err2 := strconv.ParseUint(count, 10, 64)
		if err != nil || err2 != nil {
			return fairfactor.Errorf(fairfactor.Invalid, "--ecm %s is not B1:CURVES, as in 50000:214", text)
		}
		curves = append(curves, fairfactor.Curves{B1: B1, Count: n})
	}
	if sub.Curves, err = fairfactor.CheckCurves(curves); err != nil {
		return fairfactor.Errorf(fairfactor.Invalid, "--ecm: %s", fairfactor.MessageOf(err))
	}
	number, err := submittedNumber(typed)
	if err != nil {
		return err
	}
	if sub.Factors, err = fairfactor.KnownFactors(number, w.factors); err != nil {
		return fairfactor.Errorf(fairfactor.Invalid, "--known-factor: %s", fairfactor.MessageOf(err))
	}
	return nil
}
