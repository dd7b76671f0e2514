package postgres_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
	"fairfactor/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// open opens the store in the database at a URL.
func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := postgres.Open(ctx, url, postgres.Options{Logger: slog.New(slog.DiscardHandler), Fresh: -time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	urls := map[string]string{} // of the databases, by directory
	storetest.Run(t, func(t *testing.T, dir string) fairfactor.Store {
		if urls[dir] == "" {
			urls[dir] = pgtest.Database(t)
		}
		return open(t, urls[dir])
	})
}

func TestKeys(t *testing.T) {
	urls := map[string]string{} // of the databases, by directory
	storetest.RunKeys(t, func(t *testing.T, dir string) storetest.KeyStore {
		if urls[dir] == "" {
			urls[dir] = pgtest.Database(t)
		}
		return open(t, urls[dir])
	})
}
