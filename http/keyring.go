package http

import (
	"context"
	"log/slog"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fairfactor"
)

// Keyring is what a node knows of the API keys: all of them, in memory, as the store
// had them a moment ago. To recognise a key takes one hash and one look into a map.
// It is the [fairfactor.Keys] of the node.
type Keyring struct {
	store  fairfactor.KeyStore
	log    *slog.Logger
	now    func() time.Time
	always bool
	shared bool
	table  atomic.Pointer[keyTable]
	asked  atomic.Int64 // when the store was last asked with success, in ns since 1970

	mu      sync.Mutex // held while the store is asked, so that an older answer never replaces a newer one
	changed []func()   // called after each change; guarded by mu
}

var _ fairfactor.Keys = (*Keyring)(nil)

// keyTable is never changed.
type keyTable struct {
	version uint64
	byID    map[string]*fairfactor.APIKey
	list    []fairfactor.APIKey // by ID
}

// KeyringOptions of a keyring; the zero value is the default.
type KeyringOptions struct {
	Logger *slog.Logger // nil for none
	// Always asks for keys even if there never was one.
	Always bool
	// Shared says that other nodes change the keys too: [Keyring.Follow] has to run.
	Shared bool
}

const (
	// keysEvery is the time between two looks at the store: a key that another node
	// has revoked is refused within a second.
	keysEvery = 400 * time.Millisecond
	// keysPatience is how long one look may take.
	keysPatience = 2 * time.Second
	// keysLife is how long keys are believed in without a look at the store.
	keysLife = 5 * time.Second
)

// OpenKeyring reads the keys of a store.
func OpenKeyring(ctx context.Context, store fairfactor.KeyStore, o KeyringOptions) (*Keyring, error) {
	k := &Keyring{store: store, log: o.Logger, now: time.Now, always: o.Always, shared: o.Shared}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	k.table.Store(&keyTable{})
	return k, k.refresh(ctx)
}

// Follow keeps up with the changes of other nodes, until ctx ends.
func (k *Keyring) Follow(ctx context.Context) {
	tick := time.NewTicker(keysEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		bounded, cancel := context.WithTimeout(ctx, keysPatience)
		err := k.refresh(bounded)
		cancel()
		if err != nil && !failing && ctx.Err() == nil {
			k.log.Warn("the API keys can't be read: those known count for a few seconds more", "err", err)
		}
		failing = err != nil
	}
}

// refresh reads the keys if they have changed.
func (k *Keyring) refresh(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	begun, known := k.now(), k.table.Load().version
	version, keys, err := k.store.APIKeys(ctx, known)
	if err != nil {
		return err
	}
	if version != known {
		t := &keyTable{version: version, byID: make(map[string]*fairfactor.APIKey, len(keys)), list: keys}
		for i := range keys {
			t.byID[keys[i].ID] = &keys[i]
		}
		k.table.Store(t)
		for _, tell := range k.changed {
			tell()
		}
	}
	k.asked.Store(begun.UnixNano())
	return nil
}

// onChange has a function called after each change of the keys. It must not block.
func (k *Keyring) onChange(tell func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changed = append(k.changed, tell)
}

// Asks reports whether requests need a key: they do once there was one.
func (k *Keyring) Asks() bool { return k.always || k.table.Load().version > 0 }

// Empty reports whether there is no key.
func (k *Keyring) Empty() bool { return len(k.table.Load().list) == 0 }

// find returns the key that a secret is, nil if it is no key that is known.
func (k *Keyring) find(secret []byte) *fairfactor.APIKey {
	id, ok := fairfactor.APIKeyID(secret)
	if !ok {
		return nil
	}
	key := k.table.Load().byID[string(id)]
	if key == nil || !key.Is(secret) {
		return nil
	}
	return key
}

// has reports whether a key that was found is still there. What stands for a key, a
// certificate, is not in the store.
func (k *Keyring) has(key *fairfactor.APIKey) bool {
	return key.Hash == [len(key.Hash)]byte{} || k.table.Load().byID[key.ID] != nil
}

// stale reports whether the keys are too old to be believed in.
func (k *Keyring) stale(now time.Time) bool {
	return k.shared && now.Sub(time.Unix(0, k.asked.Load())) > keysLife
}

// AddKey implements [fairfactor.Keys].
func (k *Keyring) AddKey(ctx context.Context, role fairfactor.Role, callers, group string) (fairfactor.APIKey, string, error) {
	if err := k.refresh(ctx); err != nil {
		return fairfactor.APIKey{}, "", err
	}
	key, secret, err := fairfactor.NewAPIKey(role, callers, group, k.now())
	switch {
	case err != nil:
		return key, "", err
	case role != fairfactor.RoleOperator && k.operators("") == 0:
		return key, "", fairfactor.Errorf(fairfactor.Conflict, "the first key must be an operator's: without one, no node would take another key or give one up")
	}
	if err := k.store.AddAPIKey(ctx, key); err != nil {
		return key, "", err
	}
	return key, secret, k.refresh(ctx)
}

// Keys implements [fairfactor.Keys].
func (k *Keyring) Keys(ctx context.Context, after string, limit int) ([]fairfactor.APIKey, error) {
	if err := k.refresh(ctx); err != nil {
		return nil, err
	}
	list := k.table.Load().list
	from := sort.Search(len(list), func(i int) bool { return list[i].ID > after })
	return list[from:min(len(list), from+max(limit, 0))], nil
}

// RevokeKey implements [fairfactor.Keys]. The last operator's key stays: conflict.
func (k *Keyring) RevokeKey(ctx context.Context, id string) error {
	if err := k.refresh(ctx); err != nil {
		return err
	}
	key := k.table.Load().byID[id]
	if key != nil && key.Role == fairfactor.RoleOperator && k.operators(id) == 0 {
		return fairfactor.Errorf(fairfactor.Conflict, "this is the only operator's key: add another one first")
	}
	if err := k.store.RevokeAPIKey(ctx, strings.Clone(id)); err != nil {
		return err
	}
	return k.refresh(ctx)
}

// operators counts operators' keys other than the given one.
func (k *Keyring) operators(but string) (n int) {
	for _, key := range k.table.Load().list {
		if key.Role == fairfactor.RoleOperator && key.ID != but {
			n++
		}
	}
	return n
}
