package http

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// audit writes a line about a change that is not a submission: who made it, what it
// was, from where, and how it ended. What a key does not allow has no line: strangers
// can't fill the log.
func (s *Server) audit(r *request) {
	if !r.allowed || r.method == getMethod || !r.res.endpoints[r.method].access.changes {
		return
	}
	who, role := "anyone", "operator"
	if r.as != nil {
		who, role = r.as.ID, string(r.as.Role)
	}
	uri := string(r.ctx.RequestURI())
	s.log.Info("change", "who", who, "role", role, "from", s.site.client(r), "method", string(r.ctx.Method()),
		"what", uri[:min(len(uri), auditBytes)], "values", plainMembers(r.in), "status", r.ctx.Response.StatusCode())
}

// auditBytes bounds each part of an audit line that a client has written.
const auditBytes = 256

// secretNames are names of members whose values must not be in a log.
var secretNames = regexp.MustCompile(`(?i)secret|token|password|key|url`)

// plainMembers shows the members of a body that are numbers, switches or short texts.
func plainMembers(body []byte) string {
	var members map[string]json.RawMessage
	if len(body) == 0 || json.Unmarshal(body, &members) != nil {
		return ""
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := string(members[name])
		if secretNames.MatchString(name) || len(value) > 80 || strings.ContainsAny(value[:1], "[{") || b.Len()+len(name)+len(value) > auditBytes {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(name + "=" + value)
	}
	return b.String()
}
