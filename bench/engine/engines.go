package engine

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"fairfactor/bench/internal/harness"
	"fairfactor/factor"
)

// engine factors numbers with one thread. It returns the CPU that this took, and
// the prime factors of each number, ascending, each as often as it divides, with
// spaces between.
type engine interface {
	factor(ctx context.Context, numbers []string) (cpu time.Duration, answers []string, err error)
	close()
}

var (
	errNotInstalled = errors.New("not installed")
	errTooLong      = errors.New("took too long")
)

// ownEngine is this engine.
type ownEngine struct {
	runner  *factor.Runner
	decoder factor.Decoder
}

func (e *ownEngine) close() {}

func (e *ownEngine) factor(ctx context.Context, numbers []string) (time.Duration, []string, error) {
	found := make([]factor.Prime, 0, 8*len(numbers)) // of all numbers
	ends := make([]int, len(numbers))
	runtime.GC() // what the answers to the last numbers left is not the engine's
	start := harness.OwnCPU()
	for i, n := range numbers {
		primes, err := e.one(ctx, n)
		if err != nil {
			return 0, nil, err
		}
		found = append(found, primes...)
		ends[i] = len(found)
	}
	cpu := harness.OwnCPU() - start
	answers := make([]string, len(numbers))
	from := 0
	for i, end := range ends {
		primes := found[from:end]
		if err := factor.Product(numbers[i], primes); err != nil {
			return 0, nil, err
		}
		answers[i], from = factor.Spell(primes), end
	}
	return cpu, answers, nil
}

// one factors a number as a worker and the owner of its job do: its first turn, which is
// all for a short number, then those that its machine gives out. The primes are good until
// the next number.
func (e *ownEngine) one(ctx context.Context, n string) ([]factor.Prime, error) {
	first, err := e.runner.RunFirst(n, nil)
	if err != nil {
		return nil, err
	}
	primes, done, err := e.decoder.Decode(n, first)
	if err != nil || done {
		return primes, err
	}
	m, err := factor.New(n)
	if err != nil {
		return nil, err
	}
	m.Next(1)
	if err := m.Apply(first); err != nil {
		return nil, err
	}
	if err := finishMachine(ctx, e.runner, m); err != nil {
		return nil, err
	}
	return m.Primes(), nil
}

// finishMachine runs turns until the machine is done.
func finishMachine(ctx context.Context, r *factor.Runner, m *factor.Machine) error {
	for !m.Done() {
		for _, turn := range m.Next(1) {
			result, err := r.Run(turn, func() bool { return ctx.Err() != nil })
			if err != nil {
				return err
			}
			if err := m.Apply(result); err != nil {
				return err
			}
		}
	}
	return nil
}

// gp is PARI's calculator, as a process that answers questions until one is broken
// off; then the next one starts it again.
type gp struct {
	program string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// gpScript defines a function that factors the numbers of a vector and prints the
// time, in milliseconds by gp's own clock, then a line of factors for each. Clock
// ticks are long, so what is quickly done is done often enough.
const gpScript = `default(nbthreads, 1); default(parisizemax, 2^31);
go(v) = for(i = 1, #v, r[i] = factor(v[i]));
bench(v) = { my(t, k = 1); r = vector(#v); gettime(); go(v); t = gettime();
  if(t < 100, k = 200 \ max(t, 1); gettime(); for(j = 1, k, go(v)); t = gettime());
  print("ms ", t, " ", k);
  for(i = 1, #v, my(m = r[i]); for(j = 1, matsize(m)[1], for(k = 1, m[j, 2], print1(" ", m[j, 1]))); print()) };
`

func openGP(ctx context.Context, program string) (engine, string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, "", errNotInstalled
	}
	version, err := exec.CommandContext(ctx, path, "--version-short").Output()
	if err != nil {
		return nil, "", err
	}
	g := &gp{program: path}
	return g, "PARI " + strings.TrimSpace(string(version)), g.start()
}

func (g *gp) start() (err error) {
	cmd := exec.Command(g.program, "-q", "-f")
	if g.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	g.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return err
	}
	g.cmd = cmd
	_, err = io.WriteString(g.in, strings.ReplaceAll(gpScript, "\n  ", " "))
	return err
}

func (g *gp) close() {
	if g.cmd == nil {
		return
	}
	g.cmd.Process.Kill()
	g.cmd.Wait() // says that it was killed
	g.cmd = nil
}

func (g *gp) factor(ctx context.Context, numbers []string) (time.Duration, []string, error) {
	if g.cmd == nil {
		if err := g.start(); err != nil {
			return 0, nil, err
		}
	}
	process := g.cmd.Process
	stop := context.AfterFunc(ctx, func() { process.Kill() })
	defer stop()
	cpu, answers, err := g.ask(numbers)
	if err != nil {
		g.close()
	}
	return cpu, answers, err
}

func (g *gp) ask(numbers []string) (time.Duration, []string, error) {
	if _, err := fmt.Fprintf(g.in, "bench([%s])\n", strings.Join(numbers, ",")); err != nil {
		return 0, nil, err
	}
	line, err := g.out.ReadString('\n')
	if err != nil {
		return 0, nil, err
	}
	var ms, times int
	if _, err := fmt.Sscanf(line, "ms %d %d", &ms, &times); err != nil || times < 1 {
		return 0, nil, fmt.Errorf("it said %q", line)
	}
	answers := make([]string, len(numbers))
	for i := range answers {
		if line, err = g.out.ReadString('\n'); err != nil {
			return 0, nil, err
		}
		answers[i] = strings.TrimSpace(line)
	}
	return time.Duration(ms) * time.Millisecond / time.Duration(times), answers, nil
}

// gnu is GNU factor: a process for each call, whose start is measured beforehand.
type gnu struct {
	program string
	start   time.Duration
}

// gnuStarts is how often the start is measured; the shortest counts.
const gnuStarts = 5

func openGNU(ctx context.Context, program string) (engine, string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, "", errNotInstalled
	}
	version, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return nil, "", err
	}
	first, _, _ := strings.Cut(string(version), "\n")
	g := &gnu{program: path, start: time.Hour}
	for range gnuStarts {
		cpu, _, err := g.run(ctx, nil)
		if err != nil {
			return nil, "", err
		}
		g.start = min(g.start, cpu)
	}
	return g, first, nil
}

func (g *gnu) close() {}

// run returns the CPU of one process and what it printed.
func (g *gnu) run(ctx context.Context, numbers []string) (time.Duration, []byte, error) {
	cmd := exec.CommandContext(ctx, g.program)
	cmd.Stdin = strings.NewReader(strings.Join(numbers, "\n"))
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return 0, nil, fmt.Errorf("%w %s", err, said.String())
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), out.Bytes(), nil
}

func (g *gnu) factor(ctx context.Context, numbers []string) (time.Duration, []string, error) {
	cpu, out, err := g.run(ctx, numbers)
	if err != nil {
		return 0, nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != len(numbers) {
		return 0, nil, fmt.Errorf("%d lines for %d numbers", len(lines), len(numbers))
	}
	answers := make([]string, len(lines))
	for i, line := range lines {
		number, primes, ok := strings.Cut(line, ":")
		if !ok || number != numbers[i] {
			return 0, nil, fmt.Errorf("it said %q of %s", line, strconv.Quote(numbers[i]))
		}
		answers[i] = strings.TrimSpace(primes)
	}
	return max(cpu-g.start, 0), answers, nil
}

// sameAnswers compares what two engines found.
func sameAnswers(numbers, want, got []string) error {
	for i, n := range numbers {
		if want[i] != got[i] {
			return fmt.Errorf("%s: %q and %q", n, want[i], got[i])
		}
	}
	return nil
}
