package main

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"

	"fairfactor"
	"fairfactor/cluster"
	httpd "fairfactor/http"
)

// webTLS is how the API speaks TLS, nil if it does not. The files are read again when
// they change.
func (c *config) webTLS(log *slog.Logger) (*tls.Config, error) {
	if c.httpCert == "" {
		return nil, nil
	}
	files := []string{c.httpCert, c.httpKey}
	if c.httpClientCA != "" {
		files = append(files, c.httpClientCA)
	}
	current, err := watchFiles(log, "the certificate of the API", c.readWebTLS, files...)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return current.get(), nil },
	}, nil
}

func (c *config) readWebTLS() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.httpCert, c.httpKey)
	if err != nil {
		return nil, fairfactor.Wrap(fairfactor.Invalid, err, "the certificate "+c.httpCert+" with the key "+c.httpKey+" can't be used: see --http-tls-cert and --http-tls-key")
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}
	if c.httpClientCA == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.httpClientCA)
	if err != nil {
		return nil, fairfactor.Wrap(fairfactor.Invalid, err, "the authorities in "+c.httpClientCA+" can't be read: see --http-tls-client-ca")
	}
	t.ClientCAs, t.ClientAuth = x509.NewCertPool(), tls.VerifyClientCertIfGiven
	if !t.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fairfactor.Errorf(fairfactor.Invalid, "there is no certificate in %s: see --http-tls-client-ca", c.httpClientCA)
	}
	return t, nil
}

// certificateRoles are those of --http-tls-client.
func (c *config) certificateRoles() (roles []httpd.CertificateRole, err error) {
	for _, text := range c.httpClients {
		role, err := httpd.ParseCertificateRole(text)
		if err != nil {
			return nil, fairfactor.Errorf(fairfactor.Invalid, "--http-tls-client: %s", fairfactor.MessageOf(err))
		}
		roles = append(roles, role)
	}
	return roles, nil
}

// checkTLS refuses flags of certificates that don't go together.
func (c *config) checkTLS() error {
	switch {
	case (c.tlsCert == "") != (c.tlsKey == "") || (c.tlsCert == "") != (c.tlsCA == ""):
		return fairfactor.Errorf(fairfactor.Invalid, "--tls-cert, --tls-key and --tls-ca belong together: give all three or none")
	case (c.httpCert == "") != (c.httpKey == ""):
		return fairfactor.Errorf(fairfactor.Invalid, "--http-tls-cert and --http-tls-key belong together: give both or none")
	case c.httpClientCA != "" && c.httpCert == "":
		return fairfactor.Errorf(fairfactor.Invalid, "--http-tls-client-ca needs --http-tls-cert and --http-tls-key: certificates of clients are a part of TLS")
	case (c.httpClientCA == "") != (len(c.httpClients) == 0):
		return fairfactor.Errorf(fairfactor.Invalid, "--http-tls-client-ca and --http-tls-client belong together: who has signed the certificates, and what their names may do")
	}
	return nil
}

// nodeTLS are the certificates between nodes, nil if there are none. They are read
// again when the files change.
func (c *config) nodeTLS(log *slog.Logger) (first *cluster.TLS, renew func() *cluster.TLS, err error) {
	if c.tlsCert == "" {
		return nil, nil, nil
	}
	current, err := watchFiles(log, "the certificate between nodes", func() (*cluster.TLS, error) {
		return cluster.LoadTLS(c.tlsCert, c.tlsKey, c.tlsCA)
	}, c.tlsCert, c.tlsKey, c.tlsCA)
	if err != nil {
		return nil, nil, err
	}
	return current.get(), current.get, nil
}
