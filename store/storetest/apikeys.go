package storetest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"fairfactor"
)

// KeyStore is a [fairfactor.KeyStore] that can be closed.
type KeyStore interface {
	fairfactor.KeyStore
	Close() error
}

// RunKeys checks every law of a [fairfactor.KeyStore]. open opens the store that is
// kept under dir, which is empty the first time; it may be called again for the
// same dir after Close.
func RunKeys(t *testing.T, open func(t *testing.T, dir string) KeyStore, options ...Option) {
	s := &suite{}
	for _, option := range options {
		option(s)
	}
	laws := map[string]func(*keyring){
		"AddedKeysAreThere": addedKeysAreThere, "RevokedKeysAreGone": revokedKeysAreGone, "VersionTells": versionTells,
		"KeyIDsDiffer": keyIDsDiffer, "KeysAtOnce": keysAtOnce, "KeysEndedContext": keysEndedContext,
	}
	if !s.forgetful {
		laws["KeysAreKept"] = keysAreKept
	}
	for name, law := range laws {
		t.Run(name, func(t *testing.T) {
			k := &keyring{T: t, dir: t.TempDir(), open: open}
			k.store = open(t, k.dir)
			t.Cleanup(func() {
				if err := k.store.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			law(k)
		})
	}
}

// keyring is a store of keys with helpers that fail the test.
type keyring struct {
	*testing.T
	dir   string
	open  func(t *testing.T, dir string) KeyStore
	store KeyStore
}

func (k *keyring) add(role fairfactor.Role, callers string) fairfactor.APIKey {
	k.Helper()
	return k.addTo("", role, callers)
}

// addTo adds a key with a group.
func (k *keyring) addTo(group string, role fairfactor.Role, callers string) fairfactor.APIKey {
	k.Helper()
	key, _, err := fairfactor.NewAPIKey(role, callers, group, time.Date(2031, 5, 6, 7, 8, 9, 123456789, time.UTC))
	if err == nil {
		err = k.store.AddAPIKey(k.Context(), key)
	}
	if err != nil {
		k.Fatal(err)
	}
	return key
}

// has checks that the store has exactly these keys, and returns its version.
func (k *keyring) has(want ...fairfactor.APIKey) uint64 {
	k.Helper()
	version, got, err := k.store.APIKeys(k.Context(), 0)
	if err != nil {
		k.Fatal(err)
	}
	slices.SortFunc(want, func(a, b fairfactor.APIKey) int { return slices.Compare([]byte(a.ID), []byte(b.ID)) })
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		k.Errorf("the keys are %+v, want %+v", got, want)
	}
	return version
}

func (k *keyring) code(err error, want fairfactor.Code) {
	k.Helper()
	if fairfactor.CodeOf(err) != want {
		k.Errorf("got %v, want %s", err, want)
	}
}

func addedKeysAreThere(k *keyring) {
	if version := k.has(); version != 0 {
		k.Errorf("without a key the version is %d", version)
	}
	k.has(k.add(fairfactor.RoleCaller, "team-*"), k.addTo("acme", fairfactor.RoleCaller, "*"), k.add(fairfactor.RoleViewer, ""), k.add(fairfactor.RoleOperator, ""))
}

func revokedKeysAreGone(k *keyring) {
	stays, goes := k.add(fairfactor.RoleCaller, "*"), k.add(fairfactor.RoleOperator, "")
	k.code(k.store.RevokeAPIKey(k.Context(), goes.ID), "")
	k.has(stays)
	for _, id := range []string{goes.ID, "", "\x00", "\xff", "none"} {
		k.code(k.store.RevokeAPIKey(k.Context(), id), fairfactor.NotFound)
	}
	k.code(k.store.RevokeAPIKey(k.Context(), stays.ID), "")
	if version := k.has(); version == 0 {
		k.Error("when the last key is gone the version is 0, as if there had never been one")
	}
}

func versionTells(k *keyring) {
	key := k.add(fairfactor.RoleViewer, "")
	before := k.has(key)
	version, keys, err := k.store.APIKeys(k.Context(), before)
	if version != before || keys != nil || err != nil {
		k.Errorf("nothing has changed: %d after %d, %v, %v", version, before, keys, err)
	}
	k.code(k.store.RevokeAPIKey(k.Context(), "none"), fairfactor.NotFound)
	k.code(k.store.AddAPIKey(k.Context(), key), fairfactor.Conflict)
	if after := k.has(key); after != before {
		k.Errorf("what was refused made version %d of %d", after, before)
	}
	k.code(k.store.RevokeAPIKey(k.Context(), key.ID), "")
	version, keys, err = k.store.APIKeys(k.Context(), before)
	if version <= before || len(keys) != 0 || err != nil {
		k.Errorf("the key is revoked: %d after %d, %v, %v", version, before, keys, err)
	}
}

func keyIDsDiffer(k *keyring) {
	key := k.add(fairfactor.RoleCaller, "a")
	other, _, err := fairfactor.NewAPIKey(fairfactor.RoleOperator, "", "", time.Unix(1, 0))
	if err != nil {
		k.Fatal(err)
	}
	other.ID = key.ID
	k.code(k.store.AddAPIKey(k.Context(), other), fairfactor.Conflict)
	k.has(key)
}

func keysAtOnce(k *keyring) {
	const writers, each = 8, 10
	var all sync.WaitGroup
	kept := make([]fairfactor.APIKey, writers)
	for w := range writers {
		all.Go(func() {
			for i := range each {
				key, _, err := fairfactor.NewAPIKey(fairfactor.RoleCaller, fmt.Sprintf("w%d-%d", w, i), "", time.Unix(int64(i), 0))
				if err == nil {
					err = k.store.AddAPIKey(k.Context(), key)
				}
				if err == nil && i < each-1 {
					err = k.store.RevokeAPIKey(k.Context(), key.ID)
				}
				if err != nil {
					k.Error(err)
				}
				kept[w] = key
			}
		})
	}
	all.Wait()
	k.has(kept...)
}

func keysEndedContext(k *keyring) {
	key := k.add(fairfactor.RoleViewer, "")
	ctx, cancel := context.WithCancel(k.Context())
	cancel()
	other := key
	other.ID = "other"
	k.code(k.store.AddAPIKey(ctx, other), fairfactor.Canceled)
	k.code(k.store.RevokeAPIKey(ctx, key.ID), fairfactor.Canceled)
	_, _, err := k.store.APIKeys(ctx, 0)
	k.code(err, fairfactor.Canceled)
	k.has(key)
}

func keysAreKept(k *keyring) {
	key, gone := k.add(fairfactor.RoleCaller, "team-*"), k.add(fairfactor.RoleOperator, "")
	k.code(k.store.RevokeAPIKey(k.Context(), gone.ID), "")
	before := k.has(key)
	if err := k.store.Close(); err != nil {
		k.Fatal(err)
	}
	k.store = k.open(k.T, k.dir)
	if after := k.has(key); after != before {
		k.Errorf("the version was %d and is %d", before, after)
	}
}
