package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"fairfactor/cluster"
)

func newCerts(io streams) *cobra.Command {
	var dir, name string
	var hosts []string
	var missing bool
	cmd := &cobra.Command{
		Use:   "certs",
		Short: "Make an authority and a certificate for the nodes of a cluster",
		Long: `certs makes a certificate authority and one certificate with its key, which all
nodes of a cluster can share: members prove to each other that an authority in
--tls-ca has signed their certificate for the name of the cluster. It is for
trying things out; keep ca.key where no node is, or make certificates with the
tool of your choice: for the DNS name that --cluster gives, for server and client
authentication. Nothing is overwritten.`,
		Example: `  fairfactor certs --dir certs
  fairfactor serve --tls-cert certs/node.pem --tls-key certs/node.key --tls-ca certs/ca.pem ...`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if missing && cluster.HaveCertificates(dir) {
				fmt.Fprintf(io.out, "the certificates in %s stay as they are\n", dir)
				return nil
			}
			now := time.Now()
			if err := cluster.MakeCertificates(dir, name, hosts, now); err != nil {
				return err
			}
			file := func(n string) string { return filepath.Join(dir, n) }
			fmt.Fprintf(io.out, "%s and %s: the authority, for --tls-ca, and its key, which no node needs\n",
				file(cluster.AuthorityFile), file(cluster.AuthorityKeyFile))
			fmt.Fprintf(io.out, "%s and %s: for --tls-cert and --tls-key, good for cluster %s until %s\n",
				file(cluster.CertificateFile), file(cluster.KeyFile), name, now.Add(cluster.CertificateLife).Format(time.DateOnly))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "certs", "directory to write to; it is made if needed")
	f.StringVar(&name, "cluster", cluster.DefaultCluster, "name of the cluster")
	f.StringSliceVar(&hosts, "host", nil, "further names and IP addresses to put into the certificate")
	f.BoolVar(&missing, "if-missing", false, "do nothing if all files are there already")
	return withStatuses(withEnv(cmd), statusDone, statusError, statusUsage)
}
