package memory

import (
	"context"
	"maps"
	"slices"
	"sync"

	"fairfactor"
)

// Keys is a [fairfactor.KeyStore] that forgets everything when it is closed.
type Keys struct {
	mu      sync.Mutex // guards the fields below
	version uint64
	keys    map[string]fairfactor.APIKey
}

var _ fairfactor.KeyStore = (*Keys)(nil)

// NewKeys returns a store without keys.
func NewKeys() *Keys { return &Keys{keys: map[string]fairfactor.APIKey{}} }

// Close does nothing.
func (s *Keys) Close() error { return nil }

// AddAPIKey implements [fairfactor.KeyStore].
func (s *Keys) AddAPIKey(ctx context.Context, key fairfactor.APIKey) error {
	if err := live(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.keys[key.ID]; taken {
		return fairfactor.ErrAPIKeyTaken
	}
	if len(s.keys) >= fairfactor.MaxAPIKeys {
		return fairfactor.ErrTooManyAPIKeys
	}
	s.keys[key.ID] = key
	s.version++
	return nil
}

// RevokeAPIKey implements [fairfactor.KeyStore].
func (s *Keys) RevokeAPIKey(ctx context.Context, id string) error {
	if err := live(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.keys[id]; !known {
		return fairfactor.NoAPIKey(id)
	}
	delete(s.keys, id)
	s.version++
	return nil
}

// APIKeys implements [fairfactor.KeyStore].
func (s *Keys) APIKeys(ctx context.Context, known uint64) (uint64, []fairfactor.APIKey, error) {
	if err := live(ctx); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version == known {
		return known, nil, nil
	}
	var keys []fairfactor.APIKey
	for _, id := range slices.Sorted(maps.Keys(s.keys)) {
		keys = append(keys, s.keys[id])
	}
	return s.version, keys, nil
}
