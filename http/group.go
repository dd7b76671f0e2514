package http

import (
	"net/netip"
	"strings"

	"fairfactor"
)

// GroupBy says which group a new caller is put in.
type GroupBy uint8

// Ways to group callers.
const (
	GroupByNone    GroupBy = iota // each caller stands for itself
	GroupByPrefix                 // the part of its id before the first colon
	GroupByAddress                // the address that its first submission came from
	GroupByKey                    // the API key of its first submission
)

// groupings are the names of --group-by.
var groupings = [...]string{GroupByNone: "none", GroupByPrefix: "prefix", GroupByAddress: "address", GroupByKey: "key"}

// ParseGroupBy returns the way to group callers that has that name: none, prefix,
// address or key.
func ParseGroupBy(name string) (GroupBy, error) {
	for by, known := range groupings {
		if name == known {
			return GroupBy(by), nil
		}
	}
	return 0, fairfactor.Errorf(fairfactor.Invalid, "%.40q is not none, prefix, address or key", name)
}

// groupOf returns the group that a caller is put in if it is new, empty for none: that of
// the key, if it has one. Certificates have no id that could be a group. IPv6 addresses count
// up to their network of 64 bits: who has one has all of it.
func (s *Server) groupOf(r *request, caller string) string {
	if r.as != nil && r.as.Group != "" {
		return r.as.Group
	}
	switch s.groupBy {
	case GroupByKey:
		if r.as != nil && fairfactor.CheckGroup(r.as.ID) == nil {
			return r.as.ID
		}
	case GroupByPrefix:
		if group, _, ok := strings.Cut(caller, ":"); ok {
			return group
		}
	case GroupByAddress:
		address := s.site.client(r)
		if strings.IndexByte(address, ':') < 0 {
			return address
		}
		if a, err := netip.ParseAddr(address); err == nil {
			if network, err := a.Prefix(64); err == nil {
				return network.Addr().String()
			}
		}
		return address
	}
	return ""
}

// checkGroup refuses what can't be the name of a group: 1 to
// [fairfactor.MaxCallerBytes] bytes of those that a caller's name may have.
func checkGroup(name string) error {
	if _, err := fairfactor.ParseCaller(name); err != nil {
		return refuse(badGroup, "a group has a name of 1 to 64 bytes of A-Z a-z 0-9 . _ : @ -", shown("group", name))
	}
	return nil
}
