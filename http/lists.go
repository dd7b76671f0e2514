package http

import (
	"io"
)

// part appends at most limit further entries to the list that b ends with, and
// returns how many, and where the next part begins: empty at the end.
type part func(b []byte, limit int) (out []byte, entries int, next string, err error)

// listing is a list that is too long to be held at once: {"name":[...],"next":...}.
type listing struct {
	pieces
	part part
	left int // entries that may still come
}

// answerList answers with a list of at most limit entries. Parts of partLength entries
// are made one after the other; what fits into one is an ordinary answer.
func (s *Server) answerList(r *request, name string, limit int, next part) error {
	c, _ := r.ctx.Conn().(*conn)
	if limit > defaultPage {
		if err := s.room(c, s.limits.submit/2); err != nil {
			return err
		}
	}
	asked := min(limit, partLength)
	b := append(append(append(r.out, `{"`...), name...), `":[`...)
	b, entries, rest, err := next(b, asked)
	if err != nil {
		return err
	}
	if entries == limit || entries < asked || rest == "" {
		r.out = appendListEnd(b, rest)
		answerJSON(&r.ctx.Response, r.out)
		return nil
	}
	l := &listing{part: next, left: limit - entries}
	l.begin(s, r, "a list", mediaJSON, l.nextPart)
	l.out = append([]byte(nil), b...)
	c.has(len(l.out))
	l.send(r)
	return nil
}

// nextPart makes the next part. The reader of a list that fails in the middle gets half
// of it: what is written is no JSON then.
func (l *listing) nextPart() {
	err := l.room()
	if err != nil {
		l.breaks(err)
		return
	}
	asked := min(l.left, partLength)
	var entries int
	var rest string
	if l.out, entries, rest, err = l.part(l.out, asked); err != nil {
		l.breaks(err)
		return
	}
	if l.left -= entries; l.left == 0 || entries < asked || rest == "" {
		l.out, l.end = appendListEnd(l.out, rest), io.EOF
	}
}

func appendListEnd(b []byte, next string) []byte {
	return append(appendStringOrNull(append(b, `],"next":`...), next), "}\n"...)
}

// appendComma separates an entry of a list from the one before, which may be in a part
// that was sent already.
func appendComma(b []byte) []byte {
	if len(b) > 0 && b[len(b)-1] == '[' {
		return b
	}
	return append(b, ',')
}
