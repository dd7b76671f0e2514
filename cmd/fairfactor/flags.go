package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// streams are the standard streams of a command.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// envName is the environment variable of a flag: --max-digits is
// FAIRFACTOR_MAX_DIGITS.
func envName(flag string) string {
	return "FAIRFACTOR_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// withEnv lets every flag of a command be set by its environment variable; the
// command line wins.
func withEnv(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		f.Usage += fmt.Sprintf(" [%s]", envName(f.Name))
	})
	inner := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		var err error
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			value, ok := os.LookupEnv(envName(f.Name))
			if !ok || f.Changed || err != nil {
				return
			}
			if e := cmd.Flags().Set(f.Name, value); e != nil {
				err = fmt.Errorf("%s: %w", envName(f.Name), e)
			}
		})
		if err == nil && inner != nil {
			err = inner(cmd, args)
		}
		return err
	}
	return cmd
}
