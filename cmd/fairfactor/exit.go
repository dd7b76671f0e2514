package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"fairfactor"
)

// Exit statuses. Scripts rely on them: withStatuses puts them into the help of
// the commands.
const (
	exitDone       = 0
	exitError      = 1
	exitUsage      = 2
	exitSomeFailed = 3
	exitTimedOut   = 4
	exitNodeAway   = 5
)

// What the help says about each status, unless a command has words of its own.
const (
	statusDone       = "0  done"
	statusError      = "1  error: nothing below describes it better"
	statusUsage      = "2  usage: a flag, an argument, a variable or the configuration file is wrong"
	statusSomeFailed = "3  some failed: the messages on standard error say which"
	statusTimedOut   = "4  timed out: --timeout was over first"
	statusNodeAway   = "5  node away: no node answers, or the node takes no jobs now"
)

// exit is an error that ends the program with a certain status. Without a cause
// the command has said already what went wrong.
type exit struct {
	status int
	cause  error
}

func (e *exit) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.cause.Error()
}

func (e *exit) Unwrap() error { return e.cause }

// statusOf is the exit status for an error. Only input can be invalid, so that
// code is a matter of usage.
func statusOf(err error) int {
	var e *exit
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &e):
		return e.status
	case fairfactor.CodeOf(err) == fairfactor.Invalid:
		return exitUsage
	}
	return exitError
}

// away gives the errors of a node that can't be reached, or takes no jobs now,
// their exit status.
func away(err error) error {
	var e *exit
	if !errors.As(err, &e) && fairfactor.CodeOf(err) == fairfactor.Unavailable {
		return &exit{exitNodeAway, err}
	}
	return err
}

// report tells a person what went wrong, unless the command did.
func report(err error, io streams) {
	var silent *exit
	if errors.As(err, &silent) && silent.cause == nil {
		return
	}
	var e *fairfactor.Error
	if !errors.As(err, &e) {
		fmt.Fprintln(io.err, "fairfactor:", err)
		return
	}
	fmt.Fprintln(io.err, "fairfactor:", e.Message)
	if e.Err != nil {
		fmt.Fprintln(io.err, "  cause:", e.Err)
	}
}

// someFailed is the end of a command that was asked for several things: nil if all
// were done, an error if none was, and its own status for a part.
func someFailed(failures, all int) error {
	switch failures {
	case 0:
		return nil
	case all:
		return &exit{status: exitError}
	}
	return &exit{status: exitSomeFailed}
}

// withStatuses adds the exit statuses of a command to its help. The lines are
// indented far enough for the manual page to keep them apart.
func withStatuses(cmd *cobra.Command, statuses ...string) *cobra.Command {
	if cmd.Long == "" {
		cmd.Long = cmd.Short + "."
	}
	cmd.Long += "\n\nExit status:\n\n    " + strings.Join(statuses, "\n    ")
	return cmd
}
