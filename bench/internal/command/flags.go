package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// Status tells of an error and returns the exit status that goes with it.
func Status(err error, progress io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(progress, "bench: %v\n", err)
	return 1
}

// Parse reads flags; ok is false if the command must end with the status.
func Parse(f *flag.FlagSet, args []string, progress io.Writer) (code int, ok bool) {
	f.SetOutput(progress)
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0, false
	} else if err != nil {
		return 2, false
	}
	if f.NArg() > 0 {
		fmt.Fprintf(progress, "bench: %q is neither a flag nor a subcommand\n", f.Arg(0))
		f.Usage()
		return 2, false
	}
	return 0, true
}

// CheckPositive returns an error for a count or a time that is not above zero:
// no comparison means anything with none.
func CheckPositive(f *flag.FlagSet) (err error) {
	f.VisitAll(func(fl *flag.Flag) {
		switch v := fl.Value.(flag.Getter).Get().(type) {
		case int:
			if v < 1 {
				err = fmt.Errorf("-%s %d is not above 0", fl.Name, v)
			}
		case time.Duration:
			if v <= 0 {
				err = fmt.Errorf("-%s %v is not above 0", fl.Name, v)
			}
		}
	})
	return err
}
