package report

import (
	"bytes"
	"strings"
	"testing"
)

func TestRowsKnowTheirTarget(t *testing.T) {
	for _, c := range []struct {
		row    Row
		met    bool
		target string
	}{
		{Figure("x", 3, ""), true, ""},
		{Figure("x", 3, "s").AtMost(3), true, "<= 3"},
		{Figure("x", 3.1, "s").AtMost(3), false, "<= 3"},
		{Figure("x", 100, "/s").Against("y", 200, 0.5).AtLeast(0.5), true, ">= 0.50"},
		{Figure("x", 100, "/s").Against("y", 200, 0.49).AtLeast(0.5), false, ">= 0.50"},
		{Figure("x", 60, "%").AtLeast(45).AtMost(55), false, ">= 45, <= 55"},
	} {
		if c.row.met() != c.met || c.row.target() != c.target {
			t.Errorf("%+v: met %v, target %q", c.row, c.row.met(), c.row.target())
		}
	}
}

func TestOnlyRowsThatMustHoldFailARun(t *testing.T) {
	slow, lost := Figure("speed", 1, "/s").AtLeast(2), Figure("lost", 1, "").AtMost(0)
	var out bytes.Buffer
	if err := Finish(&out, "", 1, []Row{slow, lost}, nil); err != nil {
		t.Errorf("a missed target that need not hold: %v", err)
	}
	if err := Finish(&out, "", 1, []Row{slow, lost.Must()}, nil); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("a missed target that must hold: %v", err)
	}
	if !strings.Contains(out.String(), "no") || !strings.Contains(out.String(), ">= 2") {
		t.Errorf("the table says\n%s", out.String())
	}
}

func TestAmounts(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1", 1234567: "1,234,567", -1234: "-1,234", 12345.6: "12,346", 999: "999",
		0.5: "0.50", 12.34: "12.3", 123.4: "123", 0.01234: "0.0123",
	} {
		if got := amount(v); got != want {
			t.Errorf("%v is written %q, want %q", v, got, want)
		}
	}
}
