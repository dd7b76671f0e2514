package http_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
	keystore "fairfactor/store/memory"
)

// manyKeys is a keyring with as many keys as there may be, and the secret of a
// caller's key among them.
func manyKeys(b *testing.B) (*httpd.Keyring, string) {
	b.Helper()
	store, secret := keystore.NewKeys(), ""
	for range fairfactor.MaxAPIKeys {
		key, made, err := fairfactor.NewAPIKey(fairfactor.RoleCaller, "alice*", "", time.Now())
		if err == nil {
			err = store.AddAPIKey(b.Context(), key)
		}
		if err != nil {
			b.Fatal(err)
		}
		secret = made
	}
	ring, err := httpd.OpenKeyring(b.Context(), store, httpd.KeyringOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return ring, secret
}

// BenchmarkKey is what it costs to recognise one of 10,000 keys.
func BenchmarkKey(b *testing.B) {
	ring, secret := manyKeys(b)
	text := []byte(secret)
	b.ReportAllocs()
	for b.Loop() {
		if httpd.FindKey(ring, text) == nil {
			b.Fatal("the key is not known")
		}
	}
}

// BenchmarkPostWithKey and BenchmarkGetWithKey are [BenchmarkPost] and [BenchmarkGet]
// with a key.
func BenchmarkPostWithKey(b *testing.B) { withKey(b, newAtOnce(), postRequest) }

func BenchmarkGetWithKey(b *testing.B) {
	jobs := newAtOnce()
	withKey(b, jobs, "GET /compute/"+jobs.job.ID.String()+" HTTP/1.1\r\nHost: node\r\n\r\n")
}

func withKey(b *testing.B, jobs *atOnce, request string) {
	ring, secret := manyKeys(b)
	b.ResetTimer()
	exchange(b, func(ln net.Listener) {
		httpd.New(httpd.Config{Jobs: jobs, MaxDigits: maxDigits, Version: "bench", Keys: ring}).Serve(ln)
	}, strings.Replace(request, "\r\n\r\n", "\r\nAuthorization: Bearer "+secret+"\r\n\r\n", 1))
}
