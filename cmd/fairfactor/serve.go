package main

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/dispatch"
	"fairfactor/cluster"
	"fairfactor/http/otlp"
)

// config is what the flags of serve say.
type config struct {
	file                 string
	http, data, store    string
	node, gossip, remote string
	advertise, gossipKey string
	cluster              string
	tlsCert, tlsKey      string
	tlsCA                string
	insecure             bool
	join                 []string
	workers, maxDigits   int
	quantum, retention   time.Duration
	maxCPU, drain        time.Duration
	linger               time.Duration
	maxQueue, maxCallers uint64
	maxDeaths            int
	runtime              actors.Runtime // nil but in tests
	logLevel, logFormat  string
	level                *slog.LevelVar // of the log; SIGHUP may change it
	pprof                string
	groupBy, basePath    string
	proxies              []string
	hosts, origins       []string
	hookHosts            []string
	hookSecrets          []string
	hookSecretFile       string
	storeMemory          byteSize
	answerMemory         byteSize
	workMemory           byteSize
	storeConnections     int
	storeFile            string
	open                 bool
	knownSize            int
	httpCert, httpKey    string
	httpClientCA         string
	httpClients          []string
	accessLog            string
	otlp                 string
}

func newServe(io streams) *cobra.Command {
	var cfg config
	from := origins{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a node",
		Long: `serve runs a node until it gets SIGTERM or SIGINT. Then it stops accepting jobs (after
--linger, which is for balancers), finishes the turns that run, saves the progress of
long jobs and exits with status 0. A second signal ends it at once. Accepted jobs are
kept and go on at the next start. At SIGHUP it reads the log level from the file of
--config again; certificates and API keys it reads again by itself when they change.

Values come from the flags, then from the environment, then from the file that
--config names, then from the defaults. The file has one "flag: value" a line;
fairfactor config prints one.`,
		Example: `  fairfactor serve
  fairfactor serve --http 127.0.0.1:8080 --data /var/lib/fairfactor --workers 4
  FAIRFACTOR_STORE=postgres://fairfactor:secret@db:5432/fairfactor fairfactor serve
  fairfactor serve --config fairfactor.yaml     # fairfactor config prints one
  FAIRFACTOR_LOG_LEVEL=debug fairfactor serve   # shows each turn with its caller`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := cfg.logger(io)
			if err == nil {
				err = cfg.readStore()
			}
			if err != nil {
				return err
			}
			cfg.runtime = io.runtime
			cfg.onHangUp(cmd.Context(), log, from)
			n, err := startNode(cmd.Context(), cfg, log)
			if err != nil {
				return err
			}
			fmt.Fprintf(io.out, "fairfactor %s is ready on %s (%d workers, data in %s)\n", version, n.url, cfg.workers, cfg.place())
			notify(log, "READY=1")
			return n.run(cmd.Context())
		},
	}
	cfg.addFlags(cmd.Flags())
	return withStatuses(withOrigins(cmd, from), statusDone, statusError, statusUsage)
}

// addFlags defines the flags of serve.
func (c *config) addFlags(f *pflag.FlagSet) {
	f.StringVar(&c.file, "config", "", "YAML file of flags, such as \"workers: 4\"; the environment and the command line win")
	f.StringVar(&c.http, "http", "127.0.0.1:5555", "address of the API and the web page")
	f.StringVar(&c.httpCert, "http-tls-cert", "", "certificate of the API with its chain, a PEM file: --http speaks HTTPS then; read again when it changes")
	f.StringVar(&c.httpKey, "http-tls-key", "", "key of --http-tls-cert, a PEM file")
	f.StringVar(&c.httpClientCA, "http-tls-client-ca", "", "authorities that sign certificates of clients, a PEM file")
	f.StringSliceVar(&c.httpClients, "http-tls-client", nil, "what clients may do by the name in their certificate, instead of a key: NAME=viewer, NAME=operator or NAME=caller:PATTERN")
	f.StringVar(&c.data, "data", "./data", "directory of the embedded store")
	f.StringVar(&c.store, "store", "", "URL of a PostgreSQL that nodes share, postgres://user:password@host:5432/database; empty for the embedded store in --data")
	f.StringVar(&c.storeFile, "store-file", "", "file that holds the URL of --store, so that its password is in no command line")
	f.Var(&c.storeMemory, "store-memory", "memory of the embedded store, 256MB or 1GiB (default a sixteenth of the memory there is, 64 to 256 MiB)")
	f.IntVar(&c.storeConnections, "store-connections", 4, "connections of this node to the PostgreSQL of --store, 3 or more")
	f.StringVar(&c.node, "node", hostname(), "name of this node")
	f.StringVar(&c.gossip, "gossip", "127.0.0.1:0", "address of the membership gossip; port 0 takes a free one")
	f.StringVar(&c.remote, "remote", "127.0.0.1:0", "address of the traffic between actors; port 0 takes a free one")
	f.StringVar(&c.advertise, "advertise", "", "host name or address by which other nodes reach this one")
	f.StringVar(&c.cluster, "cluster", cluster.DefaultCluster, "name of the cluster; nodes of other clusters are ignored")
	f.StringSliceVar(&c.join, "join", nil, "gossip addresses of nodes to join, host:port; a name may stand for many. Nodes that use the same --store find each other without it")
	f.StringVar(&c.gossipKey, "gossip-key", "", "key of the gossip, 32, 48 or 64 hexadecimal digits")
	f.StringVar(&c.tlsCert, "tls-cert", "", "certificate of the traffic between actors, a PEM file; see fairfactor certs")
	f.StringVar(&c.tlsKey, "tls-key", "", "key of --tls-cert, a PEM file")
	f.StringVar(&c.tlsCA, "tls-ca", "", "authorities that sign the certificates of all nodes, a PEM file")
	f.BoolVar(&c.insecure, "insecure", false, "allow --remote without TLS and --gossip without a key at addresses that other machines reach")
	f.Var(&c.workMemory, "work-memory", "memory that jobs and turns of this node may take by estimate, 256MB or 1GiB; above it long jobs wait, and one that could never have enough fails (default 3/8 of the memory there is)")
	f.Var(&c.answerMemory, "answer-memory", "memory of long answers that clients have not read yet, 16MB or 64MiB; above it others wait, and clients that don't read are cut off (default 1/128 of the memory there is, 16 to 64 MiB)")
	f.IntVar(&c.workers, "workers", runtime.GOMAXPROCS(0), "long turns that run at a time; one thread more runs short turns next to them")
	f.DurationVar(&c.quantum, "quantum", dispatch.DefaultQuantum, "least CPU time that a turn is charged")
	f.IntVar(&c.maxDigits, "max-digits", 200, "longest number that is accepted, in digits, 1 to 1000")
	f.DurationVar(&c.maxCPU, "max-cpu", 4*time.Hour, "CPU time that one job may use; then it fails and keeps the factors found; 0 is no limit")
	f.Uint64Var(&c.maxQueue, "max-queue", actors.DefaultMaxQueue, "most unfinished jobs of one caller")
	f.IntVar(&c.maxDeaths, "max-deaths", fairfactor.DefaultMaxDeaths, "processes that may die with a turn of a job in their hands; then it is quarantined: it fails, and is retried by its id only; 0 is no limit, 16 the most")
	f.DurationVar(&c.retention, "retention", 7*24*time.Hour, "how long finished jobs are kept, and then the account of a caller that has no other job and no setting")
	f.Uint64Var(&c.maxCallers, "max-callers", 10_000_000, "most callers whose accounts are kept; above, a new caller takes the place of one without jobs or settings, or is refused; 0 is no limit")
	f.IntVar(&c.knownSize, "known-size", 1_000_000, "numbers whose factors are remembered for all callers, if they have 31 digits or more and took 1 ms of CPU or more; 0 remembers none")
	f.DurationVar(&c.drain, "drain", 10*time.Second, "time that each of the six steps of stopping may take: requests, turns, what they found, actors, writes, the store")
	f.DurationVar(&c.linger, "linger", 0, "how long a node still takes jobs after SIGTERM while /readyz says 503 and answers end their connections, so that balancers notice")
	f.StringVar(&c.logLevel, "log-level", defaultLevel, "debug, info, warn or error; debug shows each turn; SIGHUP reads it again from the file of --config")
	f.StringVar(&c.logFormat, "log-format", "text", "text or json")
	f.BoolVar(&c.open, "open", false, "ask for no API keys: everyone who reaches --http may do everything")
	f.StringVar(&c.groupBy, "group-by", "none", "group of a new caller: none, prefix (its id up to the first colon), address (of its first submission) or key (that it was sent with)")
	f.StringSliceVar(&c.proxies, "trusted-proxies", nil, "networks of proxies whose X-Forwarded-For, -Host and -Prefix count, such as 10.0.0.0/8")
	f.StringSliceVar(&c.hosts, "host", nil, "host names that clients may use for the node, besides localhost, addresses and names without a dot; .example.com allows all names below it, * any name")
	f.StringSliceVar(&c.origins, "cors-origin", nil, "other sites whose web pages may use the API, such as https://example.com; * allows any site")
	f.StringSliceVar(&c.hookHosts, "webhook-hosts", nil, "hosts that callback_url may name: example.com, *.example.com, example.com:8443; addresses and networks that are not public, 10.0.0.0/8, have to be named too")
	f.StringSliceVar(&c.hookSecrets, "webhook-secret", nil, "secret that signs webhooks, 16 bytes or more; several sign them all, for a change of secrets")
	f.StringVar(&c.hookSecretFile, "webhook-secret-file", "", "file of such secrets, one a line")
	f.StringVar(&c.basePath, "base-path", "", "path under which a proxy offers the API, such as /factor")
	f.StringVar(&c.accessLog, "access-log", "", "file that gets a line of JSON for each request, or - for standard output")
	f.StringVar(&c.otlp, "otlp-endpoint", "", "address of a collector of OpenTelemetry that takes OTLP over HTTP, http://localhost:4318: it gets spans of the jobs whose submitters send a sampled traceparent; empty for none")
	f.StringVar(&c.pprof, "pprof", "", "loopback address of Go's profiler, for go tool pprof; empty for none")
	describeDefault(f, "node", "the machine's name")
	describeDefault(f, "workers", "the number of CPUs, or what the cgroup's quota leaves of them")
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "node"
	}
	return name
}

// logger writes to standard error.
func (c *config) logger(io streams) (*slog.Logger, error) {
	level, err := parseLevel(c.logLevel)
	if err != nil {
		return nil, err
	}
	c.level = &slog.LevelVar{}
	c.level.Set(level)
	options := &slog.HandlerOptions{Level: c.level}
	switch c.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(io.err, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(io.err, options)), nil
	}
	return nil, fairfactor.Errorf(fairfactor.Invalid, "--log-format %q is not text or json", c.logFormat)
}

// maxDigits bounds --max-digits: up to here the first turn of any number, whose
// longest part is the proof that it is not prime, stays near the 100 ms that a
// turn may take.
const maxDigits = 1000

// check refuses what can't work before anything is opened.
func (c *config) check() error {
	switch {
	case c.workers < 1 || c.workers > 4096:
		return fairfactor.Errorf(fairfactor.Invalid, "--workers %d is not between 1 and 4096", c.workers)
	case c.maxDigits < 1 || c.maxDigits > maxDigits:
		return fairfactor.Errorf(fairfactor.Invalid, "--max-digits %d is not between 1 and %d", c.maxDigits, maxDigits)
	case c.quantum <= 0 || c.quantum > time.Hour:
		return fairfactor.Errorf(fairfactor.Invalid, "--quantum %v is not above 0 and at most 1h", c.quantum)
	case c.retention < fairfactor.KeyLife:
		return fairfactor.Errorf(fairfactor.Invalid, "--retention %v is less than the %v for which idempotency keys are remembered", c.retention, fairfactor.KeyLife)
	case c.maxDeaths < 0 || c.maxDeaths > fairfactor.MaxDeaths:
		return fairfactor.Errorf(fairfactor.Invalid, "--max-deaths %d is not between 0 and %d", c.maxDeaths, fairfactor.MaxDeaths)
	case c.linger > time.Hour:
		return fairfactor.Errorf(fairfactor.Invalid, "--linger %v is more than 1h", c.linger)
	case c.drain == 0:
		return fairfactor.Errorf(fairfactor.Invalid, "--drain 0s leaves no time to save anything: 10s is the default")
	case c.maxQueue == 0:
		return fairfactor.Errorf(fairfactor.Invalid, "--max-queue 0 is not 1 or more")
	case c.store == "" && c.data == "":
		return fairfactor.Errorf(fairfactor.Invalid, "--data is empty: name the directory of the embedded store, or a PostgreSQL with --store")
	case c.store != "" && !strings.HasPrefix(c.store, "postgres://") && !strings.HasPrefix(c.store, "postgresql://"):
		return fairfactor.Errorf(fairfactor.Invalid, "--store is not the URL of a PostgreSQL: write postgres://user:password@host:5432/database, or leave the flag out and set --data")
	case c.store == "" && len(c.join) > 0:
		return fairfactor.Errorf(fairfactor.Invalid, "--join needs a store that nodes can share, and the embedded store in %s belongs to one node: give all of them the same PostgreSQL with --store", c.data)
	}
	if err := checkAddress("http", c.http, "127.0.0.1:5555"); err != nil {
		return err
	}
	if _, err := c.profilerAddress(); err != nil {
		return err
	}
	if _, err := c.gossipKeyBytes(); err != nil {
		return err
	}
	if c.otlp != "" {
		if err := otlp.CheckEndpoint(c.otlp); err != nil {
			return fairfactor.Errorf(fairfactor.Invalid, "--otlp-endpoint: %s", fairfactor.MessageOf(err))
		}
	}
	return c.checkTLS()
}

// checkAddress refuses what is no address to listen on.
func checkAddress(flag, text, example string) error {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fairfactor.Errorf(fairfactor.Invalid, "--%s %q is not host:port, such as %s", flag, text, example)
	}
	return nil
}

// gossipKeyBytes is the key of the gossip, nil for none.
func (c *config) gossipKeyBytes() ([]byte, error) {
	key, err := hex.DecodeString(c.gossipKey)
	if err != nil {
		return nil, fairfactor.Errorf(fairfactor.Invalid, "--gossip-key is not hexadecimal: make one with openssl rand -hex 32")
	}
	return key, nil
}

// place says where the jobs are kept, without the password to get there.
func (c *config) place() string {
	if u, err := url.Parse(c.store); c.store != "" && err == nil {
		return "PostgreSQL at " + u.Host + u.Path
	}
	return c.data
}
