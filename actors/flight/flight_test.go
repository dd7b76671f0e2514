//go:build unix

package flight_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"fairfactor"
	"fairfactor/actors/flight"
)

// asPilot is the variable that names the directory of a process that is to be killed.
const asPilot = "FAIRFACTOR_TEST_PILOT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asPilot); dir != "" {
		r, err := flight.Create(dir, "dead", 4)
		if err != nil {
			panic(err)
		}
		for seq := range uint64(1000) {
			r.Begin(0, "alice", fairfactor.ID{Nonce: 7, Caller: 3, Seq: seq}, "15")
			r.Begin(1, "bob", fairfactor.ID{Nonce: 1, Caller: 2, Seq: seq}, "21")
			r.End(1)
		}
		longest := fairfactor.ID{Nonce: 1<<48 - 1, Caller: 1<<40 - 1, Seq: 5}
		r.Begin(2, strings.Repeat("c", fairfactor.MaxCallerBytes), longest, strings.Repeat("9", flight.MaxDigits))
		r.Begin(3, "dave", fairfactor.ID{Nonce: 1, Caller: 4, Seq: 1}, "33")
		r.Begin(3, "dave", fairfactor.ID{Nonce: 1, Caller: 4, Seq: 2}, strings.Repeat("9", flight.MaxDigits+1))
		fmt.Println("flying")
		select {}
	}
	os.Exit(m.Run())
}

// TestKilledProcessIsRead: what a process was at when it was killed is there, and not before
// it was; once it is forgotten it is gone.
func TestKilledProcessIsRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "flights")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asPilot+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(line, err)
	}
	if all := read(t, dir); len(all) != 0 {
		t.Errorf("of a process that lives: %+v", all)
	}
	cmd.Process.Kill()
	cmd.Wait()
	want := []flight.Turn{
		{Caller: "alice", ID: fairfactor.ID{Nonce: 7, Caller: 3, Seq: 999}, Number: "15"},
		{Caller: strings.Repeat("c", fairfactor.MaxCallerBytes), ID: fairfactor.ID{Nonce: 1<<48 - 1, Caller: 1<<40 - 1, Seq: 5}, Number: strings.Repeat("9", flight.MaxDigits)},
		{Caller: "dave", ID: fairfactor.ID{Nonce: 1, Caller: 4, Seq: 2}},
	}
	all := read(t, dir)
	if len(all) != 1 || all[0].Process != "dead" || !reflect.DeepEqual(all[0].Turns, want) {
		t.Fatalf("of a process that was killed: %+v", all)
	}
	all[0].Forget()
	if all := read(t, dir); len(all) != 0 {
		t.Errorf("after it was forgotten: %+v", all)
	}
}

// TestGoodOrderLeavesNothing: a process that ends in good order, or for a reason of its own,
// leaves no file; files of others are let alone.
func TestGoodOrderLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "flight-other")
	if err := os.WriteFile(other, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(*flight.Recorder){(*flight.Recorder).Close, (*flight.Recorder).Disown} {
		r, err := flight.Create(dir, "one", 1)
		if err != nil {
			t.Fatal(err)
		}
		r.Begin(0, "alice", fairfactor.ID{Seq: 1}, "15")
		if _, err := flight.Create(dir, "one", 1); err == nil {
			t.Error("two processes have one file")
		}
		end(r)
		if all := read(t, dir); len(all) != 0 {
			t.Errorf("left: %+v", all)
		}
		r.Close()
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}

// TestEarlierForm: what the process before an upgrade died of is known after it.
func TestEarlierForm(t *testing.T) {
	dir := t.TempDir()
	data := make([]byte, 64+2*128)
	copy(data, "fairfactor flight 1\n")
	s := data[64+128:]
	s[0], s[8], s[16], s[24] = 1, 7, 3, 5 // in use, nonce, caller, sequence number
	s[32] = byte(copy(s[40:], "alice"))
	if err := os.WriteFile(filepath.Join(dir, "flight-old"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	want := []flight.Turn{{Caller: "alice", ID: fairfactor.ID{Nonce: 7, Caller: 3, Seq: 5}}}
	if all := read(t, dir); len(all) != 1 || !reflect.DeepEqual(all[0].Turns, want) {
		t.Errorf("%+v", all)
	}
}

func read(t *testing.T, dir string) []flight.Last {
	t.Helper()
	all, err := flight.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func BenchmarkNote(b *testing.B) {
	r, err := flight.Create(b.TempDir(), "one", 1)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Begin(0, "caller-17", fairfactor.ID{Nonce: 1, Caller: 2, Seq: uint64(i)}, "1000003000000000000000000000000000000000001234567")
		r.End(0)
	}
}
