package main

import (
	"net/netip"
	"slices"
	"testing"

	"fairfactor"
	httpd "fairfactor/http"
)

func TestWebFlags(t *testing.T) {
	good := config{groupBy: "address", proxies: []string{"10.1.2.3/8", "::1", "192.168.0.1"}, hosts: []string{"factor.example"}, origins: []string{"https://a.example"}, basePath: "/ff"}
	w, err := good.web()
	if err != nil {
		t.Fatal(err)
	}
	networks := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.168.0.1/32")}
	if w.GroupBy != httpd.GroupByAddress || !slices.Equal(w.TrustedProxies, networks) || !slices.Contains(w.Hosts, "factor.example") || w.Origins[0] != "https://a.example" || w.BasePath != "/ff" {
		t.Errorf("%+v", w)
	}
	for what, bad := range map[string]config{
		"--group-by": {groupBy: "name"}, "--trusted-proxies": {groupBy: "none", proxies: []string{"proxy"}}, "--host": {groupBy: "none", hosts: []string{"http://a"}},
		"--cors-origin": {groupBy: "none", origins: []string{"a"}}, "--base-path": {groupBy: "none", basePath: "ff"},
	} {
		if _, err := bad.web(); fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}
