package dispatch_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairfactor/actors/dispatch"

	"github.com/cockroachdb/datadriven"
)

// TestScripts runs the scripts in testdata. A script is a list of steps; a step
// is some commands, a line of dashes, and what the commands print. Lines that
// start with # tell the story. With -rewrite the output is written again.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := &stage{handed: map[uint64]dispatch.Turn{}, deadly: map[string]bool{}}
		s.machine = s.scheduler(dispatch.Config{Epoch: 1})
		datadriven.RunTest(t, path, func(t *testing.T, step *datadriven.TestData) string {
			var out bytes.Buffer
			for line := range strings.Lines(step.FullCmd() + "\n" + step.Input) {
				if err := s.do(&out, strings.Fields(line)); err != nil {
					step.Fatalf(t, "%q: %v", line, err)
				}
			}
			return out.String()
		})
	})
}

// stage is a script under way.
type stage struct {
	machine *dispatch.Machine
	now     time.Duration
	handed  map[uint64]dispatch.Turn
	deadly  map[string]bool // numbers
}

// scheduler is a new activation. The body of a turn is the number.
func (s *stage) scheduler(cfg dispatch.Config) *dispatch.Machine {
	cfg.Number = func(body any) string { return body.(string) }
	cfg.Deadly = func(number string) bool { return s.deadly[number] }
	return dispatch.New(cfg)
}

// words are the arguments of a command: plain ones, and name=value.
type words struct {
	plain []string
	named map[string]string
}

func parse(args []string) words {
	w := words{named: map[string]string{}}
	for _, a := range args {
		if name, value, ok := strings.Cut(a, "="); ok {
			w.named[name] = value
		} else {
			w.plain = append(w.plain, a)
		}
	}
	return w
}

func (w words) has(word string) bool {
	for _, p := range w.plain {
		if p == word {
			return true
		}
	}
	return false
}

func (w words) uint(name string, otherwise uint64) uint64 {
	if n, err := strconv.ParseUint(w.named[name], 10, 64); err == nil {
		return n
	}
	return otherwise
}

func (w words) duration(name string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(w.named[name]); err == nil {
		return d
	}
	return otherwise
}

// numbers reads 1,3-5.
func numbers(list string) (ns []uint64) {
	for item := range strings.SplitSeq(list, ",") {
		first, last, ok := strings.Cut(item, "-")
		if !ok {
			last = first
		}
		a, _ := strconv.ParseUint(first, 10, 64)
		b, _ := strconv.ParseUint(last, 10, 64)
		for ; a <= b && list != ""; a++ {
			ns = append(ns, a)
		}
	}
	return ns
}

func (s *stage) do(out *bytes.Buffer, line []string) error {
	w := parse(line[1:])
	switch line[0] {
	case "at":
		d, err := time.ParseDuration(line[1])
		s.now = d
		return err
	case "scheduler": // a new activation, which knows no caller
		s.machine = s.scheduler(dispatch.Config{Epoch: w.uint("epoch", 1), Dispatched: w.uint("dispatched", 0), Self: w.named["self"]})
	case "beat":
		var has []dispatch.Turn
		for _, n := range numbers(w.named["has"]) {
			t, ok := s.handed[n]
			if !ok {
				return fmt.Errorf("turn %d was never handed out", n)
			}
			has = append(has, bare(t))
		}
		s.machine.Beat(s.now, line[1], int(w.uint("slots", 1)), has)
	case "offer":
		s.machine.Offer(s.now, offerOf(line[1], w))
	case "dispatch":
		s.dispatch(out)
	case "end":
		for _, n := range numbers(line[1]) {
			if _, ok := s.handed[n]; !ok {
				return fmt.Errorf("turn %d was never handed out", n)
			}
			s.machine.End(s.now, n, w.duration("used", s.handed[n].Predict))
		}
	case "withdraw":
		for _, h := range s.machine.Withdraw(s.now, line[1], w.uint("job", 0), w.uint("epoch", 1)) {
			fmt.Fprintf(out, "halt %d at %s\n", h.Dispatched, h.Worker)
		}
	case "left":
		s.machine.WorkerLeft(s.now, line[1])
	case "living":
		s.machine.KeepWorkers(s.now, line[1:])
	case "deaths":
		for _, d := range s.machine.Deaths() {
			fmt.Fprintf(out, "tell %s: %s died with job %d\n", d.Caller, d.Process, d.Seq)
		}
	case "doubt": // a process died with a job, as its successor tells
		s.machine.Doubt(s.now, line[1], w.uint("job", 0), w.named["number"])
	case "deadly":
		s.deadly[line[1]] = true
	case "tick":
		s.machine.Tick(s.now)
	case "backlogged": // callers, weights and groups as name/weight@group
		s.machine.Backlogged(s.now, known(line[1:]))
	case "wants":
		fmt.Fprintf(out, "%d more\n", s.machine.Wants())
	case "crowd": // the number of callers in line above which they become dormant
		s.machine.Crowd(int(w.uint("above", 0)))
	case "weigh":
		s.machine.WeighGroup(line[1], int(w.uint("weight", 1)))
	case "levels":
		r := s.machine.Report()
		fmt.Fprintf(out, "dormant %d; between: %d in line, lag %v; inside: %d in line, lag %v; bound %v and %v\n", r.Dormant,
			r.Between.InLine, r.Between.Lag, r.Inside.InLine, r.Inside.Lag, r.Between.Bound, r.Inside.Bound)
	case "report":
		r := s.machine.Report()
		fmt.Fprintf(out, "active %d, waiting %d, open %d, lag %v of %v, violations %d\n", r.Active, r.Waiting, r.Open, r.Lag, r.Bound, r.Violations)
	default:
		return fmt.Errorf("unknown command")
	}
	return nil
}

// known reads name, name/weight and name/weight@group; a-d is four callers.
func known(names []string) (all []dispatch.Known) {
	for _, name := range names {
		k := dispatch.Known{Weight: 1}
		name, k.Group, _ = strings.Cut(name, "@")
		name, weight, _ := strings.Cut(name, "/")
		if n, err := strconv.Atoi(weight); err == nil {
			k.Weight = n
		}
		first, last, ok := strings.Cut(name, "-")
		if !ok {
			last = first
		}
		for k.Caller = first; k.Caller <= last; k.Caller = string(rune(k.Caller[0] + 1)) {
			all = append(all, k)
		}
	}
	return all
}

func offerOf(caller string, w words) dispatch.Offer {
	o := dispatch.Offer{
		Caller: caller, Epoch: w.uint("epoch", 1), Weight: int(w.uint("weight", 1)),
		More: w.has("more"), Again: w.has("again"), Group: w.named["group"], Home: w.named["home"],
	}
	turns := []uint64{0}
	if w.named["turns"] != "" {
		turns = numbers(w.named["turns"])
	}
	for _, job := range numbers(w.named["jobs"]) {
		for _, turn := range turns {
			o.Turns = append(o.Turns, dispatch.Turn{
				Key:     dispatch.Key{Caller: caller, Epoch: o.Epoch, Seq: job, Turn: turn},
				Predict: w.duration("cost", 20*time.Millisecond), Body: w.named["number"],
				Nonce: job, Suspect: w.has("suspect"), Mourned: w.named["mourned"],
			})
		}
	}
	return o
}

func (s *stage) dispatch(out *bytes.Buffer) {
	runs, pulls := s.machine.Dispatch(s.now)
	for _, r := range runs {
		fmt.Fprintf(out, "%s runs%s\n", r.Worker, list(r.Turns))
		for _, t := range r.Turns {
			s.handed[t.Dispatched] = t
		}
	}
	for _, p := range pulls {
		fmt.Fprintf(out, "pull %d from %s\n", p.Want, p.Caller)
	}
	if len(runs)+len(pulls) == 0 {
		fmt.Fprintln(out, "nothing")
	}
}

// list writes turns as number:caller/job.turn; three and more jobs of one caller
// in a row are a range.
func list(turns []dispatch.Turn) string {
	var out strings.Builder
	for len(turns) > 0 {
		n := 1
		for n < len(turns) && turns[n].Caller == turns[0].Caller && turns[n].Seq == turns[0].Seq+uint64(n) && turns[n].Turn == turns[0].Turn {
			n++
		}
		first, last := turns[0], turns[n-1]
		if n >= 3 && last.Dispatched == first.Dispatched+uint64(n-1) {
			fmt.Fprintf(&out, " %d-%d:%s/%d-%d.%d", first.Dispatched, last.Dispatched, first.Caller, first.Seq, last.Seq, first.Turn)
		} else {
			n = 1
			fmt.Fprintf(&out, " %d:%s/%d.%d", first.Dispatched, first.Caller, first.Seq, first.Turn)
		}
		turns = turns[n:]
	}
	return out.String()
}

// bare is a turn as a worker tells of it: without its body.
func bare(t dispatch.Turn) dispatch.Turn {
	t.Body = nil
	return t
}
