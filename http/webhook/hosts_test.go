package webhook_test

import (
	"net/netip"
	"strings"
	"testing"

	"fairfactor/http/webhook"
)

func hosts(t *testing.T, list ...string) *webhook.Hosts {
	t.Helper()
	h, err := webhook.ParseHosts(list)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestWhereCallbacksMayGo(t *testing.T) {
	h := hosts(t, "example.com", "*.hooks.example", "other.example:8443", "any.example:*", "127.0.0.1:9000", "10.1.0.0/16", "[::1]:9000", "2001:4860::1")
	for url, allowed := range map[string]bool{
		"https://example.com/x?y=1":                        true,
		"http://EXAMPLE.com":                               true,
		"http://example.com:80/":                           true,
		"https://example.com:8443/":                        false,
		"http://www.example.com/":                          false,
		"https://a.hooks.example/":                         true,
		"https://a.b.hooks.example/":                       true,
		"https://hooks.example/":                           false,
		"https://evilhooks.example/":                       false,
		"https://other.example:8443/":                      true,
		"https://other.example/":                           false,
		"http://any.example:1/":                            true,
		"http://any.example:0/":                            false,
		"http://any.example:65536/":                        false,
		"http://127.0.0.1:9000/":                           true,
		"http://127.0.0.1:9001/":                           true, // the address is listed
		"http://[::ffff:127.0.0.1]:9000":                   true, // the same address
		"http://127.0.0.2:9000/":                           false,
		"http://10.1.2.3/":                                 true,
		"http://10.2.2.3/":                                 false,
		"http://[::1]:9000/":                               true,
		"http://[2001:4860::1]/":                           true,
		"http://2130706433:9000/":                          false,
		"http://0x7f000001:9000/":                          false,
		"http://127.1:9000/":                               false,
		"http://0177.0.0.1:9000/":                          false,
		"https://user@example.com/":                        false,
		"https://u:p@example.com/":                         false,
		"https://example.com@evil.test/":                   false,
		"https://evil.test#example.com":                    false,
		"https://example.com/#x":                           false,
		"ftp://example.com/":                               false,
		"file:///etc/passwd":                               false,
		"gopher://example.com:80/":                         false,
		"//example.com/":                                   false,
		"example.com":                                      false,
		"https:example.com":                                false,
		"https://":                                         false,
		"https://example.com/a b":                          false,
		"https://example.com/\r\nX: y":                     false,
		"https://example.com./":                            false,
		"https://ex\u00e4mple.com/":                        false,
		"https://example.com/" + strings.Repeat("x", 2048): false,
		"": false,
	} {
		if err := h.Check(url); (err == nil) != allowed {
			t.Errorf("%q: %v", url, err)
		}
	}
	if err := hosts(t).Check("https://example.com/"); err == nil || !strings.Contains(err.Error(), "--webhook-hosts") {
		t.Errorf("without hosts: %v", err)
	}
	for _, text := range []string{"", "http://example.com", "example.com/x", "a*.example", "*x", "user@example.com", "example.com:x"} {
		if _, err := webhook.ParseHosts([]string{text}); err == nil {
			t.Errorf("%q was taken for a host", text)
		}
	}
}

func TestAddressesThatAreNotPublic(t *testing.T) {
	h := hosts(t, "*", "10.1.0.0/16")
	for text, reached := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "10.1.2.3": true, "::ffff:10.1.2.3": true,
		"127.0.0.1": false, "127.9.9.9": false, "10.2.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "0.0.0.0": false,
		"100.64.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false, "192.0.0.8": false, "198.18.0.1": false, "203.0.113.5": false,
		"::1": false, "::": false, "::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false, "fe80::1": false, "fe80::1%eth0": false,
		"fc00::1": false, "fd12::1": false, "ff02::1": false, "fec0::1": false, "64:ff9b::7f00:1": false, "64:ff9b:1::1": false, "2002:7f00:1::": false,
		"2001:db8::1": false, "2001::1": false, "::ffff:0:127.0.0.1": false,
	} {
		if got := h.Reaches(netip.MustParseAddr(text)); got != reached {
			t.Errorf("%s may be reached: %v", text, got)
		}
	}
}
