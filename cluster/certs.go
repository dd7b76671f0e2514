package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"fairfactor"
)

// Names of the files that [MakeCertificates] writes.
const (
	AuthorityFile    = "ca.pem"   // for --tls-ca
	AuthorityKeyFile = "ca.key"   // signs further certificates; no node needs it
	CertificateFile  = "node.pem" // for --tls-cert
	KeyFile          = "node.key" // for --tls-key
)

// CertificateLife is how long a certificate of [MakeCertificates] is valid.
const CertificateLife = 365 * 24 * time.Hour

func certificateFiles() []string {
	return []string{AuthorityFile, AuthorityKeyFile, CertificateFile, KeyFile}
}

// HaveCertificates tells whether all files that [MakeCertificates] writes are in
// dir.
func HaveCertificates(dir string) bool {
	for _, name := range certificateFiles() {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// MakeCertificates makes an authority and a certificate for the nodes of a
// cluster, valid from a little before now, and writes them and their keys to dir
// as PEM, readable for their owner only. The certificate is also valid for hosts,
// names and IP addresses, besides the cluster's name. It overwrites no file.
func MakeCertificates(dir, cluster string, hosts []string, now time.Time) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fairfactor.Wrap(fairfactor.Invalid, err, "the directory "+dir+" can't be created: choose another one with --dir")
	}
	for _, name := range certificateFiles() {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return fairfactor.Errorf(fairfactor.Conflict, "the file %s already exists in %s: choose another --dir", name, dir)
		}
	}
	from, until := now.Add(-time.Minute), now.Add(CertificateLife)
	authority := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "authority of cluster " + cluster},
		NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, MaxPathLenZero: true,
	}
	node := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "node of cluster " + cluster},
		NotBefore: from, NotAfter: until,
		DNSNames:    []string{cluster},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			node.IPAddresses = append(node.IPAddresses, ip)
		} else if h != cluster {
			node.DNSNames = append(node.DNSNames, h)
		}
	}
	key, err := writePair(dir, AuthorityFile, AuthorityKeyFile, authority, authority, nil)
	if err != nil {
		return err
	}
	_, err = writePair(dir, CertificateFile, KeyFile, node, authority, key)
	return err
}

// writePair makes a key and a certificate for it and writes both. The certificate
// is signed by parent, whose key is signer, or by itself if signer is nil.
func writePair(dir, certName, keyName string, c, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*ecdsa.PrivateKey, error) {
	fail := func(err error) (*ecdsa.PrivateKey, error) {
		return nil, fairfactor.Wrap(fairfactor.Internal, err, "the certificate could not be created")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	if signer == nil {
		signer = key
	}
	if c.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return fail(err)
	}
	cert, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		return fail(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fail(err)
	}
	if err := writePEM(filepath.Join(dir, certName), "CERTIFICATE", cert); err != nil {
		return nil, err
	}
	return key, writePEM(filepath.Join(dir, keyName), "PRIVATE KEY", private)
}

func writePEM(name, kind string, der []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = errors.Join(pem.Encode(f, &pem.Block{Type: kind, Bytes: der}), f.Close())
	}
	if err != nil {
		return fairfactor.Wrap(fairfactor.Invalid, err, "the file "+name+" can't be written")
	}
	return nil
}
