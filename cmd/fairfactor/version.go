package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is the released version; the build may set it with
// -ldflags "-X main.version=...", and the commit likewise.
var (
	version = "0.1.0"
	commit  = ""
)

func newVersion(io streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, commit and Go version, as --version does",
		Args:  noArguments,
		Run: func(*cobra.Command, []string) {
			fmt.Fprintln(io.out, "fairfactor", versionText())
		},
	}
}

// versionText is what --version says behind the program's name.
func versionText() string {
	return fmt.Sprintf("%s (%s, %s)", version, commitOf(), runtime.Version())
}

// commitOf is the commit that was built: what the build said, or what Go noted.
func commitOf() string {
	if commit != "" {
		return commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "commit unknown"
}
