package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fairfactor"
)

func newManual(io streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages of all commands to a directory",
		Long: `man writes one manual page for each command to a directory, which it makes if
needed. SOURCE_DATE_EPOCH sets the date that the pages bear.`,
		Example: `  fairfactor man /usr/local/share/man/man1 && man fairfactor-serve`,
		Args:    oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fairfactor.Wrap(fairfactor.Internal, err, "the directory "+args[0]+" can't be created: choose another one")
			}
			date, err := manualDate()
			if err != nil {
				return err
			}
			if err := writePages(cmd.Root(), date, args[0]); err != nil {
				return fairfactor.Wrap(fairfactor.Internal, err, "the manual pages can't be written to "+args[0])
			}
			fmt.Fprintf(io.out, "the manual pages are in %s: man -l %s/fairfactor.1 shows the first\n", args[0], args[0])
			return nil
		},
	}
	return withStatuses(cmd, statusDone, statusError, statusUsage)
}

// manualDate is the date that pages bear, in UTC.
func manualDate() (string, error) {
	at := time.Now()
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return "", fairfactor.Errorf(fairfactor.Invalid, "SOURCE_DATE_EPOCH is %q, not a number of seconds", epoch)
		}
		at = time.Unix(seconds, 0)
	}
	return at.UTC().Format(time.DateOnly), nil
}

// writePages writes the pages of a command and of those below it.
func writePages(cmd *cobra.Command, date, folder string) error {
	cmd.InitDefaultHelpFlag()
	for _, c := range documented(cmd) {
		if err := writePages(c, date, folder); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, pageName(cmd)+".1"), []byte(page(cmd, date)), 0o644)
}

// documented are the commands below one that have pages, by name.
func documented(cmd *cobra.Command) []*cobra.Command {
	below := slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool {
		return !c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand()
	})
	slices.SortFunc(below, func(a, b *cobra.Command) int { return cmp.Compare(a.Name(), b.Name()) })
	return below
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// page is the page of one command, in the macros of man(7).
func page(cmd *cobra.Command, date string) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 %s \"fairfactor %s\" \"fairfactor manual\"\n", roff(strings.ToUpper(pageName(cmd))), date, roff(version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n.SH DESCRIPTION\n", roff(pageName(cmd)), roff(cmd.Short), roff(cmd.UseLine()))
	writeText(&b, cmp.Or(cmd.Long, cmd.Short))
	writeFlags(&b, "OPTIONS", cmd.NonInheritedFlags())
	writeFlags(&b, "OPTIONS OF ALL COMMANDS", cmd.InheritedFlags())
	if cmd.Example != "" {
		b.WriteString(".SH EXAMPLES\n")
		writeText(&b, cmd.Example)
	}
	var also []string
	if cmd.HasParent() {
		also = append(also, pageName(cmd.Parent()))
	}
	for _, c := range documented(cmd) {
		also = append(also, pageName(c))
	}
	for i, name := range also {
		if i == 0 {
			b.WriteString(".SH SEE ALSO\n")
		}
		comma := ","
		if i == len(also)-1 {
			comma = ""
		}
		fmt.Fprintf(&b, ".BR %s (1)%s\n", roff(name), comma)
	}
	return b.String()
}

// writeText writes paragraphs. Lines that begin with space stay as they are.
func writeText(b *strings.Builder, text string) {
	filled, begun := true, false
	for line := range strings.Lines(strings.Trim(text, "\n")) {
		line = strings.TrimRight(line, " \n")
		plain := strings.TrimLeft(line, " \t")
		switch {
		case line == "":
			if filled && begun {
				b.WriteString(".PP\n")
			} else if begun {
				b.WriteByte('\n')
			}
			continue
		case plain == line && !filled:
			b.WriteString(".fi\n.RE\n.PP\n")
			filled = true
		case plain != line && filled:
			b.WriteString(".RS 2\n.nf\n")
			filled = false
		}
		begun = true
		b.WriteString(roff(plain) + "\n")
	}
	if !filled {
		b.WriteString(".fi\n.RE\n")
	}
}

// writeFlags writes a section of flags, if there are any.
func writeFlags(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		b.WriteString(".TP\n")
		if f.Shorthand != "" {
			fmt.Fprintf(b, "\\fB\\-%s\\fR, ", f.Shorthand)
		}
		fmt.Fprintf(b, "\\fB\\-\\-%s\\fR", roff(f.Name))
		if value != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(value))
		}
		if !slices.Contains([]string{"", "0", "0s", "false", "[]"}, f.DefValue) {
			usage += " (default " + f.DefValue + ")"
		}
		b.WriteString("\n" + roff(usage) + "\n")
	})
}

// roff is a line of text as roff prints it.
func roff(line string) string {
	line = strings.NewReplacer("\\", "\\e", "-", "\\-", "\t", "    ").Replace(line)
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		line = "\\&" + line
	}
	return line
}
