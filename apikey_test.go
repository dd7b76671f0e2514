package fairfactor_test

import (
	"strings"
	"testing"
	"time"

	"fairfactor"
)

func TestAPIKeyIsItsSecretOnly(t *testing.T) {
	key, secret, err := fairfactor.NewAPIKey(fairfactor.RoleCaller, "team-*", "", time.Unix(1, 2345))
	other, otherSecret, otherErr := fairfactor.NewAPIKey(fairfactor.RoleOperator, "", "", time.Unix(1, 0))
	if err != nil || otherErr != nil {
		t.Fatal(err, otherErr)
	}
	if !key.Is([]byte(secret)) || key.Is([]byte(otherSecret)) || key.Is([]byte(secret[:len(secret)-1])) || key.Is(nil) {
		t.Error("a key takes another secret for its own, or does not know its own")
	}
	if id, ok := fairfactor.APIKeyID(secret); !ok || id != key.ID || key.ID == other.ID {
		t.Errorf("%s has the id %q, %v, want %q", secret, id, ok, key.ID)
	}
	if !key.Created.Equal(time.Unix(1, 2000)) {
		t.Errorf("created at %v", key.Created)
	}
	for _, text := range []string{"", "ff_", "x" + secret, secret + "x", strings.Replace(secret, "_", "-", 1), strings.ToUpper(secret), "ff_" + strings.Repeat("a", len(secret)-3)} {
		if id, ok := fairfactor.APIKeyID([]byte(text)); ok {
			t.Errorf("%q has the id %q", text, id)
		}
	}
}

func TestAPIKeyRoles(t *testing.T) {
	for _, row := range []struct {
		role         fairfactor.Role
		callers      string
		caller       string
		acts, reads  bool
		refusedAtAll bool
	}{
		{fairfactor.RoleOperator, "", "any", true, true, false},
		{fairfactor.RoleViewer, "", "any", false, true, false},
		{fairfactor.RoleCaller, "team-*", "team-a", true, true, false},
		{fairfactor.RoleCaller, "team-*", "team-", true, true, false},
		{fairfactor.RoleCaller, "team-*", "team", false, false, false},
		{fairfactor.RoleCaller, "team-*", "xteam-a", false, false, false},
		{fairfactor.RoleCaller, "team-*", "Team-a", false, false, false},
		{fairfactor.RoleCaller, "alice", "alice", true, true, false},
		{fairfactor.RoleCaller, "alice", "alice2", false, false, false},
		{fairfactor.RoleCaller, "*:nightly", "physics:nightly", true, true, false},
		{fairfactor.RoleCaller, "*:nightly", "physics:daily", false, false, false},
		{fairfactor.RoleCaller, "*", "any", true, true, false},
		{role: fairfactor.RoleCaller, callers: "", refusedAtAll: true},
		{role: fairfactor.RoleCaller, callers: "team-?", refusedAtAll: true},
		{role: fairfactor.RoleCaller, callers: "[a-z]", refusedAtAll: true},
		{role: fairfactor.RoleCaller, callers: "a/*", refusedAtAll: true},
		{role: fairfactor.RoleCaller, callers: strings.Repeat("*", 65), refusedAtAll: true},
		{role: fairfactor.RoleViewer, callers: "team-*", refusedAtAll: true},
		{role: "admin", refusedAtAll: true},
		{role: "", refusedAtAll: true},
	} {
		key, _, err := fairfactor.NewAPIKey(row.role, row.callers, "", time.Unix(1, 0))
		if row.refusedAtAll {
			if fairfactor.CodeOf(err) != fairfactor.Invalid {
				t.Errorf("%s %q: %v, want invalid", row.role, row.callers, err)
			}
			continue
		}
		if err != nil || key.ActsFor(row.caller) != row.acts || key.Reads(row.caller) != row.reads {
			t.Errorf("%s %q acts for %s: %v, reads %v, want %v and %v; %v", row.role, row.callers, row.caller, key.ActsFor(row.caller), key.Reads(row.caller), row.acts, row.reads, err)
		}
	}
	var none fairfactor.APIKey
	if none.ActsFor("a") || none.Reads("a") {
		t.Error("a key without a role may do something")
	}
}
