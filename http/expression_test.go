package http_test

import (
	"strings"
	"testing"
)

func TestExpressionsAreTheirValues(t *testing.T) {
	s := start(t)
	for body, number := range map[string]string{
		`{"expression":"2^67-1"}`:                 "147573952589676412927",
		` { "expression" : "30! + 1" } `:          "265252859812191058636308480000001",
		`{"expression":"1,000,007"}`:              "1000007",
		`{"expression":"1 000 007"}`:              "1000007",
		`{"expression":"0091"}`:                   "91",
		`{"expression":"7\u00d713"}`:              "91",
		`{"\u0065xpression":"F(10)"}`:             "55",
		`{"expression":"1e199"}`:                  "1" + strings.Repeat("0", maxDigits-1),
		`{"expression":"100!/98!"}`:               "9900",
		`{"expression":"(10^300+10^299)/10^299"}`: "11",
	} {
		a := s.post(body)
		if a.status != 202 || a.text("number") != number || len(a.doc) != 4 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
			continue
		}
		if job := s.do("GET", a.header.Get("Location"), ""); job.text("number") != number || strings.Contains(job.body, "expression") {
			t.Errorf("%s: the job is %s", body, job.body)
		}
	}
}

func TestExpressionsWithoutAValue(t *testing.T) {
	s := start(t)
	const none = -1
	for _, row := range []struct {
		body, detail   string
		status, atByte int
	}{
		{`{"expression":""}`, "the expression is empty", 422, 0},
		{`{"expression":"2^67-"}`, "a number is missing at the end", 422, 5},
		{`{"expression":"7\u00d7\u00d77"}`, "a number is missing before", 422, 3},
		{`{"expression":"7+x"}`, "is no function", 422, 2},
		{`{"expression":"7/2"}`, "leaves a remainder", 422, 1},
		{`{"expression":"10^10^10"}`, "about 10000000001 digits", 422, 2},
		{`{"expression":"((9!)!)!"}`, "about 1859934 digits", 422, 5},
		{`{"expression":"5-5"}`, "the value is zero", 422, 1},
		{`{"expression":"5-6"}`, "the value is negative", 422, 1},
		{`{"expression":"10^200"}`, "the value has 201 digits, more than the 200", 422, 2},
		{`{"expression":"` + strings.Repeat("1+", 2300) + `1"}`, "the expression has 4601 bytes", 422, 4496},

		{`{"expression":7}`, "must be a string", 422, none},
		{`{"expression":null}`, "must be a string", 422, none},
		{`{"expression":["7"]}`, "must be a string", 422, none},
		{`{"expression":"7","number":"7"}`, "both a number and an expression", 400, none},
		{`{"number":7,"expression":"7"}`, "both a number and an expression", 400, none},
		{`{"number":null,"expression":null}`, "both a number and an expression", 400, none},
		{`{"expression":"7","expression":"7"}`, `the member "expression" twice`, 400, none},
		{`{"Expression":"7"}`, `unknown member "Expression": the body takes number, expression, `, 400, none},
		{`{}`, "needs the member number or expression", 400, none},
		{`{"expression":"7`, "not JSON", 400, none},
	} {
		a := s.post(row.body)
		kind := "bad-number"
		if row.status == 400 {
			kind = "bad-request"
		}
		a.problem(t, row.body[:min(len(row.body), 60)], row.status, kind)
		atByte, has := a.doc["at_byte"]
		if !strings.Contains(a.text("detail"), row.detail) || has != (row.atByte != none) || has && atByte != float64(row.atByte) {
			t.Errorf("%.60s: %s", row.body, a.body)
		}
	}
	if n := s.jobs.count(); n != 0 {
		t.Errorf("%d jobs came of refused expressions", n)
	}
}

// TestTooManyDigitsOfAnExpression: the refusal has the facts of that of a number.
func TestTooManyDigitsOfAnExpression(t *testing.T) {
	s := start(t)
	typed, number := s.post(`{"expression":"10^200"}`), s.post(`{"number":"1`+strings.Repeat("0", 200)+`"}`)
	for _, member := range []string{"type", "title", "status", "code", "max_digits", "length"} {
		if typed.doc[member] == nil || typed.doc[member] != number.doc[member] {
			t.Errorf("%s: %v and %v", member, typed.doc[member], number.doc[member])
		}
	}
	if typed.text("expression") != "10^200" {
		t.Errorf("the facts are wrong: %s", typed.body)
	}
}

// TestNumbersStayStrict: what an expression may be, a number may not.
func TestNumbersStayStrict(t *testing.T) {
	s := start(t)
	for _, text := range []string{"2^67-1", "1,000", "1 000", "1_000", "0x10", "1e20", "7!", "(7)", "+7"} {
		s.post(`{"number":"`+text+`"}`).problem(t, text, 422, "bad-number")
	}
}

// TestSameKeyWithAnExpression: the value is what counts, however it was written.
func TestSameKeyWithAnExpression(t *testing.T) {
	s := start(t)
	key := "Idempotency-Key: k"
	first := s.post(`{"expression":"7*13"}`, key)
	again, other := s.post(`{"number":"91"}`, key), s.post(`{"expression":"7*13+1"}`, key)
	if first.status != 202 || again.text("request_id") != first.text("request_id") {
		t.Errorf("%s, again %d %s", first.body, again.status, again.body)
	}
	other.problem(t, "the key with another value", 422, "key-in-use")
}

func TestExpressionsInABatch(t *testing.T) {
	s := start(t)
	got := s.batch(`{"expression":"2^67-1"}` + "\n" + `{"number":"7"}` + "\n" + `{"expression":"2^"}` + "\n" + `{"expression":"7","number":"7"}` + "\n" + `{"expression":"7*13"}`)
	want := []line{
		{Status: "pending", Number: "147573952589676412927"},
		{Status: "pending", Number: "7"},
		{Status: 422.0, Type: "urn:fairfactor:problem:bad-number", Detail: "a number is missing at the end (at byte 2)"},
		{Status: 400.0, Type: "urn:fairfactor:problem:bad-request", Detail: "the line gives both a number and an expression: send one of them"},
		{Status: "pending", Number: "91"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		if g := got[i]; g.Status != w.Status || g.Number != w.Number || g.Type != w.Type || g.Detail != w.Detail {
			t.Errorf("line %d: %+v, want %+v", i+1, g, w)
		}
	}
}
