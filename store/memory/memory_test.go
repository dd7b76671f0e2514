package memory_test

import (
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/memory"
	"fairfactor/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T, string) fairfactor.Store { return memory.New() }, storetest.Forgetful())
}

func TestMembers(t *testing.T) {
	storetest.RunMembers(t, func(_ *testing.T, now func() time.Time) fairfactor.MemberTable { return memory.NewMembers(now) })
}

func TestKeys(t *testing.T) {
	storetest.RunKeys(t, func(*testing.T, string) storetest.KeyStore { return memory.NewKeys() }, storetest.Forgetful())
}
