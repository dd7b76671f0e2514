// Command fairfactor runs a node of the service, factors numbers on the spot,
// and talks to a node. It holds flags and wiring only.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"fairfactor"
)

func main() {
	ctx, stop := signals()
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// signals returns a context that ends with the first SIGTERM or SIGINT; the
// second one ends the process.
func signals() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	c := make(chan os.Signal, 2)
	signal.Notify(c, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-c
		cancel()
		<-c
		os.Exit(130)
	}()
	return ctx, func() { signal.Stop(c); cancel() }
}

// errSilent is returned by commands that have said what went wrong already.
var errSilent = errors.New("failed")

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, io streams) int {
	root := newRoot(io)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errSilent):
		return 1
	}
	var e *fairfactor.Error
	if errors.As(err, &e) {
		fmt.Fprintln(io.err, "fairfactor:", e.Message)
		if e.Err != nil {
			fmt.Fprintln(io.err, "  cause:", e.Err)
		}
	} else {
		fmt.Fprintln(io.err, "fairfactor:", err)
	}
	return 1
}

func newRoot(io streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "fairfactor",
		Short: "Factor integers for many callers, fairly",
		Long: `fairfactor factors integers for many callers at once. A burst from one caller
never makes another wait, and an accepted job is never lost.`,
		Example: `  fairfactor serve                                  # a node on http://127.0.0.1:5555
  fairfactor factor 600851475143                    # right here, no node needed
  fairfactor submit --caller me --wait 600851475143 # through the node`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newServe(io), newFactor(io), newCerts(io), newVersion(io))
	root.AddCommand(clientCommands(io)...)
	return root
}
