package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"fairfactor"
)

func newManual(io streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages of all commands to a directory",
		Long: `man writes one manual page for each command to a directory, which it makes if
needed. SOURCE_DATE_EPOCH sets the date that the pages bear.`,
		Example: `  fairfactor man /usr/local/share/man/man1 && man fairfactor-serve`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fairfactor.Wrap(fairfactor.Internal, err, "the directory "+args[0]+" can't be made")
			}
			header := &doc.GenManHeader{Section: "1", Source: "fairfactor " + version, Manual: "fairfactor manual"}
			if err := doc.GenManTree(cmd.Root(), header, args[0]); err != nil {
				return fairfactor.Wrap(fairfactor.Internal, err, "the manual pages can't be written to "+args[0])
			}
			fmt.Fprintf(io.out, "the manual pages are in %s: man -l %s/fairfactor.1 shows the first\n", args[0], args[0])
			return nil
		},
	}
	return withStatuses(cmd, statusDone, statusError, statusUsage)
}
