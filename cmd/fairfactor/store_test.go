package main

import (
	"context"
	"log/slog"
	"testing"

	"fairfactor"
	"fairfactor/store/pebble"
)

// TestStopWhileOpening: a node that is told to stop does not wait for its data
// directory, and lets go of it.
func TestStopWhileOpening(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	n := &node{cfg: config{data: t.TempDir()}, log: log}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.openEmbedded(ctx); fairfactor.CodeOf(err) != fairfactor.Canceled {
		t.Errorf("got %v, want canceled", err)
	}
	for {
		store, err := pebble.Open(n.cfg.data, pebble.Options{Logger: log})
		if err == nil {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
			return
		}
		if fairfactor.CodeOf(err) != fairfactor.Conflict {
			t.Fatal(err)
		}
	}
}
