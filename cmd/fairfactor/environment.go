package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fairfactor"
)

const envPrefix = "FAIRFACTOR_"

// shortNames are the variables of flags that are not named after them: --key of
// submit is the key of one submission, which nothing puts in the environment.
var shortNames = map[string]string{
	"api-key": envPrefix + "KEY", "api-key-file": envPrefix + "KEY_FILE", "key": envPrefix + "IDEMPOTENCY_KEY",
}

// envName is the environment variable of a flag: --max-digits is
// FAIRFACTOR_MAX_DIGITS.
func envName(flag string) string {
	if name, ok := shortNames[flag]; ok {
		return name
	}
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// otherVariables belong to no flag: the processor features that factor leaves
// unused, those of docker-compose.yml, and the switches of the project's tests.
var otherVariables = []string{
	"FAIRFACTOR_CPU",
	"FAIRFACTOR_TAG", "FAIRFACTOR_BIND", "FAIRFACTOR_PORT",
	"FAIRFACTOR_COMPOSE", "FAIRFACTOR_KEEP_IMAGES", "FAIRFACTOR_PUBLIC_IMAGES", "FAIRFACTOR_PEERS", "FAIRFACTOR_HTTP_BENCH",
}

// testPrefixes begin further switches of the project's tests and benchmarks.
var testPrefixes = []string{"FAIRFACTOR_TEST", "FAIRFACTOR_BENCH"}

// Kubernetes tells each container about the services of its namespace: one that is
// named fairfactor, or fairfactor-api, makes variables of these forms. The value of
// the last is a URL.
var (
	serviceVariable = regexp.MustCompile(`^FAIRFACTOR_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	servicePort     = regexp.MustCompile(`^FAIRFACTOR_(\w+_)?PORT=(tcp|udp|sctp)://`)
)

// setFromEnvironment sets the flags that have a variable in the environment, and
// refuses variables that look like a flag's and belong to none. Empty ones count
// as unset.
func setFromEnvironment(cmd *cobra.Command, environment []string, from origins) error {
	values := map[string]string{}
	for _, pair := range slices.Sorted(slices.Values(environment)) {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" {
			continue
		}
		values[name] = value
		if err := checkVariable(cmd, name, value); err != nil {
			return err
		}
	}
	for _, name := range flagsOfEnvironment(cmd) {
		value := values[envName(name)]
		if value == "" || from[name] != "" {
			continue
		}
		if err := setFlag(cmd, name, value, envName(name)); err != nil {
			return err
		}
		from[name] = "environment " + envName(name)
	}
	return nil
}

// flagsOfEnvironment are the flags of a command that have a variable.
func flagsOfEnvironment(cmd *cobra.Command) []string {
	return slices.DeleteFunc(flagNames(cmd), func(name string) bool { return isOnlyTyped(cmd.Flags().Lookup(name)) })
}

// allCommands are the commands below one.
func allCommands(root *cobra.Command) (all []*cobra.Command) {
	for _, c := range root.Commands() {
		all = append(append(all, c), allCommands(c)...)
	}
	return all
}

// checkVariable refuses a variable that belongs to no flag of any command.
func checkVariable(cmd *cobra.Command, name, value string) error {
	flags := map[string]string{} // by variable
	var variables []string       // this command's first
	for _, c := range append([]*cobra.Command{cmd}, allCommands(cmd.Root())...) {
		for _, flag := range flagsOfEnvironment(c) {
			flags[envName(flag)] = flag
			variables = append(variables, envName(flag))
		}
	}
	isTest := slices.ContainsFunc(testPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	switch {
	case flags[name] != "", slices.Contains(otherVariables, name), isTest,
		serviceVariable.MatchString(name), servicePort.MatchString(name + "=" + value):
		return nil
	}
	near := nearest(name, variables)
	return fairfactor.Errorf(fairfactor.Invalid, "the environment variable %s belongs to no flag: the nearest is --%s, %s", name, flags[near], near)
}
