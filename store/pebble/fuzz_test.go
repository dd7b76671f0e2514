package pebble

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fairfactor"
	"fairfactor/store/journal"
)

// FuzzRecord: whatever is read as the record of a job is written again as one that reads
// the same, and nothing makes reading fail in another way than by saying so.
func FuzzRecord(f *testing.F) {
	a := &activation{name: "a", claim: fairfactor.Claim{Number: 1}}
	for range 3 {
		ch := a.accept()
		ended := a.finish(*ch.Job)
		full := *ended.Job
		full.Key, full.Reason, full.Deadline, full.Order, full.Known = "key", "too hard", epochTime, 99, true
		full.Callback = &fairfactor.Callback{URL: "https://example.com/"}
		for _, j := range []*fairfactor.Job{ch.Job, ended.Job, &full} {
			b, err := appendRecord(nil, j, j.State, 7)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	key := slot(nil, kindEnded, 1, 1)
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := decodeJob(key, b, 1, "a")
		if err != nil {
			if fairfactor.CodeOf(err) != fairfactor.Internal {
				t.Error(err)
			}
			return
		}
		if !j.State.Final() && !j.Finished.IsZero() {
			return // no writer says so
		}
		again, err := appendRecord(nil, &j.Job, j.State, j.group)
		if err != nil {
			t.Fatalf("%+v was read and can't be written: %v", j, err)
		}
		k, err := decodeJob(key, again, 1, "a")
		if len(j.Factors) == 0 {
			j.Factors, k.Factors = nil, nil
		}
		if err != nil || !reflect.DeepEqual(j, k) {
			t.Fatalf("%+v was read, and written again is %+v, %v", j, k, err)
		}
	})
}

// FuzzValues: no value under any kind of key makes its reader panic or take much memory;
// what is not understood is reported as damage.
func FuzzValues(f *testing.F) {
	group := binary.BigEndian.AppendUint64([]byte{kindAccepted}, 7)
	name := []byte{kindAccount, 'a'}
	readers := []struct {
		key  []byte
		read func(key, sealed, value []byte) error
	}{
		{name, func(key, sealed, _ []byte) error { _, err := decodeAccount(key, sealed); return err }},
		{group, func(key, sealed, _ []byte) error { _, err := decodeAccepted(key, sealed); return err }},
		{group, func(key, sealed, _ []byte) error { _, err := decodeRoll(key, sealed); return err }},
		{slot(nil, kindQueued, 1, 1), func(key, sealed, _ []byte) error { _, err := decodeBrief(key, sealed); return err }},
		{name, func(key, sealed, _ []byte) error { _, err := decodeNumber(key, sealed); return err }},
		{name, func(key, _, value []byte) error { _, err := decodeAPIKey(key, value); return err }},
		{name, func(key, _, value []byte) error { _, err := decodeResult(key, value); return err }},
		{name, func(key, _, value []byte) error { _, err := decodeOperation(key, value); return err }},
		{name, func(_, _, value []byte) error {
			journal.Read(value, func(int, journal.Entry) bool { return true })
			return nil
		}},
	}
	var a account
	a.Name, a.Number, a.Group = "a", 3, "g"
	f.Add(byte(0), a.append(nil))
	f.Add(byte(1), []byte{0, 0, 1, 1, 2, 2})
	f.Add(byte(2), []byte{1, 1, 2, 2})
	f.Add(byte(7), []byte(`{"ID":"x"}`))
	f.Fuzz(func(t *testing.T, which byte, value []byte) {
		r := readers[int(which)%len(readers)]
		sealed := seal(r.key, slices.Clone(value))
		if err := r.read(r.key, sealed, value); err != nil && fairfactor.CodeOf(err) != fairfactor.Internal {
			t.Errorf("%q under %q: %v", value, r.key, err)
		}
	})
}

// FuzzDirectory damages one file of a data directory: a byte, or a run of bytes that are
// lost or written over. Either the store says that it is damaged, or every answer is
// right. A file can be cut short too, unless it is a log: that is what a log looks like
// when the machine stopped.
func FuzzDirectory(f *testing.F) {
	dirs := []*damage{newDamage(f, true), newDamage(f, false)}
	for i := range byte(8) {
		f.Add(i%2 == 0, i, uint32(i)*1234, uint16(1), byte(i%4), byte(0x80))
	}
	f.Fuzz(func(t *testing.T, clean bool, file byte, at uint32, length uint16, how, with byte) {
		d := dirs[0]
		if !clean {
			d = dirs[1]
		}
		name := d.names[int(file)%len(d.names)]
		raw := slices.Clone(d.files[name])
		from := int(at) % len(raw)
		to := min(from+1+int(length)%600, len(raw))
		switch how % 4 {
		case 0:
			raw[from] ^= with
		case 1:
			clear(raw[from:to])
		case 2:
			for i := from; i < to; i++ {
				raw[i] = with
			}
		case 3:
			if strings.HasSuffix(name, ".log") {
				return
			}
			raw = raw[:from]
		}
		if bytes.Equal(raw, d.files[name]) {
			return
		}
		d.look(t, name, from, raw, 0, 7)
	})
}
