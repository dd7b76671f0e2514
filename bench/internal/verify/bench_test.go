package verify

import (
	"encoding/json"
	"testing"

	"fairfactor/bench/internal/client"
)

// BenchmarkCheck decodes and checks one job of a page.
func BenchmarkCheck(b *testing.B) {
	raw := []byte(`{"request_id":"3evwgyv7240000000400000004","caller_id":"client-000001","number":"54000000000000000162","status":"completed","result":{"2":1,"3":3,"1000000000000000003":1},"submitted_at":"2026-11-29T23:18:48.399467Z","started_at":"2026-11-29T23:18:48.400232Z","finished_at":"2026-11-29T23:18:48.400423Z","attempts":1,"turn":1,"cpu_us":135,"error":null}`)
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			var j client.Job
			if err := json.Unmarshal(raw, &j); err != nil {
				b.Fatal(err)
			}
		}
	})
	var j client.Job
	if err := json.Unmarshal(raw, &j); err != nil {
		b.Fatal(err)
	}
	b.Run("factors", func(b *testing.B) {
		for b.Loop() {
			if err := Factors(j.Number, j.Result); err != nil {
				b.Fatal(err)
			}
		}
	})
}
