package main

import (
	"io"
	"os"
	"strings"

	"fairfactor"
)

// maxSecret bounds a file that holds a secret, in bytes.
const maxSecret = 4 << 10

// readSecret returns the first line of a file that a flag names: a key, or a URL
// with a password.
func readSecret(flag, path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fairfactor.Wrap(fairfactor.Invalid, err, "the file of --"+flag+" can't be read")
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return "", fairfactor.Wrap(fairfactor.Invalid, err, "the file of --"+flag+" can't be read")
	}
	secret := strings.TrimSpace(string(raw))
	if secret == "" || len(raw) > maxSecret || strings.ContainsAny(secret, "\r\n") {
		return "", fairfactor.Errorf(fairfactor.Invalid, "the file of --%s must have one line, of at most %d bytes", flag, maxSecret)
	}
	return secret, nil
}

// secretOf is the value of a flag, or what the file in the other flag holds.
func secretOf(flag, value, path string) (string, error) {
	switch {
	case path == "":
		return value, nil
	case value != "":
		return "", fairfactor.Errorf(fairfactor.Invalid, "--%s and --%s-file are both given: give one of them", flag, flag)
	}
	return readSecret(flag+"-file", path)
}
