package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fairfactor"
	"fairfactor/factor"
)

// longestCertificate bounds a line that verify reads, in bytes: an object with the
// certificates of many primes.
const longestCertificate = 16 << 20

func newVerify(streams streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [FILE ...]",
		Short: "Check certificates of primality, and factorizations with them",
		Long: `verify reads what "factor --certificate" prints from files or from standard input,
which - stands for too, and checks it with nothing but integer arithmetic: no code
is shared with what factors numbers and makes certificates. A line is

    a certificate   P, below 2^64; [[N, t, s, a, [x, y]], ...], elliptic curves; or
                    [N, [p, ...]], factors of N - 1: those of primecert of PARI/GP
    N: p p q        factors, which must multiply to N; each prime above 2^64 needs a
                    certificate on one of the next lines
    {...}           the same as an object, as factor --json --certificate prints it

Blank lines and those that begin with # are left out. For each certificate that holds a
line says "P: prime", for each factorization "N: factored"; standard error says
what is wrong with others.`,
		Example: `  fairfactor factor --certificate '2^137-1' | fairfactor verify
  fairfactor verify certificates.txt
  echo 'print(primecert(nextprime(10^30)))' | gp -q | fairfactor verify`,
		RunE: func(cmd *cobra.Command, args []string) error {
			v := &verifier{io: streams, stop: func() bool { return cmd.Context().Err() != nil }}
			if len(args) == 0 {
				args = []string{stdinName}
			}
			for _, name := range args {
				if err := v.file(cmd.Context(), name); err != nil {
					return err
				}
			}
			return v.end()
		},
	}
	return withStatuses(withEnv(cmd), statusDone, "1  error: nothing holds, or nothing was there", statusUsage, statusSomeFailed)
}

// verifier checks certificates and factorizations line by line.
type verifier struct {
	io      streams
	stop    func() bool
	pending *fairfactor.Known // a factorization whose certificates may follow
	at      string            // where it was read
	proven  map[string]bool   // by the certificates that followed it

	holds, refused int
}

// file checks a file; - is standard input.
func (v *verifier) file(ctx context.Context, name string) error {
	in, err := v.io.open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	return v.read(ctx, name, in)
}

func (v *verifier) read(ctx context.Context, name string, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestCertificate)
	for n := 1; lines.Scan(); n++ {
		if ctx.Err() != nil {
			return errInterrupted
		}
		text, at := strings.TrimSpace(lines.Text()), fmt.Sprintf("%s:%d", name, n)
		if text == "" || text[0] == '#' {
			continue
		}
		if err := v.line(text, at); errors.Is(err, factor.ErrStopped) {
			return errInterrupted
		} else if err != nil {
			v.refuse(at, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fairfactor.Wrap(fairfactor.Invalid, err, "can't read "+name)
	}
	v.settle()
	return nil
}

// line checks a line. A factorization waits for the certificates after it.
func (v *verifier) line(text, at string) error {
	switch {
	case text[0] == '{':
		return v.object(text, at)
	case !strings.Contains(text, ":"):
		return v.certificate(text)
	}
	k, err := parseFactorLine(text)
	v.settle()
	if err == nil {
		v.pending, v.at, v.proven = &k, at, make(map[string]bool)
	}
	return err
}

// certificate checks a certificate.
func (v *verifier) certificate(text string) error {
	p, err := factor.CheckCertificate(text, v.stop)
	if err != nil {
		return err
	}
	v.holds++
	fmt.Fprintf(v.io.out, "%s: prime\n", p)
	if v.pending != nil {
		v.proven[p] = true
	}
	return nil
}

// object checks an object with factors and certificates.
func (v *verifier) object(text, at string) error {
	var o struct {
		Number       string
		Result       map[string]int
		Remaining    []string
		Certificates map[string]string
	}
	v.settle()
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return fmt.Errorf("not an object as factor --json prints it: %w", err)
	}
	if len(o.Remaining) > 0 {
		return fmt.Errorf("%s is not factored completely", shortened(o.Number))
	}
	primes := slices.SortedFunc(maps.Keys(o.Result), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	line := o.Number + ":"
	for _, p := range primes {
		line += fmt.Sprintf(" %s^%d", p, o.Result[p])
	}
	k, err := parseFactorLine(line)
	if err != nil {
		return err
	}
	v.pending, v.at, v.proven = &k, at, make(map[string]bool)
	for _, p := range primes {
		if text := o.Certificates[p]; text != "" {
			if err := v.certificate(text); err != nil {
				v.pending = nil
				return err
			}
		}
	}
	v.settle()
	return nil
}

// settle says whether the factorization that waits holds, if there is one.
func (v *verifier) settle() {
	if v.pending == nil {
		return
	}
	if err := v.factors(v.pending); err != nil {
		v.refuse(v.at, err)
	} else {
		v.holds++
		fmt.Fprintf(v.io.out, "%s: factored\n", v.pending.Number)
	}
	v.pending, v.proven = nil, nil
}

// factors checks that a factorization multiplies out, and that all its primes are proven.
func (v *verifier) factors(k *fairfactor.Known) error {
	primes := make([]factor.Prime, len(k.Factors))
	for i, f := range k.Factors {
		primes[i] = factor.Prime{P: f.Prime, Exponent: f.Exponent}
		if v.proven[f.Prime] {
			continue
		}
		if _, err := factor.CheckCertificate(f.Prime, v.stop); err != nil {
			return fmt.Errorf("%s has no certificate that holds", shortened(f.Prime))
		}
	}
	return factor.Product(k.Number, primes)
}

// refuse says what is wrong with a line.
func (v *verifier) refuse(at string, err error) {
	v.refused++
	fmt.Fprintf(v.io.err, "fairfactor: %s: %s\n", at, strings.TrimPrefix(messageOf(err), "factor: "))
}

// messageOf is what an error says to a person.
func messageOf(err error) string {
	if fairfactor.CodeOf(err) != fairfactor.Internal {
		return fairfactor.MessageOf(err)
	}
	return err.Error()
}

// end is the end of the command.
func (v *verifier) end() error {
	if v.holds+v.refused == 0 {
		return &exit{exitError, errors.New("there was nothing to verify")}
	}
	return someFailed(v.refused, v.holds+v.refused)
}
