package check

import (
	"os"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// TestDashboard decodes the dashboard strictly into the types that Grafana generates from
// its schema, with those of its panels and of queries to Prometheus.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("../../grafana/fairfactor.json")
	if err != nil {
		t.Fatal(err)
	}
	plugins.RegisterDefaultPlugins()
	var d dashboard.Dashboard
	// Its list of errors is never nil.
	if err := d.UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		t.Fatal(err)
	}
	if err := d.Validate(); err != nil && err.Error() != "" {
		t.Error(err)
	}
	if d.Uid == nil || *d.Uid != "fairfactor" || len(d.Panels) < 20 {
		t.Errorf("%v with %d panels", d.Uid, len(d.Panels))
	}
}
