package pebble_test

import (
	"log/slog"
	"testing"

	"fairfactor"
	"fairfactor/store/pebble"
	"fairfactor/store/storetest"
)

// quiet drops what the store logs.
var quiet = slog.New(slog.DiscardHandler)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) fairfactor.Store { return open(t, dir) })
}

func TestKeys(t *testing.T) {
	storetest.RunKeys(t, func(t *testing.T, dir string) storetest.KeyStore { return open(t, dir) })
}

func open(t *testing.T, dir string) *pebble.Store {
	t.Helper()
	s, err := pebble.Open(dir, pebble.Options{Logger: quiet, Fatal: func(err error) { t.Errorf("fatal: %v", err) }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
