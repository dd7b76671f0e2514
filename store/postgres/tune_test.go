package postgres_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// options are the storage parameters of the tables.
func options(t *testing.T, c *pgx.Conn) map[string]string {
	t.Helper()
	rows, err := c.Query(t.Context(), `SELECT 'fairfactor.' || c.relname, array_to_string(c.reloptions, ', ') FROM pg_class AS c
		WHERE c.relnamespace = 'fairfactor'::regnamespace AND c.relkind = 'r' AND c.reloptions IS NOT NULL`)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for rows.Next() {
		var table, list string
		if err := rows.Scan(&table, &list); err != nil {
			t.Fatal(err)
		}
		all[table] = list
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return all
}

// TestTablesAreTuned: the tables are as storage.sql would have them, and a server that does not
// know how is told of in the log and used all the same.
func TestTablesAreTuned(t *testing.T) {
	var said bytes.Buffer
	url := pgtest.Database(t)
	s, err := postgres.Open(t.Context(), url, postgres.Options{Logger: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	text, err := os.ReadFile("storage.sql")
	if err != nil {
		t.Fatal(err)
	}
	wanted := regexp.MustCompile(`(?m)^ALTER TABLE (\S+) SET \((.*)\);$`).FindAllStringSubmatch(string(text), -1)
	have := options(t, c)
	for _, w := range wanted {
		if got := strings.ReplaceAll(have[w[1]], "=", " = "); got != w[2] {
			t.Errorf("%s has %q, want %q", w[1], got, w[2])
		}
	}
	if len(wanted) < 10 || len(have) != len(wanted) {
		t.Errorf("%d tables have parameters, %d should", len(have), len(wanted))
	}
	const kept = "keeps a table in its own way"
	if strings.Contains(said.String(), kept) {
		t.Errorf("it said %s", said.String())
	}

	s.Tune(t, "-- one that no server knows\nALTER TABLE fairfactor.callers SET (no_such_thing = 1);\nALTER TABLE fairfactor.callers SET (fillfactor = 60);\n")
	if got := options(t, c)["fairfactor.callers"]; !strings.Contains(got, "fillfactor=60") {
		t.Errorf("after one that the server does not know: %q", got)
	}
	if text := said.String(); strings.Count(text, kept) != 1 || !strings.Contains(text, "no_such_thing") {
		t.Errorf("it said %s", text)
	}
}

// TestPlannerWithoutSettings: what a server lacks of the settings of the planner is left
// out, and said once.
func TestPlannerWithoutSettings(t *testing.T) {
	var said bytes.Buffer
	url := pgtest.Database(t)
	s, err := postgres.Open(t.Context(), url, postgres.Options{Logger: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 2 {
		c, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(context.WithoutCancel(t.Context()))
		s.Greet(t, c, map[string]string{"enable_seqscan": "off", "enable_nothing": "off", "jit": "perhaps"})
		var got [3]string
		if err := c.QueryRow(t.Context(), "SELECT current_setting('enable_seqscan'), current_setting('statement_timeout'), current_setting('timezone')").Scan(&got[0], &got[1], &got[2]); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got[:], []string{"off", "1min", "UTC"}) {
			t.Errorf("the session has %v", got)
		}
	}
	if text := said.String(); strings.Count(text, "lacks settings") != 1 || !strings.Contains(text, `settings="enable_nothing jit"`) {
		t.Errorf("it said %s", text)
	}
}
