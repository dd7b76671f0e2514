package backlog_test

import (
	"testing"

	"fairfactor/actors/backlog"
)

// TestDeathToldAgain: a scheduler hands out no turn of a job until it is offered one that says
// that the death which the scheduler knows of is counted. Two deaths may be counted in another
// order than schedulers hear of them: then it tells of the first one again, and what is offered
// next names that.
func TestDeathToldAgain(t *testing.T) {
	d := newDesk(t, backlog.Config{MaxDeaths: 5})
	d.accept(hard)
	offered := func(want string) backlog.Turn {
		t.Helper()
		turns := d.backlog.Next(nil, 1)
		if len(turns) != 1 || turns[0].Mourned != want || turns[0].Suspect != (want != "") {
			t.Fatalf("%+v is offered, want one turn that names %q", turns, want)
		}
		return turns[0]
	}
	id := offered("").ID
	died := func(process string) {
		t.Helper()
		m, ok := d.backlog.Died(backlog.Died{Seq: id.Seq, Nonce: id.Nonce, Process: process}, start)
		if !ok || !m.Withdraw {
			t.Fatalf("%+v, %v: no turn of the job is withdrawn", m, ok)
		}
		if m.Change != nil {
			d.backlog.Mourned(id.Seq)
		}
	}
	died("w2")
	offered("w2")
	died("w1")
	offered("w1")
	died("w2")
	offered("w2")
}
