package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"fairfactor"
	httpd "fairfactor/http"
	"fairfactor/store/pebble"
	"fairfactor/store/postgres"
)

// keyring is what the verbs about API keys have in common: a node, or a store.
type keyring struct {
	remote
	data, store, storeFile string
}

func newKeys(io streams) *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Make, list and revoke API keys",
		Long: `keys manages the API keys that a node asks for. A caller's key submits for the
callers that --caller names and sees their jobs only; a viewer's key reads
everything; an operator's key does everything.

The first key must be an operator's, and is made in the store itself: with --data
for the embedded store, while its node is stopped, or with --store for PostgreSQL,
at any time. From then on the nodes that use this store ask for keys, unless they
run with --open, and an operator's key in FAIRFACTOR_KEY makes others through a
node.`,
		Example: `  fairfactor keys add --role operator --data ./data   # the first, node stopped
  export FAIRFACTOR_KEY=ff_...                        # what it printed
  fairfactor keys add --role caller --caller 'team-*'
  fairfactor keys list
  fairfactor keys revoke 3f9a1c2b77d0`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeysAdd(io), newKeysList(io), newKeysRevoke(io))
	return withStatuses(cmd, statusDone, statusError, statusUsage, statusNodeAway)
}

func newKeysAdd(io streams) *cobra.Command {
	k := &keyring{remote: remote{io: io}}
	var role, callers, group string
	cmd := &cobra.Command{
		Use: "add", Short: "Make an API key and print it, this once", Args: noArguments,
		Example: `  fairfactor keys add --role caller --caller 'team-*'
  fairfactor keys add --role caller --caller 'acme-*' --group acme
  fairfactor keys add --role operator --store-file /run/secrets/store`,
	}
	cmd.Flags().StringVar(&role, "role", "", "caller, viewer or operator; required")
	cmd.Flags().StringVar(&callers, "caller", "", "callers that a key with the role caller is for; * stands for any characters")
	cmd.Flags().StringVar(&group, "group", "", "group of the callers that first submit with this key: all of them together get one share")
	onlyTyped(cmd.Flags(), "role", "caller", "group")
	complete(cmd, "role", []string{string(fairfactor.RoleCaller), string(fairfactor.RoleViewer), string(fairfactor.RoleOperator)})
	return k.command(cmd, func(ctx context.Context, keys fairfactor.Keys, p printer, _ []string) error {
		if _, err := fairfactor.ParseRole(role); err != nil {
			return fairfactor.Errorf(fairfactor.Invalid, "--role: %s", fairfactor.MessageOf(err))
		}
		key, secret, err := keys.AddKey(ctx, fairfactor.Role(role), callers, group)
		if err != nil {
			return err
		}
		if p.json {
			p.line(httpd.AppendNewKey(nil, &key, secret))
			return nil
		}
		fmt.Fprintf(io.err, "the key %s, shown this once: keep it where no one else can read it\n", key.ID)
		fmt.Fprintln(io.out, secret)
		return nil
	})
}

func newKeysList(io streams) *cobra.Command {
	k := &keyring{remote: remote{io: io}}
	cmd := &cobra.Command{
		Use: "list", Short: "List the API keys, without their secrets", Args: noArguments,
		Example: `  fairfactor keys list -o json`,
	}
	return k.command(cmd, func(ctx context.Context, keys fairfactor.Keys, p printer, _ []string) error {
		var all []fairfactor.APIKey
		for after := ""; ; after = all[len(all)-1].ID {
			page, err := keys.Keys(ctx, after, fairfactor.MaxPage)
			if err != nil {
				return err
			}
			if all = append(all, page...); len(page) < fairfactor.MaxPage {
				break
			}
		}
		p.keys(all)
		return nil
	})
}

func newKeysRevoke(io streams) *cobra.Command {
	k := &keyring{remote: remote{io: io}}
	cmd := &cobra.Command{
		Use: "revoke ID ...", Short: "Revoke API keys, on all nodes within a second", Args: someArguments,
		Example: `  fairfactor keys revoke 3f9a1c2b77d0`,
	}
	return k.command(cmd, func(ctx context.Context, keys fairfactor.Keys, _ printer, args []string) error {
		for _, id := range args {
			if err := keys.RevokeKey(ctx, id); err != nil {
				return err
			}
			fmt.Fprintf(io.err, "the key %s is revoked\n", id)
		}
		return nil
	})
}

// keys prints a list of keys.
func (p printer) keys(all []fairfactor.APIKey) {
	t := table{columns: []column{{name: "ID"}, {name: "ROLE"}, {name: "CALLERS", least: 8}, {name: "GROUP"}, {name: "CREATED", drop: 1}}}
	for i := range all {
		if p.json {
			p.line(httpd.AppendKey(nil, &all[i]))
			continue
		}
		t.add(all[i].ID, string(all[i].Role), all[i].Callers, all[i].Group, all[i].Created.Local().Format(time.DateTime))
	}
	if len(t.rows) > 0 {
		t.write(p.out, p.width)
	}
}

// command completes a verb: the flags that say where the keys are, and the way to
// them.
func (k *keyring) command(cmd *cobra.Command, do func(ctx context.Context, keys fairfactor.Keys, p printer, args []string) error) *cobra.Command {
	from := origins{}
	f := cmd.Flags()
	f.StringVar(&k.data, "data", "", "directory of an embedded store whose node is stopped, instead of a node")
	f.StringVar(&k.store, "store", "", "URL of a PostgreSQL that nodes share, instead of a node")
	f.StringVar(&k.storeFile, "store-file", "", "file that holds the URL of --store")
	k.addFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		p, err := k.printer()
		if err != nil {
			return err
		}
		keys, done, err := k.open(cmd.Context(), from)
		if err != nil {
			return away(err)
		}
		defer done.Close()
		return away(do(cmd.Context(), keys, p, args))
	}
	return withStatuses(withOrigins(cmd, from), statusDone, statusError, statusUsage, statusNodeAway)
}

// open opens the store that the flags or the environment name, unless --url on the
// command line asks for a node.
func (k *keyring) open(ctx context.Context, from origins) (fairfactor.Keys, io.Closer, error) {
	url, err := secretOf("store", k.store, k.storeFile)
	if err != nil {
		return nil, nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	var store interface {
		fairfactor.KeyStore
		io.Closer
	}
	switch {
	case from["url"] == fromFlag || url == "" && k.data == "":
		client, err := k.connect()
		if err != nil {
			return nil, nil, err
		}
		return client, closing(client.Close), nil
	case url != "":
		bounded, cancel := context.WithTimeout(ctx, storeTime)
		defer cancel()
		store, err = postgres.Open(bounded, url, postgres.Options{Logger: quiet})
	default:
		store, err = pebble.Open(k.data, pebble.Options{Logger: quiet})
	}
	if err != nil {
		return nil, nil, err
	}
	ring, err := httpd.OpenKeyring(ctx, store, httpd.KeyringOptions{})
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	return ring, store, nil
}

// closing is a function as an [io.Closer].
type closing func()

func (c closing) Close() error {
	c()
	return nil
}
