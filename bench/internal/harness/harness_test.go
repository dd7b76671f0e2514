package harness

import (
	"fmt"
	"strings"
	"testing"
)

func TestLogTailKeepsTheEnd(t *testing.T) {
	var kept Tail
	for i := range 5000 {
		fmt.Fprintf(&kept, "line %d\n", i)
	}
	if s := kept.String(); !strings.HasSuffix(s, "line 4999") || len(s) > TailBytes {
		t.Errorf("%d bytes kept, the end is %q", len(s), s[max(0, len(s)-20):])
	}
}
