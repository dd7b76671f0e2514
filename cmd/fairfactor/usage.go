package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fairfactor"
)

// What is wrong with a command line, in words that say what to write. The libraries
// that read it speak of strconv and of arg(s).

// flagError is what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	switch name := ""; {
	case !errors.As(err, &unknown):
		return valueError(err)
	case isNumber(strings.TrimLeft(unknown.GetSpecifiedShortnames(), "-")) && unknown.GetSpecifiedShortnames() != "":
		return fmt.Errorf("-%s is not a flag, and numbers are positive", unknown.GetSpecifiedShortnames())
	case len(unknown.GetSpecifiedName()) >= 2:
		name = nearest(unknown.GetSpecifiedName(), flagNames(cmd))
		if name != "" {
			return fmt.Errorf("%w: the nearest is --%s", err, name)
		}
	}
	return err
}

// wanted says what the value of a flag has to be, by the type that pflag gives.
var wanted = map[string]string{
	"int": "a whole number", "uint": "a whole number, 0 or more", "uint64": "a whole number, 0 or more",
	"duration": "a duration, such as 90s or 1h30m", "bool": "true or false",
}

// valueError is err, of a flag that got a value, in words that name flag and value.
func valueError(err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err
	}
	f := invalid.GetFlag()
	var own *fairfactor.Error
	switch want := wanted[f.Value.Type()]; {
	case errors.As(err, &own):
		return fairfactor.Errorf(fairfactor.Invalid, "--%s: %s", f.Name, own.Message)
	case want == "": // a list, which may hold secrets
		return fairfactor.Errorf(fairfactor.Invalid, "--%s is not a list with commas between its items", f.Name)
	case errors.Is(err, strconv.ErrRange):
		return fairfactor.Errorf(fairfactor.Invalid, "--%s %s is out of range", f.Name, invalid.GetValue())
	default:
		return fairfactor.Errorf(fairfactor.Invalid, "--%s %.40q is not %s", f.Name, invalid.GetValue(), want)
	}
}

// refuseNegative refuses amounts and times below zero: no flag has a use for them.
func refuseNegative(fs *pflag.FlagSet) (err error) {
	fs.VisitAll(func(f *pflag.Flag) {
		if t := f.Value.Type(); err == nil && (t == "int" || t == "duration") && strings.HasPrefix(f.Value.String(), "-") {
			err = fairfactor.Errorf(fairfactor.Invalid, "--%s %s is negative", f.Name, f.Value)
		}
	})
	return err
}

// noArguments is for commands that take flags only, or commands of their own.
func noArguments(cmd *cobra.Command, args []string) error {
	if cmd.HasSubCommands() {
		return cobra.NoArgs(cmd, args)
	}
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments, and there is %.40q", cmd.CommandPath(), args[0])
	}
	return nil
}

// oneArgument is for commands that take one.
func oneArgument(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("one argument is needed, and there are %d: %s", len(args), usageOf(cmd))
	}
	return nil
}

// someArguments is for commands that take one or more.
func someArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("an argument is missing: %s", usageOf(cmd))
	}
	return nil
}

// usageOf is how a command is called, without its flags.
func usageOf(cmd *cobra.Command) string { return cmd.Parent().CommandPath() + " " + cmd.Use }

// strictTopics has help and completion refuse what they do not know, where the library
// prints the help of the program and is content.
func strictTopics(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, topic []string) error {
				_, _, err := root.Find(topic)
				return err
			}
		case "completion":
			cmd.Args = cobra.NoArgs
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}
