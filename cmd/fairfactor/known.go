package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"fairfactor"
	httpd "fairfactor/http"
)

func newKnown(io streams) *cobra.Command {
	r := &remote{io: io}
	cmd := &cobra.Command{
		Use: "known N ...", Short: "Show what is known of numbers, import and export it", Args: someArguments,
		Long: `known asks a node what it knows of numbers, without making a job: small numbers are
factored on the spot, and of others the node tells what jobs of any caller have found.
The status is in the words of factordb.com: FF fully factored, CF some factors known,
C composite, P prime, PRP probable prime, U unknown, Unit for 1.

` + expressionsHelp,
		Example: `  fairfactor known 600851475143
  fairfactor known 2^227-1 -o json
  fairfactor known export > factors.txt     # lines as factor prints them
  fairfactor known import factors.txt       # each is verified before it is taken`,
	}
	withStatuses(cmd, statusDone, statusError, statusUsage, statusNodeAway)
	r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		var all []fairfactor.Factorization
		for _, arg := range args {
			number, err := submittedNumber(arg)
			if err != nil {
				return err
			}
			f, err := knowledgeOf(jobs).Factorization(ctx, number)
			if err != nil {
				return err
			}
			all = append(all, f)
		}
		p.factorizations(all)
		return nil
	})
	cmd.AddCommand(newKnownExport(io), newKnownImport(io))
	return cmd
}

// knowledgeOf is what a node knows; its client is both.
func knowledgeOf(jobs fairfactor.Jobs) fairfactor.Knowledge { return jobs.(fairfactor.Knowledge) }

// factorizations prints what is known of numbers.
func (p printer) factorizations(all []fairfactor.Factorization) {
	t := table{columns: []column{{name: "STATUS"}, {name: "NUMBER", least: 11}, {name: "FACTORS", least: 11}, {name: "COFACTOR", least: 11, drop: 1}}}
	for i := range all {
		f := &all[i]
		if p.json {
			p.line(httpd.AppendFactorization(nil, f))
			continue
		}
		t.add(string(f.Status), f.Number, strings.TrimPrefix(spaced(f.Factors), " "), f.Cofactor)
	}
	if len(t.rows) > 0 {
		t.write(p.out, p.width)
	}
}

func newKnownExport(io streams) *cobra.Command {
	r := &remote{io: io}
	cmd := &cobra.Command{
		Use: "export", Short: "Print all factorizations that a node remembers", Args: noArguments,
		Long: `export prints the numbers whose factors are all known, a line each as factor and GNU
factor print them, in no order that means anything. With -o json it prints the others
too.`,
		Example: `  fairfactor known export > factors.txt`,
	}
	withStatuses(cmd, statusDone, statusError, statusUsage, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, _ []string) error {
		out := bufio.NewWriter(p.out)
		defer out.Flush()
		p.out = out
		for cursor, more := "", true; more; more = cursor != "" {
			page, next, err := knowledgeOf(jobs).Factorizations(ctx, cursor, fairfactor.MaxPage)
			if err != nil {
				return err
			}
			if cursor = next; p.json {
				p.factorizations(page)
				continue
			}
			for _, f := range page {
				if f.Cofactor == "1" {
					fmt.Fprintf(out, "%s:%s\n", f.Number, strings.ReplaceAll(spaced(f.Factors), "?", ""))
				}
			}
		}
		return nil
	})
}

func newKnownImport(io streams) *cobra.Command {
	r := &remote{io: io}
	cmd := &cobra.Command{
		Use: "import [FILE ...]", Short: "Have a node remember factorizations that were found elsewhere",
		Long: `import reads lines as factor and GNU factor print them, N: p p q or N: p^2 q, from files
or from standard input, which - stands for too. The node multiplies each out and tests
its primes before it takes it. Blank lines and what follows a # are left out.`,
		Example: `  fairfactor known import factors.txt
  factor $(cat numbers.txt) | fairfactor known import`,
	}
	withStatuses(cmd, statusDone, statusError, statusUsage, statusSomeFailed, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, _ printer, args []string) error {
		t := teacher{knowledge: knowledgeOf(jobs), io: r.io}
		if len(args) == 0 {
			args = []string{"-"}
		}
		for _, name := range args {
			if err := t.file(ctx, name); err != nil {
				return err
			}
		}
		return t.end(ctx)
	})
}

// teacher sends factorizations to a node, some hundred at a time.
type teacher struct {
	knowledge fairfactor.Knowledge
	io        streams
	results   []fairfactor.Known // not sent yet
	at        []string           // where each was read

	learned, small, refused int
}

// teachAtOnce is how many results are sent together.
const teachAtOnce = 500

// file reads a file; - is standard input.
func (t *teacher) file(ctx context.Context, name string) error {
	in, err := t.io.open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	return t.read(ctx, name, in)
}

func (t *teacher) read(ctx context.Context, name string, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestLine)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		at := fmt.Sprintf("%s:%d", name, n)
		k, err := parseFactorLine(text)
		if err != nil {
			t.refuse(at, err)
			continue
		}
		t.results, t.at = append(t.results, k), append(t.at, at)
		if len(t.results) >= teachAtOnce {
			if err := t.send(ctx); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fairfactor.Wrap(fairfactor.Invalid, err, "can't read "+name)
	}
	return nil
}

// refuse says what is wrong with a line.
func (t *teacher) refuse(at string, err error) {
	t.refused++
	fmt.Fprintf(t.io.err, "fairfactor: %s: %s\n", at, fairfactor.MessageOf(err))
}

// send has the node learn what was read.
func (t *teacher) send(ctx context.Context) error {
	errs, err := t.knowledge.Teach(ctx, t.results)
	if err != nil {
		return err
	}
	for i := range t.results {
		switch {
		case errs == nil || errs[i] == nil:
			t.learned++
		case errs[i] == fairfactor.ErrSmall:
			t.small++
		default:
			t.refuse(t.at[i], errs[i])
		}
	}
	t.results, t.at = t.results[:0], t.at[:0]
	return nil
}

// end sends the rest and says what became of all.
func (t *teacher) end(ctx context.Context) error {
	if len(t.results) > 0 {
		if err := t.send(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(t.io.err, "%d learned, %d too small to be remembered, %d refused\n", t.learned, t.small, t.refused)
	return someFailed(t.refused, t.learned+t.small+t.refused)
}

// parseFactorLine reads a line as factor prints it.
func parseFactorLine(line string) (k fairfactor.Known, err error) {
	number, primes, ok := strings.Cut(line, ":")
	if !ok {
		return k, fairfactor.Errorf(fairfactor.Invalid, "the line has no colon: write it as factor does, 12: 2 2 3")
	}
	if k.Number, err = fairfactor.ParseNumber(strings.TrimSpace(number), maxLocalDigits); err != nil {
		return k, err
	}
	for field := range strings.FieldsSeq(primes) {
		text, power, has := strings.Cut(field, "^")
		exponent := 1
		if has {
			if exponent, err = strconv.Atoi(power); err != nil || exponent < 1 {
				return k, fairfactor.Errorf(fairfactor.Invalid, "%.60q is not a prime with an exponent", field)
			}
		}
		prime, err := fairfactor.ParseNumber(text, maxLocalDigits)
		if err != nil {
			return k, err
		}
		if n := len(k.Factors); n > 0 && k.Factors[n-1].Prime == prime {
			k.Factors[n-1].Exponent += exponent
			continue
		}
		k.Factors = append(k.Factors, fairfactor.Factor{Prime: prime, Exponent: exponent})
	}
	return k, nil
}
