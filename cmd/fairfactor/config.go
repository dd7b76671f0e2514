package main

import (
	"net/url"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// masked stands for a secret, as in [url.URL.Redacted].
const masked = "xxxxx"

func newConfig(io streams) *cobra.Command {
	var cfg config
	from := origins{}
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print what serve would run with, and where each value comes from",
		Long: `config takes the flags, the environment and the configuration file of serve and
prints the values that a node would run with, as a configuration file. A comment
says where each comes from: default, file, environment or flag. Secrets are
masked. Nothing is started; values that serve would refuse are refused here.`,
		Example: `  fairfactor config > fairfactor.yaml
  fairfactor config --config fairfactor.yaml --workers 4`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := effective(cmd.Flags(), from)
			if err != nil {
				return err
			}
			if _, err := io.out.Write(text); err != nil {
				return err
			}
			return cfg.refuse(io)
		},
	}
	cfg.addFlags(cmd.Flags())
	return withStatuses(withOrigins(cmd, from), statusDone, statusError, statusUsage)
}

// effective writes the values of flags as a YAML file.
func effective(fs *pflag.FlagSet, from origins) ([]byte, error) {
	mapping := &yaml.Node{Kind: yaml.MappingNode}
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Name == "config" {
			return
		}
		value := nodeOf(f)
		if value.LineComment = from[f.Name]; value.LineComment == "" {
			value.LineComment = "default"
		}
		mapping.Content = append(mapping.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: f.Name}, value)
	})
	return yaml.Marshal(mapping)
}

// nodeOf is the value of a flag as setFromNode takes it.
func nodeOf(f *pflag.Flag) *yaml.Node {
	value := &yaml.Node{Kind: yaml.ScalarNode, Value: f.Value.String()}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		value = &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, item := range list.GetSlice() {
			value.Content = append(value.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: item})
		}
		return value
	}
	switch {
	case f.Value.Type() == "string":
		value.Tag, value.Value = "!!str", withoutSecret(f.Name, value.Value)
	case value.Value == "":
		value.Tag = "!!null"
	}
	return value
}

// withoutSecret masks the values of flags that must not be read by others: the key
// of the gossip, and the password in the URL of the store.
func withoutSecret(flag, value string) string {
	switch {
	case value == "":
		return value
	case flag == "gossip-key" || flag == "webhook-secret":
		return masked
	case flag != "store":
		return value
	}
	u, err := url.Parse(value)
	if err != nil {
		return masked
	}
	query := u.Query()
	for _, name := range []string{"password", "sslpassword"} {
		if query.Has(name) {
			query.Set(name, masked)
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}

// refuse reports what serve would refuse before it starts anything.
func (c *config) refuse(io streams) error {
	if _, err := c.logger(io); err != nil {
		return err
	}
	if err := c.readStore(); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	if _, err := c.web(); err != nil {
		return err
	}
	_, _, err := c.webhooks()
	return err
}
