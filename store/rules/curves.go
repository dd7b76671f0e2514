package rules

import (
	"strconv"
	"strings"

	"fairfactor"
)

// CurvesText writes curves as stores keep them, as in 50000:200,250000:12; empty for none.
func CurvesText(curves []fairfactor.Curves) string {
	var b []byte
	for i, c := range curves {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, c.B1, 10)
		b = strconv.AppendUint(append(b, ':'), c.Count, 10)
	}
	return string(b)
}

// ParseCurves reads what CurvesText wrote.
func ParseCurves(text string) (curves []fairfactor.Curves, ok bool) {
	if text == "" {
		return nil, true
	}
	for field := range strings.SplitSeq(text, ",") {
		B1, count, _ := strings.Cut(field, ":")
		b, err := strconv.ParseUint(B1, 10, 64)
		n, err2 := strconv.ParseUint(count, 10, 64)
		if err != nil || err2 != nil {
			return nil, false
		}
		curves = append(curves, fairfactor.Curves{B1: b, Count: n})
	}
	return curves, true
}
