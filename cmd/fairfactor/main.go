// Command fairfactor runs a node of the service, factors numbers on the spot,
// and talks to a node. It holds flags and wiring only.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signals()
	defer stop()
	os.Exit(run(ctx, conceal(os.Args[1:], blank), streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
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

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, io streams) int {
	if len(args) == 1 && (args[0] == "--version" || args[0] == "-v") {
		args = []string{"version"}
	}
	root := newRoot(io)
	strictTopics(root)
	root.SetArgs(args)
	begun := false // what fails before is a command line that makes no sense
	root.PersistentPreRun = func(*cobra.Command, []string) { begun = true }
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil {
		report(err, io)
	}
	if err != nil && !begun {
		fmt.Fprintf(io.err, "See \"%s --help\".\n", cmd.CommandPath())
		return exitUsage
	}
	return statusOf(err)
}

func newRoot(io streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "fairfactor",
		Short: "Factor integers for many callers, fairly",
		Long: `fairfactor factors integers for many callers at once. A burst from one caller
never makes another wait, and an accepted job is never lost.

Flags can also be set by environment variables, which the help shows in brackets;
the command line wins. An empty variable counts as unset. Flags that say what a
command changes have none.`,
		Example: `  fairfactor serve                                  # a node on http://127.0.0.1:5555
  fairfactor factor 600851475143                    # right here, no node needed
  fairfactor submit --caller me --wait 600851475143 # through the node`,
		Version:           versionText(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
	}
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newServe(io), newConfig(io), newFactor(io), newVerify(io), newCerts(io), newManual(io), newVersion(io))
	root.AddCommand(clientCommands(io)...)
	return withStatuses(root, statusDone, statusError, statusUsage, statusSomeFailed, statusTimedOut, statusNodeAway)
}
