package wire

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRoundTrip reads what was appended, and refuses every part of it.
func TestRoundTrip(t *testing.T) {
	list := []int{0, 3, 3, 70_000}
	b := AppendBlob(nil, []byte("abc"))
	b = AppendAscending(b, list)
	b = append(b, 7)
	read := func(b []byte) (blob []byte, got []int, last byte, ok bool) {
		r := Reader{B: b}
		blob, got, last = r.Blob(3), r.Ascending(4, 70_001), r.Byte()
		return blob, got, last, !r.Bad && len(r.B) == 0
	}
	blob, got, last, ok := read(b)
	if !ok || string(blob) != "abc" || !slices.Equal(got, list) || last != 7 {
		t.Fatalf("%q, %v, %d, %v", blob, got, last, ok)
	}
	for i := range b {
		if _, _, _, ok := read(b[:i]); ok {
			t.Errorf("%d of %d bytes were taken", i, len(b))
		}
	}
}

// TestBounds refuses what is longer or larger than the reader allows.
func TestBounds(t *testing.T) {
	for name, r := range map[string]*Reader{
		"blob":     {B: AppendBlob(nil, []byte("abcd"))},
		"count":    {B: AppendAscending(nil, []int{1, 2, 3, 4, 5})},
		"value":    {B: AppendAscending(nil, []int{1, 10})},
		"overflow": {B: []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}},
	} {
		if name == "blob" {
			r.Blob(3)
		} else {
			r.Ascending(4, 10)
		}
		if !r.Bad {
			t.Errorf("%s: not refused", name)
		}
		if v := r.Uvarint(); name == "blob" && (v != 0 || !r.Bad) {
			t.Errorf("%s: %d after it was bad", name, v)
		}
	}
	r := Reader{Poll: func() bool { return true }}
	if !r.Stopped() || !r.Bad {
		t.Error("not bad after it was told to stop")
	}
}

// TestSeal finds every change of a bit in what was sealed.
func TestSeal(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	data := []byte{Version, FoundSets, 1, 2, 3}
	sealed := Seal(slices.Clone(data))
	if body, ok := Unseal(sealed); !ok || !slices.Equal(body, data) {
		t.Fatalf("%v, %v", body, ok)
	}
	for range 500 {
		bad := slices.Clone(sealed)
		bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
		if _, ok := Unseal(bad); ok {
			t.Fatalf("%v was taken", bad)
		}
	}
	if _, ok := Unseal(sealed[:5]); ok {
		t.Error("5 bytes were taken")
	}
}
