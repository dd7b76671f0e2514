package http

import (
	"encoding/json"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// keysOf returns the keys, to someone who has one. A node that asks for no keys
// changes none either: a stranger who reaches it could make one for later.
func (s *Server) keysOf(r *request) (fairfactor.Keys, error) {
	if r.as == nil {
		return nil, refuse(forbidden, "this node asks for no keys, so it shows and changes none: fairfactor keys add --role operator makes the first one in the store itself, with --data or --store")
	}
	return s.keys, nil
}

// postKey makes a key.
func (s *Server) postKey(r *request) error {
	keys, err := s.keysOf(r)
	if err != nil {
		return err
	}
	values, err := bodyMembers(r, "role", "caller", "group")
	if err != nil {
		return err
	}
	var role, callers, group string
	for name, into := range map[string]*string{"role": &role, "caller": &callers, "group": &group} {
		if raw := values[name]; raw != nil && json.Unmarshal(raw, into) != nil {
			return refuse(badAPIKey, name+" must be a string", shown(name, string(raw)))
		}
	}
	key, secret, err := keys.AddKey(s.bounded(), fairfactor.Role(role), callers, group)
	if fairfactor.CodeOf(err) == fairfactor.Invalid {
		return problemAs(badAPIKey, err, shown("role", role), shown("caller", callers), shown("group", group))
	}
	if err != nil {
		return err
	}
	r.ctx.Response.Header.SetBytesV("Location", append(s.site.appendPrefix(nil, r), "/keys/"+key.ID...))
	r.ctx.SetStatusCode(fasthttp.StatusCreated)
	return answerValue(&r.ctx.Response, newKeyAnswer{apiKeyOf(&key), secret})
}

// listKeys shows the keys by id.
func (s *Server) listKeys(r *request) error {
	keys, err := s.keysOf(r)
	if err != nil {
		return err
	}
	limit, err := queryLimit(r, defaultPage)
	if err != nil {
		return err
	}
	after, _, err := queryValue(r, "after")
	if err != nil {
		return err
	}
	list, err := keys.Keys(s.bounded(), after, limit)
	if err != nil {
		return err
	}
	page := keysAnswer{Keys: make([]keyAnswer, len(list))}
	for i := range list {
		page.Keys[i] = apiKeyOf(&list[i])
	}
	if len(list) == limit {
		page.Next = textOrNull(list[limit-1].ID)
	}
	return answerValue(&r.ctx.Response, page)
}

// deleteKey revokes a key.
func (s *Server) deleteKey(r *request) error {
	keys, err := s.keysOf(r)
	if err != nil {
		return err
	}
	if err := keys.RevokeKey(s.bounded(), r.arg); err != nil {
		return about("key_id", r.arg, err)
	}
	r.ctx.SetStatusCode(fasthttp.StatusNoContent)
	return nil
}

// getCurrentKey tells a client what its key allows.
func (s *Server) getCurrentKey(r *request) error {
	if r.as == nil {
		return answerValue(&r.ctx.Response, keyAnswer{Role: string(fairfactor.RoleOperator)})
	}
	return answerValue(&r.ctx.Response, apiKeyOf(r.as))
}

// keyAnswer is an API key without its secret.
type keyAnswer struct {
	ID      textOrNull `json:"key_id"`
	Role    string     `json:"role"`
	Callers textOrNull `json:"caller"`
	Group   string     `json:"group,omitempty"`
	Created instant    `json:"created_at"`
}

func apiKeyOf(k *fairfactor.APIKey) keyAnswer {
	return keyAnswer{ID: textOrNull(k.ID), Role: string(k.Role), Callers: textOrNull(k.Callers), Group: k.Group, Created: instant{k.Created}}
}

func (a *keyAnswer) key() fairfactor.APIKey {
	return fairfactor.APIKey{ID: string(a.ID), Role: fairfactor.Role(a.Role), Callers: string(a.Callers), Group: a.Group, Created: a.Created.Time}
}

// newKeyAnswer is a key that was just made.
type newKeyAnswer struct {
	keyAnswer
	Secret string `json:"key"`
}

// keysAnswer is a page of keys.
type keysAnswer struct {
	Keys []keyAnswer `json:"keys"`
	Next textOrNull  `json:"next"`
}

// AppendKey appends a key as the API shows it, without its secret.
func AppendKey(b []byte, k *fairfactor.APIKey) []byte { return appendValue(b, apiKeyOf(k)) }

// AppendNewKey appends a key that was just made, with its secret.
func AppendNewKey(b []byte, k *fairfactor.APIKey, secret string) []byte {
	return appendValue(b, newKeyAnswer{apiKeyOf(k), secret})
}
