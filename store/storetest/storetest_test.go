package storetest

import (
	"testing"

	"fairfactor"
)

// TestModel holds the model itself to the laws.
func TestModel(t *testing.T) {
	Run(t, func(*testing.T, string) fairfactor.Store { return &model{} }, Forgetful(), func(s *suite) { s.model = true })
}
