package postgres_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// TestTLSIsRequired: a server that takes encrypted connections only. The store writes and
// reads when it checks the server's certificate in full, and with one of another authority,
// or without TLS, it says so and connects to nothing.
func TestTLSIsRequired(t *testing.T) {
	dir := t.TempDir()
	right, wrong := filepath.Join(dir, "right"), filepath.Join(dir, "wrong")
	cert, key := certificate(t, right)
	certificate(t, wrong)
	server := pgtest.Start(t, "fsync=off")
	direct := server.Database(t)
	server.RequireTLS(t, cert, key)
	secure := func(mode, authority string) string {
		return strings.Replace(direct, "sslmode=disable", "sslmode="+mode+"&sslrootcert="+authority, 1)
	}
	s := open(t, secure("verify-full", right))
	defer s.Close()
	w := claim(t, s, "a")
	if errs, err := s.Apply(t.Context(), []fairfactor.Change{w.next()}); errs != nil || err != nil {
		t.Fatal(errs, err)
	}
	if n := written(t, s, "a"); n != 1 {
		t.Errorf("%d jobs are there", n)
	}
	for what, c := range map[string]struct{ url, says string }{
		"without TLS":       {direct, "sslmode"},
		"another authority": {secure("verify-full", wrong), "certificate"},
		"another name":      {strings.Replace(secure("verify-full", right), "127.0.0.1", "localhost", 1), "certificate"},
	} {
		_, err := postgres.Open(t.Context(), c.url, postgres.Options{Logger: slog.New(slog.DiscardHandler)})
		if fairfactor.CodeOf(err) != fairfactor.Invalid || !strings.Contains(fairfactor.MessageOf(err), c.says) {
			t.Errorf("%s: %v: %s", what, fairfactor.CodeOf(err), fairfactor.MessageOf(err))
		}
	}
}

// certificate makes an authority, whose certificate it writes to a file, and returns a
// certificate that it signed for 127.0.0.1 and its key, as PEM.
func certificate(t *testing.T, authority string) (cert, key []byte) {
	t.Helper()
	sign := func(template, parent *x509.Certificate, public *ecdsa.PrivateKey, by *ecdsa.PrivateKey) []byte {
		t.Helper()
		raw, err := x509.CreateCertificate(rand.Reader, template, parent, &public.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	}
	keys := make([]*ecdsa.PrivateKey, 2)
	for i := range keys {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	own := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: ca.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	if err := os.WriteFile(authority, sign(ca, ca, keys[0], keys[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(keys[1])
	if err != nil {
		t.Fatal(err)
	}
	return sign(own, ca, keys[1], keys[0]), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}
