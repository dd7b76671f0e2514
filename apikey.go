package fairfactor

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"path"
	"strings"
	"time"
)

// Role is what an API key allows.
type Role string

// Roles of an [APIKey].
const (
	RoleCaller   Role = "caller"   // acts for the callers that the key names, and sees their jobs only
	RoleViewer   Role = "viewer"   // reads everything
	RoleOperator Role = "operator" // does everything
)

// ParseRole reads the name of a role.
func ParseRole(text string) (Role, error) {
	switch r := Role(text); r {
	case RoleCaller, RoleViewer, RoleOperator:
		return r, nil
	}
	return "", Errorf(Invalid, "%.40q is not a role: write caller, viewer or operator", text)
}

// APIKey is what is stored of an API key: enough to recognise the key, not enough
// to use it.
type APIKey struct {
	ID      string // public, see [APIKeyID]
	Hash    [sha256.Size]byte
	Role    Role
	Callers string // pattern of the callers' names, see [CheckCallerPattern]; empty unless the role is [RoleCaller]
	// Group is the group of accounts that are made by a submission with this key, empty for
	// that of --group-by; empty unless the role is [RoleCaller].
	Group   string
	Created time.Time // to the microsecond
}

// MaxAPIKeys bounds the keys of a store: every node holds all of them in memory.
const MaxAPIKeys = 10_000

// A key reads ff_<id>_<secret>: the prefix tells programs that search for leaked
// secrets what they see, and the id says which key it is without giving it away.
const (
	apiKeyPrefix = "ff_"
	apiKeyID     = 12 // hexadecimal digits
	apiKeySecret = 52 // characters of base 32, for 256 bits
	apiKeyBytes  = len(apiKeyPrefix) + apiKeyID + 1 + apiKeySecret
)

var apiKeyDigits = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewAPIKey makes a key for callers and a group, which may both be empty. The secret is the
// key itself; it can't be found again.
func NewAPIKey(role Role, callers, group string, now time.Time) (key APIKey, secret string, err error) {
	if _, err := ParseRole(string(role)); err != nil {
		return key, "", err
	}
	switch {
	case role == RoleCaller:
		if err = CheckCallerPattern(callers); err == nil {
			err = CheckGroup(group)
		}
	case group != "":
		err = Errorf(Invalid, "a key with the role %s has no group: leave the group out", role)
	case callers != "":
		err = Errorf(Invalid, "a key with the role %s is for all callers: leave the callers out", role)
	}
	if err != nil {
		return key, "", err
	}
	var random [apiKeyID/2 + 32]byte
	_, _ = rand.Read(random[:]) // never fails
	id := hex.EncodeToString(random[:apiKeyID/2])
	secret = apiKeyPrefix + id + "_" + apiKeyDigits.EncodeToString(random[apiKeyID/2:])
	return APIKey{ID: id, Hash: sha256.Sum256([]byte(secret)), Role: role, Callers: callers, Group: group, Created: now.UTC().Truncate(time.Microsecond)}, secret, nil
}

// APIKeyID returns the id in a secret. It is false for what can't be a key.
func APIKeyID[T string | []byte](secret T) (id T, ok bool) {
	if len(secret) != apiKeyBytes || string(secret[:len(apiKeyPrefix)]) != apiKeyPrefix || secret[len(apiKeyPrefix)+apiKeyID] != '_' {
		return id, false
	}
	return secret[len(apiKeyPrefix) : len(apiKeyPrefix)+apiKeyID], true
}

// Is reports whether a secret is this key. How long it takes says nothing about
// the secret. A plain hash is enough, because a secret has 256 random bits.
func (k *APIKey) Is(secret []byte) bool {
	sum := sha256.Sum256(secret)
	return subtle.ConstantTimeCompare(sum[:], k.Hash[:]) == 1
}

// ActsFor reports whether the key may submit and cancel jobs of a caller.
func (k *APIKey) ActsFor(caller string) bool {
	switch k.Role {
	case RoleOperator:
		return true
	case RoleCaller:
		ok, err := path.Match(k.Callers, caller)
		return ok && err == nil
	}
	return false
}

// Reads reports whether the key may see the jobs and the account of a caller.
func (k *APIKey) Reads(caller string) bool { return k.Role == RoleViewer || k.ActsFor(caller) }

// CheckCallerPattern returns an error if a text is not a pattern of callers' names: a
// name, with a * for any run of characters where one is wanted.
func CheckCallerPattern(pattern string) error {
	if _, err := ParseCaller(strings.ReplaceAll(pattern, "*", "a")); err != nil {
		return Errorf(Invalid, "%.80q is not a pattern of callers: write 1 to %d bytes of A-Za-z0-9._:@-, and * for any characters, as in team-*", pattern, MaxCallerBytes)
	}
	return nil
}

// KeyStore keeps API keys. Errors are as those of [Store]; all methods may be
// called from many goroutines at once.
type KeyStore interface {
	// AddAPIKey makes a key durable: limit if there are [MaxAPIKeys], conflict if
	// another key has its ID.
	AddAPIKey(ctx context.Context, key APIKey) error
	// RevokeAPIKey deletes a key: not_found if no key has that ID.
	RevokeAPIKey(ctx context.Context, id string) error
	// APIKeys returns the version of the keys and, if that is not the one given, all
	// keys by ID, ascending. The version is 0 until the first key is added, and never
	// again; each change makes it larger. To ask with the current one is cheap.
	APIKeys(ctx context.Context, known uint64) (version uint64, keys []APIKey, err error)
}

// Keys is the administration of API keys. A node offers it to operators over HTTP.
type Keys interface {
	// AddKey makes a key and returns it with its secret, which is not kept. callers and
	// group are for [RoleCaller] only. The first key must be an operator's: conflict.
	AddKey(ctx context.Context, role Role, callers, group string) (APIKey, string, error)
	// Keys returns the keys by ID, ascending, after the given one, at most limit; their
	// hashes may be missing.
	Keys(ctx context.Context, after string, limit int) ([]APIKey, error)
	// RevokeKey ends a key on all nodes: not_found if no key has that ID.
	RevokeKey(ctx context.Context, id string) error
}

// ErrAPIKeyTaken refuses a key whose ID another one has.
var ErrAPIKeyTaken = Errorf(Conflict, "another key has this id: add the key again, which makes another one")

// ErrTooManyAPIKeys refuses one more key.
var ErrTooManyAPIKeys = Errorf(Limit, "there are %d API keys: revoke one that is not used any more", MaxAPIKeys)

// NoAPIKey is the error of a key that does not exist.
func NoAPIKey(id string) error { return Errorf(NotFound, "there is no API key with the id %.40q", id) }
