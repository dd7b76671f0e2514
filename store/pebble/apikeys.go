package pebble

import (
	"context"
	"encoding/binary"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

const kindAPIKey = 'a'

// keyAPIKeys has the version of the API keys.
var keyAPIKeys = []byte{'u'}

var _ fairfactor.KeyStore = (*Store)(nil)

func apiKeyKey(id string) []byte { return append([]byte{kindAPIKey}, id...) }

// AddAPIKey implements [fairfactor.KeyStore].
func (s *Store) AddAPIKey(ctx context.Context, key fairfactor.APIKey) error {
	return s.changeAPIKeys(ctx, func(b *pebbledb.Batch) error {
		count, err := s.countAPIKeys()
		if err != nil {
			return err
		}
		at := apiKeyKey(key.ID)
		switch _, taken, err := get(s.db, at); {
		case err != nil:
			return err
		case taken:
			return fairfactor.ErrAPIKeyTaken
		case count >= fairfactor.MaxAPIKeys:
			return fairfactor.ErrTooManyAPIKeys
		}
		b.Set(at, seal(at, appendAPIKey(nil, &key)), nil)
		return nil
	})
}

// RevokeAPIKey implements [fairfactor.KeyStore].
func (s *Store) RevokeAPIKey(ctx context.Context, id string) error {
	return s.changeAPIKeys(ctx, func(b *pebbledb.Batch) error {
		at := apiKeyKey(id)
		_, known, err := get(s.db, at)
		if err != nil {
			return err
		}
		if !known {
			return fairfactor.NoAPIKey(id)
		}
		b.Delete(at, nil)
		return nil
	})
}

// changeAPIKeys makes a change durable, together with a new version.
func (s *Store) changeAPIKeys(ctx context.Context, change func(b *pebbledb.Batch) error) error {
	if err := live(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	b := s.db.NewBatch()
	err := s.refusal()
	if err == nil {
		err = change(b)
	}
	version, numberErr := s.number(keyAPIKeys)
	if err == nil {
		err = numberErr
	}
	if err != nil {
		b.Close()
		s.mu.Unlock()
		return err
	}
	setNumber(b, keyAPIKeys, version+1)
	wait := s.start(b)
	s.mu.Unlock()
	return wait()
}

// APIKeys implements [fairfactor.KeyStore].
func (s *Store) APIKeys(ctx context.Context, known uint64) (version uint64, keys []fairfactor.APIKey, err error) {
	if err := live(ctx); err != nil {
		return 0, nil, err
	}
	view := s.db.NewSnapshot() // the version and the keys of one moment
	defer view.Close()
	value, has, err := get(view, keyAPIKeys)
	if err == nil && has {
		version, err = decodeNumber(keyAPIKeys, value)
	}
	if err != nil || version == known {
		return version, nil, err
	}
	it, err := view.NewIter(iterBounds(kindBounds(kindAPIKey)))
	if err != nil {
		return 0, nil, readError(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := iterValue(it)
		if err != nil {
			return 0, nil, err
		}
		key, err := decodeAPIKey(it.Key(), value)
		if err != nil {
			return 0, nil, err
		}
		keys = append(keys, key)
	}
	return version, keys, readError(it.Error())
}

func (s *Store) countAPIKeys() (n int, err error) {
	it, err := s.db.NewIter(iterBounds(kindBounds(kindAPIKey)))
	if err != nil {
		return 0, readError(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	return n, readError(it.Error())
}

// appendAPIKey appends a key's record: version, hash, role, callers, time, group.
func appendAPIKey(b []byte, k *fairfactor.APIKey) []byte {
	b = append(append(b, apiKeyVersion), k.Hash[:]...)
	b = appendString(appendString(b, string(k.Role)), k.Callers)
	return appendString(binary.AppendUvarint(b, uint64(micros(k.Created))), k.Group)
}

// apiKeyVersion is the first byte of a key's record. Those of version 1 have no group.
const apiKeyVersion = 2

// decodeAPIKey reads what appendAPIKey wrote.
func decodeAPIKey(at, value []byte) (k fairfactor.APIKey, err error) {
	r := reader{b: value}
	version := r.byte()
	copy(k.Hash[:], r.take(uint64(len(k.Hash))))
	k.ID, k.Role, k.Callers = string(at[1:]), fairfactor.Role(r.string()), r.string()
	k.Created = time.UnixMicro(int64(r.uvarint())).UTC()
	if version > 1 {
		k.Group = r.string()
	}
	if r.bad || len(r.b) != 0 || version < 1 || version > apiKeyVersion {
		return k, damaged(at, "it is no API key")
	}
	return k, nil
}
