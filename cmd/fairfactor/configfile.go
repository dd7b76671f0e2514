package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"fairfactor"
)

// maxConfig bounds a configuration file, in bytes.
const maxConfig = 1 << 20

// setFromFile sets the flags that a YAML file names and that are not set yet. Its
// keys are the flags' names; a key without a value counts as unset.
func setFromFile(cmd *cobra.Command, path string, from origins) error {
	keys, err := readMapping(path)
	if err != nil {
		return fairfactor.Errorf(fairfactor.Invalid, "--config %s: %v", path, err)
	}
	names := flagNames(cmd)
	seen := map[string]bool{}
	for i := 0; i+1 < len(keys); i += 2 {
		name, value := keys[i].Value, keys[i+1]
		where := fmt.Sprintf("%s:%d", path, keys[i].Line)
		f := cmd.Flags().Lookup(name)
		switch {
		case f == nil || name == "help" || name == "config":
			return fairfactor.Errorf(fairfactor.Invalid, "%s: the key %.40q belongs to no flag: the nearest is %s", where, name, nearest(name, names))
		case seen[name]:
			return fairfactor.Errorf(fairfactor.Invalid, "%s: the key %s is there twice", where, name)
		}
		seen[name] = true
		if from[name] != "" || value.Tag == "!!null" {
			continue
		}
		if err := setFromNode(cmd, f, value, where); err != nil {
			return err
		}
		from[name] = "file " + where
	}
	return nil
}

// readMapping returns the keys and values of a file that holds one YAML mapping,
// one after the other.
func readMapping(path string) ([]*yaml.Node, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxConfig {
		return nil, fmt.Errorf("the file has more than %d bytes", maxConfig)
	}
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has more than one YAML document")
	}
	switch root := document.Content[0]; {
	case root.Kind == yaml.MappingNode:
		return root.Content, nil
	case root.Tag == "!!null":
		return nil, nil
	default:
		return nil, fmt.Errorf("line %d: write one \"flag: value\" a line", root.Line)
	}
}

// setFromNode gives a flag the value of a YAML node. The text of a scalar counts as
// it stands, so that a key of digits keeps its leading zeros.
func setFromNode(cmd *cobra.Command, f *pflag.Flag, value *yaml.Node, where string) error {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	list, isList := f.Value.(pflag.SliceValue)
	switch {
	case value.Kind == yaml.ScalarNode && f.Value.Type() == "bool":
		var b bool
		if err := value.Decode(&b); err != nil {
			return fairfactor.Errorf(fairfactor.Invalid, "%s: %s is neither true nor false", where, f.Name)
		}
		return setFlag(cmd, f.Name, strconv.FormatBool(b), where)
	case value.Kind == yaml.ScalarNode:
		return setFlag(cmd, f.Name, value.Value, where)
	case value.Kind == yaml.SequenceNode && isList:
		var items []string
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode {
				return fairfactor.Errorf(fairfactor.Invalid, "%s: the list %s holds something other than plain values", where, f.Name)
			}
			items = append(items, item.Value)
		}
		if err := list.Replace(items); err != nil {
			return fairfactor.Errorf(fairfactor.Invalid, "%s: %s: %v", where, f.Name, err)
		}
		return nil
	}
	return fairfactor.Errorf(fairfactor.Invalid, "%s: %s takes one plain value", where, f.Name)
}
