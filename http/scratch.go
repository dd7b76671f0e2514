package http

import "sync"

// scratch is the memory that one request needs: what came in and what goes
// out. It is lent for the time of a handler; nothing may keep a part of it.
type scratch struct {
	in, out []byte
}

// keptBytes is the largest buffer that is lent again; a long page of jobs is
// left to the garbage collector.
const keptBytes = 64 << 10

var scratches = sync.Pool{New: func() any {
	return &scratch{in: make([]byte, 0, 512), out: make([]byte, 0, 1024)}
}}

func acquireScratch() *scratch {
	s := scratches.Get().(*scratch)
	s.in, s.out = s.in[:0], s.out[:0]
	return s
}

func (s *scratch) release() {
	if cap(s.in) <= keptBytes && cap(s.out) <= keptBytes {
		scratches.Put(s)
	}
}
