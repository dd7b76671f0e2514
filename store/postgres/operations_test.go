package postgres_test

import (
	"testing"

	"fairfactor"
	"fairfactor/store/postgres/pgtest"
)

// TestDamagedOperationHoldsUpNoOther: the operations behind one that can't be read go on,
// and it stays as it is.
func TestDamagedOperationHoldsUpNoOther(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	defer s.Close()
	for _, id := range []string{"1", "2"} {
		if err := s.SaveOperation(t.Context(), fairfactor.Operation{ID: id, Kind: fairfactor.CancelJobs}); err != nil {
			t.Fatal(err)
		}
	}
	exec(t, url, "UPDATE fairfactor.operations SET data = 'damage' WHERE id = '1'")
	if ops, err := s.OpenOperations(t.Context(), 10); err != nil || len(ops) != 1 || ops[0].ID != "2" {
		t.Errorf("%+v, %v", ops, err)
	}
	if _, err := s.Operation(t.Context(), "1"); fairfactor.CodeOf(err) != fairfactor.Internal {
		t.Errorf("the damaged one: %v", err)
	}
}
