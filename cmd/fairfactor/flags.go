package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fairfactor"
	"fairfactor/actors"
)

// streams are the standard streams of a command.
type streams struct {
	in       io.Reader
	out, err io.Writer
	runtime  actors.Runtime // of nodes; nil but in tests
}

// origins say where the values of flags come from, by the flags' names: a flag
// that is not in it has its default.
type origins map[string]string

// fromFlag is the origin of a value from the command line.
const fromFlag = "flag"

// withEnv lets every flag of a command be set by its environment variable; the
// command line wins.
func withEnv(cmd *cobra.Command) *cobra.Command {
	return withOrigins(cmd, origins{})
}

// withOrigins is withEnv for a command that has to know where its values come
// from. The file that --config names, if there is such a flag, comes last.
func withOrigins(cmd *cobra.Command, from origins) *cobra.Command {
	for _, name := range flagsOfEnvironment(cmd) {
		f := cmd.Flags().Lookup(name)
		f.Usage += " [" + envName(f.Name) + "]"
	}
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		cmd.Flags().Visit(func(f *pflag.Flag) { from[f.Name] = fromFlag })
		if err := setFromEnvironment(cmd, os.Environ(), from); err != nil {
			return err
		}
		if file := cmd.Flags().Lookup("config"); file != nil && file.Value.String() != "" {
			if err := setFromFile(cmd, file.Value.String(), from); err != nil {
				return err
			}
		}
		return refuseNegative(cmd.Flags())
	}
	return cmd
}

// typedOnly marks flags that say what a command changes: the environment, which is set
// for many commands, doesn't set them.
const typedOnly = "typed-only"

// onlyTyped marks flags that have to be on the command line.
func onlyTyped(fs *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := fs.SetAnnotation(name, typedOnly, nil); err != nil {
			panic(err) // no such flag
		}
	}
}

// isOnlyTyped says whether a flag has to be on the command line.
func isOnlyTyped(f *pflag.Flag) bool {
	_, typed := f.Annotations[typedOnly]
	return typed
}

// describeDefault replaces the default that the help shows for a flag where it
// depends on the machine.
func describeDefault(fs *pflag.FlagSet, name, words string) {
	f := fs.Lookup(name)
	f.Usage += " (default " + words + ")"
	if f.DefValue = ""; f.Value.Type() == "int" {
		f.DefValue = "0" // which is what pflag does not show
	}
}

// setFlag gives a flag a value from elsewhere than the command line.
func setFlag(cmd *cobra.Command, name, value, where string) error {
	if err := cmd.Flags().Set(name, value); err != nil {
		return fairfactor.Errorf(fairfactor.Invalid, "%s: %v", where, valueError(err))
	}
	return nil
}
