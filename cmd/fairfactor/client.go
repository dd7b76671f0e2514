package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"fairfactor"
	httpd "fairfactor/http"
)

// remote is what the verbs against a node have in common.
type remote struct {
	io     streams
	url    string
	output string
	key    string
	secret string // file of the key
}

// clientCommands are the verbs against a node.
func clientCommands(io streams) []*cobra.Command {
	return []*cobra.Command{
		newSubmit(io), newGet(io), newWait(io), newList(io), newExport(io), newEvents(io), newCancel(io), newRetry(io), newPause(io), newResume(io),
		newCallers(io), newGroups(io), newKeys(io), newNodes(io), newReady(io), newTop(io), newKnown(io),
	}
}

// outputs are the forms of results.
var outputs = []string{"table", "wide", "json"}

// addURL defines the flag that names the node.
func addURL(cmd *cobra.Command, url *string) {
	cmd.Flags().StringVar(url, "url", "http://127.0.0.1:5555", "URL of a node")
}

// command completes a verb: the flags all verbs have, and the connection.
func (r *remote) command(cmd *cobra.Command, do func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error) *cobra.Command {
	r.addFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		p, err := r.printer()
		if err != nil {
			return err
		}
		client, err := r.connect()
		if err != nil {
			return err
		}
		return away(do(cmd.Context(), client, p, args))
	}
	return withEnv(cmd)
}

// addFlags defines the flags that all verbs have.
func (r *remote) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	addURL(cmd, &r.url)
	f.StringVar(&r.key, "api-key", "", "API key, if the node asks for one; the environment or --api-key-file keeps it from other users of the machine")
	f.StringVar(&r.secret, "api-key-file", "", "file that holds the API key")
	f.StringVarP(&r.output, "output", "o", "table", "table, wide (cuts nothing to fit the terminal) or json")
	complete(cmd, "output", outputs)
	if cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
}

// printer is for the form that --output names.
func (r *remote) printer() (printer, error) {
	p := printer{out: r.io.out, json: r.output == "json"}
	switch r.output {
	case "table":
		p.width, _ = sizeOf(r.io.out)
	case "wide", "json":
	default:
		return p, fairfactor.Errorf(fairfactor.Invalid, "--output %q is not table, wide or json", r.output)
	}
	return p, nil
}

// connect returns a client of the node, with the key that was given.
func (r *remote) connect() (*httpd.Client, error) {
	key, err := secretOf("api-key", r.key, r.secret)
	if err != nil {
		return nil, err
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return nil, fairfactor.Errorf(fairfactor.Invalid, "the API key has a character at byte %d that no key has", i)
		}
	}
	client, err := httpd.NewClient(r.url)
	if err == nil {
		client.Authorise(key)
	}
	return client, err
}

// complete offers the values of a flag to the completion of shells.
func complete(cmd *cobra.Command, flag string, values []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that is not defined only
}

// sizeOf is the size of the terminal that w writes to, in columns and lines; zero if
// it writes to something else.
func sizeOf(w io.Writer) (width, height int) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

// each runs a function for each id. It goes on after an id that fails, says why on
// standard error, and counts: only a node that is away ends it at once.
func (r *remote) each(args []string, do func(fairfactor.ID) error) error {
	failures := 0
	for _, arg := range args {
		id, err := fairfactor.ParseID(arg)
		if err == nil {
			err = do(id)
		}
		if err == nil {
			continue
		}
		if code := fairfactor.CodeOf(err); len(args) == 1 || code == fairfactor.Unavailable || code == fairfactor.Canceled {
			return err
		}
		failures++
		fmt.Fprintf(r.io.err, "fairfactor: %.40s: %s\n", arg, fairfactor.MessageOf(err))
	}
	return someFailed(failures, len(args))
}

func newNodes(io streams) *cobra.Command {
	r := &remote{io: io}
	cmd := &cobra.Command{
		Use: "nodes", Short: "Show the nodes and what their workers do", Args: noArguments,
		Example: `  fairfactor nodes -o json`,
	}
	withStatuses(cmd, statusDone, statusError, statusUsage, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, _ []string) error {
		nodes, err := jobs.Nodes(ctx)
		if err == nil {
			p.nodes(nodes)
		}
		return err
	})
}
