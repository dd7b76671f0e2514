package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fairfactor/bench/internal/benchtest"
	"fairfactor/bench/internal/random"
	"fairfactor/factor"
)

// The test binary is an alternative engine too, with [asEngine] set.
func TestMain(m *testing.M) {
	if how := os.Getenv(asEngine); how != "" {
		actEngine(how, os.Args[1:])
		return
	}
	os.Exit(m.Run())
}

// With this variable set, the test binary acts as gp or as GNU factor: right,
// wrong, slow, or broken.
const asEngine = "FAIRFACTOR_BENCH_TEST_ENGINE"

func actEngine(how string, args []string) {
	if len(args) == 1 && strings.HasPrefix(args[0], "--version") {
		fmt.Println("9.9")
		return
	}
	if len(args) > 0 && args[0] == "-sigma" {
		if how == "right" {
			fmt.Printf("Step 1 took 400ms\nStep 2 took 300ms\n")
		}
		os.Exit(8) // as GMP-ECM ends after a factor
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		list, isGP := strings.CutPrefix(line, "bench([")
		switch {
		case len(args) > 0 && !isGP:
			continue // gp's function
		case how == "slow":
			time.Sleep(time.Hour) // until it is killed
		case how == "broken":
			os.Exit(3)
		case isGP:
			fmt.Println("ms 500 100")
			for n := range strings.SplitSeq(strings.TrimSuffix(list, "])"), ",") {
				fmt.Println("", actAnswer(how, n))
			}
		default:
			fmt.Printf("%s: %s\n", line, actAnswer(how, line))
		}
	}
}

func actAnswer(how, n string) string {
	if how == "wrong" {
		return n
	}
	e := ownEngine{runner: factor.NewRunner()}
	_, answers, err := e.factor(context.Background(), []string{n})
	if err != nil {
		panic(err)
	}
	return answers[0]
}

// TestEngineTable measures a few small numbers against engines that agree.
func TestEngineTable(t *testing.T) {
	t.Setenv(asEngine, "right")
	file := filepath.Join(t.TempDir(), "engine.json")
	out, _ := benchtest.Run(t, 0, Study.Run, "-gp", os.Args[0], "-gnu", os.Args[0], "-bound", "1h", "-digits", "28", "-curves", "1", "-numbers", "2", "-seed", "5", "-json", file)
	row := `\s+2\s+[0-9.]+ [um]s\s+[0-9.]+ [um]s\s+[0-9.]+\s+[0-9.]+ [um]s\s+[0-9.]+\s+`
	for _, want := range []string{
		`(?m)^uniform 10\^6..10\^20` + row + `16 us\s+8 us\s+(aim|yes|no)$`,
		`(?m)^64-bit semiprimes` + row + `45 us, 0.1 of each\s+35 us\s+(aim|yes|no)$`,
		`(?m)^28 digits` + row + `1 ms\s+700 us\s+(aim|yes|no)$`,
		`seed 5\n$`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	var table engineTable
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &table)
	}
	if err != nil || len(table.Rows) != 6 || table.Seed != 5 || table.Machine.CPUs < 1 {
		t.Fatalf("%v: %s", err, raw)
	}
	for _, r := range table.Rows {
		if len(r.Sample) != 2 || r.Cells[oursName].CPU <= 0 || r.Cells["PARI"].Numbers != 2 || r.Cells["GNU"].Numbers != 2 {
			t.Errorf("%+v", r)
		}
	}
}

// TestEngineBesideRealOnes asks what is installed of the real engines, one number a
// row.
func TestEngineBesideRealOnes(t *testing.T) {
	out, said := benchtest.Run(t, 0, Study.Run, "-bound", "1h", "-digits", "20", "-curves", "1", "-numbers", "1", "-seed", "5")
	for program, name := range map[string]string{"gp": "PARI", "factor": "factor"} {
		_, err := exec.LookPath(program)
		absent := strings.Contains(said, "bench: "+program+" is not installed")
		told := regexp.MustCompile(`against .*` + name + ` .*seed 5`).MatchString(out)
		if absent == (err == nil) || absent == told {
			t.Errorf("%s: %v\n%s\n%s", program, err, said, out)
		}
	}
}

// TestEngineNotInstalled leaves columns empty, and says so.
func TestEngineNotInstalled(t *testing.T) {
	out, said := benchtest.Run(t, 0, Study.Run, "-gp", "no-such-gp", "-gnu", "", "-digits", "20", "-curves", "1", "-numbers", "1")
	if !strings.Contains(said, "no-such-gp is not installed") || !regexp.MustCompile(`(?m)^20 digits +1 +\S+ [um]s +- +- +- +- +200 us`).MatchString(out) {
		t.Errorf("%s\n%s", said, out)
	}
}

// TestEngineBounds stops engines that take too long, and does not ask them again
// for larger numbers.
func TestEngineBounds(t *testing.T) {
	t.Setenv(asEngine, "slow")
	b := engineBench{digits: 30, most: 2, bound: 50 * time.Millisecond, progress: t.Output()}
	b.others = []*alternative{{engine: &gp{program: os.Args[0]}, name: "PARI"}, {engine: &gnu{program: os.Args[0]}, name: "GNU"}}
	b.ours = &ownEngine{runner: factor.NewRunner()}
	defer b.close()
	b.Seed = 1
	if err := b.rows(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range b.Rows {
		if got := b.Rows[i].cells("PARI") + "\t" + b.Rows[i].cells("GNU"); strings.Count(got, "> ") != 2 {
			t.Errorf("%s: %s", b.Rows[i].Input, got)
		}
	}
	if !b.others[0].gone || !b.others[1].gone || len(b.Rows) != 7 {
		t.Errorf("%d rows, gone %v %v", len(b.Rows), b.others[0].gone, b.others[1].gone)
	}
}

// TestCurves has one curve for each bound of the smallest number, next to a GMP-ECM that
// takes 700 ms, and to one that says nothing.
func TestCurves(t *testing.T) {
	t.Setenv(asEngine, "right")
	args := []string{"-gp", "", "-gnu", "", "-digits", "1", "-curves", "120", "-numbers", "1", "-ecm"}
	out, _ := benchtest.Run(t, 0, Study.Run, append(args, os.Args[0])...)
	if !regexp.MustCompile(`(?m)^120 digits +250000 +\d{8,} +\S+ m?s +700 ms +\d\.\d\d +1.3 +0.8 +(aim|yes|no)$`).MatchString(out) {
		t.Error(out)
	}
	t.Setenv(asEngine, "broken")
	if _, said := benchtest.Run(t, 1, Study.Run, append(args, os.Args[0])...); !strings.Contains(said, "it said") {
		t.Error(said)
	}
}

// TestEnginesThatDiffer end the run with an error that names the number.
func TestEnginesThatDiffer(t *testing.T) {
	t.Setenv(asEngine, "wrong")
	for _, args := range [][]string{{"-gp", os.Args[0], "-gnu", ""}, {"-gp", "", "-gnu", os.Args[0]}} {
		if _, said := benchtest.Run(t, 1, Study.Run, append([]string{"-digits", "20", "-numbers", "2"}, args...)...); !strings.Contains(said, "this engine differ") {
			t.Error(said)
		}
	}
	t.Setenv(asEngine, "broken")
	if _, said := benchtest.Run(t, 1, Study.Run, "-gp", os.Args[0], "-gnu", "", "-digits", "20", "-numbers", "2"); !strings.Contains(said, "PARI") {
		t.Error(said)
	}
}

func TestEngineNumbers(t *testing.T) {
	rng := random.New(3, 4)
	for range 1000 {
		n, _ := new(big.Int).SetString(random.WordSemiprime(rng), 10)
		if n.BitLen() != 64 {
			t.Fatalf("%v has %d bits", n, n.BitLen())
		}
	}
	short, odd := 0, 0
	for range 1000 {
		n, _ := new(big.Int).SetString(random.LogUniform(rng), 10)
		if n.Cmp(big.NewInt(999_999)) < 0 || len(n.String()) > 21 {
			t.Fatal(n)
		}
		if len(n.String()) <= 13 {
			short++
		} else if n.Bit(0) == 1 && n.BitLen() > 60 {
			odd++
		}
	}
	if short < 400 || short > 600 || odd < 50 {
		t.Errorf("%d of 1000 have at most 13 digits, %d long ones are odd", short, odd)
	}
}

func TestEngineTargets(t *testing.T) {
	size := engineSize{name: "x", least: 10, aim: 5, ratio: 0.1}
	for _, c := range []struct {
		own, other time.Duration
		want       string
	}{{4, 40, "aim"}, {8, 80, "yes"}, {8, 79, "no"}, {11, 1000, "no"}} {
		r := size.row([]string{"1"})
		r.add(oursName, 1, c.own, c.own)
		r.add("PARI", 1, c.other, c.own)
		if got := r.met(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	for times, want := range map[float64]string{1.95: "aim", 1.75: "yes", 1.65: "no"} {
		if r := speedupRow("x", 1, times); r.met() != want {
			t.Errorf("%v times: %s", times, r.met())
		}
	}
}
