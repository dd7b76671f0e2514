package factor

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"fairfactor/factor/internal/hart"
	"fairfactor/factor/internal/qs"
	"fairfactor/factor/internal/siqs"
)

// TestLadderFits holds the ladder against what the methods can do.
func TestLadderFits(t *testing.T) {
	last := 0
	for i := range ladder {
		r := &ladder[i]
		lo, hi := 0, math.MaxInt
		switch r.split {
		case ByHart:
			hi = hart.MostBits
		case ByQS:
			lo, hi = qs.LeastBits, qs.MostBits
		case BySIQS:
			lo, hi = siqs.LeastBits, siqs.MostBits
		}
		if last+1 < lo || r.bits > hi || r.bits <= last {
			t.Errorf("%v from %d to %d bits, which can do %d to %d", r.split.Names(), last+1, r.bits, lo, hi)
		}
		if r.bits <= 64 && r.trios == 0 || r.bits > 128 && r.split != ByCurves && r.share == 0 {
			t.Errorf("%v to %d bits: nothing before it", r.split.Names(), r.bits)
		}
		last = r.bits
	}
	for bits := 65; bits <= 128; bits++ {
		if rungFor(bits).split != ByQS {
			t.Errorf("%d bits: the first turn can't split it by %v", bits, rungFor(bits).split.Names())
		}
	}
}

// TestLadderIsDocumented compares the table of docs/factoring.md with the ladder.
func TestLadderIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/factoring.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := ladderTable(); !strings.Contains(string(text), table) {
		t.Errorf("docs/factoring.md does not have this table:\n%s", table)
	}
}

// ladderTable prints the ladder as a table.
func ladderTable() string {
	var b strings.Builder
	b.WriteString("| bits of the composite | method | before it | turns | why | measured by |\n|---|---|---|---|---|---|\n")
	from := 0
	for i := range ladder {
		r := &ladder[i]
		size := fmt.Sprintf("%d to %d", from, r.bits)
		switch {
		case from == 0:
			size = fmt.Sprintf("to %d", r.bits)
		case r.bits == math.MaxInt:
			size = "above"
		}
		before := r.before
		if r.share > 0 {
			before = fmt.Sprintf(before, 1/r.share)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", size, r.name, before, r.turns, r.why, r.measured)
		from = r.bits + 1
	}
	return b.String()
}
