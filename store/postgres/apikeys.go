package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

var _ fairfactor.KeyStore = (*Store)(nil)

// AddAPIKey implements [fairfactor.KeyStore].
func (s *Store) AddAPIKey(ctx context.Context, key fairfactor.APIKey) error {
	again := false // after a commit that was not answered the key may be there
	return s.changeAPIKeys(ctx, "to add an API key", func(ctx context.Context, tx pgx.Tx) (changed bool, err error) {
		var count int
		var taken bool
		err = tx.QueryRow(ctx, "SELECT count(*), coalesce(bool_or(id = $1), false) FROM fairfactor.api_keys", key.ID).Scan(&count, &taken)
		switch {
		case err != nil:
			return false, err
		case taken && again:
			return false, nil
		case taken:
			return false, fairfactor.ErrAPIKeyTaken
		case count >= fairfactor.MaxAPIKeys:
			return false, fairfactor.ErrTooManyAPIKeys
		}
		again = true
		_, err = tx.Exec(ctx, "INSERT INTO fairfactor.api_keys (id, hash, role, callers, created, key_group) VALUES ($1, $2, $3, $4, $5, $6)",
			key.ID, key.Hash[:], string(key.Role), key.Callers, key.Created, key.Group)
		return true, err
	})
}

// RevokeAPIKey implements [fairfactor.KeyStore].
func (s *Store) RevokeAPIKey(ctx context.Context, id string) error {
	if !storable(id) {
		return fairfactor.NoAPIKey(id)
	}
	again := false
	return s.changeAPIKeys(ctx, "to revoke an API key", func(ctx context.Context, tx pgx.Tx) (changed bool, err error) {
		tag, err := tx.Exec(ctx, "DELETE FROM fairfactor.api_keys WHERE id = $1", id)
		switch {
		case err != nil:
			return false, err
		case tag.RowsAffected() == 0 && !again:
			return false, fairfactor.NoAPIKey(id)
		}
		again = true
		return tag.RowsAffected() > 0, nil
	})
}

// changeAPIKeys makes a change in one transaction, which no other change of keys is in,
// and gives the keys a new version if there was something to change. The version is
// the time, so that a database which is restored from a backup and changed then has
// one that no node knows. The change may be tried several times.
func (s *Store) changeAPIKeys(ctx context.Context, what string, change func(ctx context.Context, tx pgx.Tx) (changed bool, err error)) error {
	return s.retry(ctx, what, func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, s.reads, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SELECT version FROM fairfactor.api_keys_version WHERE one FOR UPDATE"); err != nil {
				return err
			}
			changed, err := change(ctx, tx)
			if err != nil || !changed {
				return err
			}
			_, err = tx.Exec(ctx, `UPDATE fairfactor.api_keys_version
				SET version = greatest(version + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) WHERE one`)
			return err
		})
	})
}

// APIKeys implements [fairfactor.KeyStore]. It asks on the connection for leases,
// because the others may be busy for longer than a key may live after its end. One
// statement reads the version and the keys of one moment.
func (s *Store) APIKeys(ctx context.Context, known uint64) (version uint64, keys []fairfactor.APIKey, err error) {
	err = s.retry(ctx, "to read the API keys", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, rollTimeout)
		defer cancel()
		rows, err := s.leases.Query(ctx, `SELECT v.version, k.id, k.hash, k.role, k.callers, k.created, k.key_group
			FROM fairfactor.api_keys_version AS v LEFT JOIN fairfactor.api_keys AS k ON v.version <> $1 WHERE v.one ORDER BY k.id`, int64(known))
		if err != nil {
			return err
		}
		version, keys, err = scanAPIKeys(rows)
		return err
	})
	return version, keys, err
}

// scanAPIKeys reads rows of a version and a key, or of the version alone.
func scanAPIKeys(rows pgx.Rows) (version uint64, keys []fairfactor.APIKey, err error) {
	defer rows.Close()
	for rows.Next() {
		var id, role, callers, group *string
		var hash []byte
		var created *time.Time
		if err := rows.Scan(&version, &id, &hash, &role, &callers, &created, &group); err != nil {
			return 0, nil, err
		}
		if id == nil {
			continue
		}
		k := fairfactor.APIKey{ID: *id, Role: fairfactor.Role(*role), Callers: *callers, Group: *group, Created: created.UTC()}
		if copy(k.Hash[:], hash) != len(k.Hash) {
			return 0, nil, fairfactor.Errorf(fairfactor.Internal, "the API key %s has a damaged hash", *id)
		}
		keys = append(keys, k)
	}
	return version, keys, rows.Err()
}
