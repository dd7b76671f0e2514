package main

import "strings"

// concealed are the flags whose values other users of the machine must not read
// with ps.
var concealed = []string{"api-key", "store", "gossip-key", "webhook-secret"}

// conceal returns copies of the arguments of the process, and blanks secrets in the
// originals. They can be read until then: a file or the environment is safer.
func conceal(args []string, blank func(secret string)) []string {
	own := make([]string, len(args))
	for i, arg := range args {
		own[i] = strings.Clone(arg)
	}
	for i, arg := range args {
		for _, name := range concealed {
			if value, ok := strings.CutPrefix(arg, "--"+name+"="); ok {
				blank(value)
			} else if arg == "--"+name && i+1 < len(args) {
				blank(args[i+1])
			}
		}
	}
	return own
}
