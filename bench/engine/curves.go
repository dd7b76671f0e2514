package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os/exec"
	"strings"
	"text/tabwriter"
	"time"

	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/random"
)

// curveRow is one elliptic curve, both stages, next to GMP-ECM's with the same bounds.
type curveRow struct {
	Digits int           `json:"digits"` // of the number
	B1     uint64        `json:"b1"`
	B2     uint64        `json:"b2"`
	Curves int           `json:"curves"`
	Ours   time.Duration `json:"ours_ns"`    // of a curve
	GMP    time.Duration `json:"gmp_ecm_ns"` // 0: not installed
	Met    string        `json:"met"`
}

// What a curve may take as a part of GMP-ECM's time, and what it should.
const (
	curveLeast = 1.3
	curveAim   = 0.8
)

var (
	curveDigits = []int{120, 200, 300}
	curveBounds = []uint64{250_000, 1_000_000}
)

// measureCurves fills the table of curves, one of each engine in turn.
func (b *engineBench) measureCurves(ctx context.Context) error {
	program := ""
	if b.ecm != "" {
		var err error
		if program, err = exec.LookPath(b.ecm); err != nil {
			fmt.Fprintf(b.progress, "bench: %s is not installed: its column is empty\n", b.ecm)
		}
	}
	run := newMethods()
	for i, digits := range curveDigits {
		if digits > b.curves {
			break
		}
		text := random.Semiprime(random.New(b.Seed, uint64(1000+i)), digits)
		n, _ := new(big.Int).SetString(text, 10)
		for _, B1 := range curveBounds {
			row := curveRow{Digits: digits, B1: B1, Curves: max(1, min(b.most, 3))}
			fmt.Fprintf(b.progress, "bench:   curves, %d digits, B1 = %d\n", digits, B1)
			for c := range row.Curves + 1 { // the first one makes the tables
				start := harness.OwnCPU()
				B2, err := run.Curve(n, B1, uint64(c))
				if err != nil {
					return err
				}
				if row.B2 = B2; c == 0 {
					continue
				}
				row.Ours += (harness.OwnCPU() - start) / time.Duration(row.Curves)
				if program == "" {
					continue
				}
				took, err := gmpCurve(ctx, program, text, B1, B2, c)
				if err != nil {
					return fmt.Errorf("%s: %w", b.ecm, err)
				}
				row.GMP += took / time.Duration(row.Curves)
			}
			row.Met = row.met()
			b.Curves = append(b.Curves, row)
		}
	}
	return nil
}

// gmpCurve returns the CPU of one curve by GMP-ECM, by its own clock.
func gmpCurve(ctx context.Context, program, n string, B1, B2 uint64, number int) (took time.Duration, err error) {
	cmd := exec.CommandContext(ctx, program, "-sigma", fmt.Sprintf("0:%d", 1000+number), fmt.Sprint(B1), fmt.Sprint(B2))
	cmd.Stdin = strings.NewReader(n)
	out, err := cmd.Output()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) { // its status tells whether there was a factor
		return 0, err
	}
	stages := 0
	for line := range strings.Lines(string(out)) {
		var stage, ms int
		if k, _ := fmt.Sscanf(line, "Step %d took %dms", &stage, &ms); k == 2 {
			took += time.Duration(ms) * time.Millisecond
			stages++
		}
	}
	if stages != 2 {
		return 0, fmt.Errorf("it said %.200q", out)
	}
	return took, nil
}

// ratio is this engine's time as a part of GMP-ECM's, 0 if that was not measured.
func (r *curveRow) ratio() float64 {
	if r.GMP <= 0 {
		return 0
	}
	return float64(r.Ours) / float64(r.GMP)
}

func (r *curveRow) met() string {
	if r.GMP <= 0 {
		return "-"
	}
	return grade(r.ratio() <= curveLeast, r.ratio() <= curveAim)
}

// printCurves prints the table of curves, if there is one.
func printCurves(out io.Writer, rows []curveRow) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CURVE\tB1\tB2\tOURS\tGMP-ECM\tOURS/GMP-ECM\tAT MOST\tAIM\tMET")
	for i := range rows {
		r := &rows[i]
		gmp := "-\t-"
		if r.GMP > 0 {
			gmp = fmt.Sprintf("%s\t%.2f", short(r.GMP), r.ratio())
		}
		fmt.Fprintf(w, "%d digits\t%d\t%d\t%s\t%s\t%g\t%g\t%s\n", r.Digits, r.B1, r.B2, short(r.Ours), gmp, curveLeast, curveAim, r.Met)
	}
	w.Flush()
	fmt.Fprintln(out, "\nCPU of one curve, both stages, one thread, the same bounds for both")
}
