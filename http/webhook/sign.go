package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// SignatureHeader carries the time of an attempt and a signature for each secret:
// t=1764470000,v1=5257a8...,v1=....
const SignatureHeader = "Fairfactor-Signature"

// Sign returns the value of [SignatureHeader]: t is the time in seconds since 1970, and
// each v1 the HMAC-SHA-256, in hexadecimal, of that text, a dot and the body, with one of
// the secrets as its key.
func Sign(at time.Time, body []byte, secrets []string) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	value := "t=" + stamp
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(stamp + "."))
		mac.Write(body)
		value += ",v1=" + hex.EncodeToString(mac.Sum(nil))
	}
	return value
}
