package http

import (
	"bytes"

	"fairfactor"
)

// Challenges of WWW-Authenticate (RFC 6750, section 3).
const (
	challenge        = `Bearer realm="fairfactor"`
	invalidToken     = `, error="invalid_token"`
	revokedChallenge = challenge + invalidToken
)

// identify returns the key of a request: nil if the node asks for none.
func (s *Server) identify(r *request) (*fairfactor.APIKey, error) {
	k := s.keys
	if k == nil || !k.Asks() {
		return nil, nil
	}
	if k.stale(r.ctx.Time()) {
		return nil, refuse(notNow, "the node can't check keys now, because it does not reach its database: try again")
	}
	if r.authorization == nil {
		if c, ok := r.ctx.Conn().(*conn); ok && c.as != nil {
			return c.as, nil
		}
		return nil, r.unauthorised("a key is needed: send the header Authorization: Bearer ff_...; the command line takes the key from FAIRFACTOR_KEY", "")
	}
	scheme, secret, _ := bytes.Cut(r.authorization, []byte{' '})
	if !bytes.EqualFold(scheme, []byte("Bearer")) {
		return nil, r.unauthorised("the header Authorization must be Bearer and a key", "")
	}
	if key := k.find(bytes.TrimSpace(secret)); key != nil {
		return key, nil
	}
	return nil, r.unauthorised("the key is not known here: it was revoked, or belongs to another service", invalidToken)
}

// stillKnown refuses to go on with an answer that takes time, for a key that was revoked
// meanwhile. A nil key is that of a node that asks for none.
func (s *Server) stillKnown(key *fairfactor.APIKey) error {
	if key == nil || s.keys == nil || s.keys.has(key) {
		return nil
	}
	return refuse(noKey, "the key was revoked while the answer was being made")
}

// unauthorised refuses a request without a key that is known.
func (r *request) unauthorised(detail, parameters string) error {
	r.ctx.Response.Header.Set("WWW-Authenticate", challenge+parameters)
	return refuse(noKey, detail)
}
