package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"fairfactor"
)

func newSubmit(streams streams) *cobra.Command {
	r := &remote{io: streams}
	var caller string
	var keys keying
	var files []string
	var wait bool
	var deadline, callback string
	var work knownWork
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "submit [N ...]",
		Short: "Submit numbers to a node",
		Long: `submit hands numbers to a node, which answers when they are on disk.

` + numbersHelp,
		Example: `  fairfactor submit 600851475143
  fairfactor submit '2^67-1'
  fairfactor submit --caller nightly --wait 100000000000000000050700000000000000004563
  seq 1000000 1001000 | fairfactor submit --caller batch -o json
  fairfactor submit --key-prefix nightly-7 --file numbers.txt || fairfactor submit --key-prefix nightly-7 --file numbers.txt
  fairfactor submit --wait --timeout 1m --file numbers.txt
  fairfactor submit --ecm 50000:214,250000:80 --known-factor 909599715918703 '10^150+3'   # work done elsewhere is not done again
  fairfactor submit --deadline 10m --file numbers.txt   # what has not ended in ten minutes is cancelled`,
	}
	f := cmd.Flags()
	f.StringVar(&caller, "caller", defaultCaller(), "in whose name")
	describeDefault(f, "caller", "your user name")
	f.StringVar(&keys.one, "key", "", "idempotency key, for one number")
	f.StringVar(&keys.prefix, "key-prefix", "", "idempotency key of each number: this and its place in the input, P-1, P-2 and so on; the same input can be sent again safely for 24 hours")
	f.StringArrayVarP(&files, "file", "f", nil, "file of numbers, - for standard input; may be repeated")
	f.StringVar(&callback, "callback", "", "URL that is told of each job's end, at a host that the node may call")
	f.StringVar(&deadline, "deadline", "", "when jobs that have not ended are cancelled: a time, 2031-01-31T12:00:00Z, or a duration from now, 90s")
	work.flags(f)
	f.BoolVar(&wait, "wait", false, "wait until the jobs have ended")
	f.DurationVar(&timeout, "timeout", 0, "how long --wait waits; 0 is no limit")
	withStatuses(cmd, statusDone, "1  error: no number was accepted", statusUsage,
		"3  some failed: numbers were refused, or with --wait jobs failed or were cancelled", statusTimedOut, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		switch {
		case keys.one != "" && keys.prefix != "":
			return fairfactor.Errorf(fairfactor.Invalid, "--key and --key-prefix exclude each other")
		case len(keys.prefix) > maxKeyPrefix:
			return fairfactor.Errorf(fairfactor.Invalid, "--key-prefix has %d bytes, more than %d", len(keys.prefix), maxKeyPrefix)
		case keys.one != "" && (len(args) != 1 || args[0] == stdinName || len(files) > 0):
			return fairfactor.Errorf(fairfactor.Invalid, "--key goes with exactly one number")
		case isAPIKey(keys.one):
			return fairfactor.Errorf(fairfactor.Invalid, "--key is the idempotency key of a submission, and this is an API key: give it with --api-key, or better in FAIRFACTOR_KEY")
		}
		end, err := deadlineOf(deadline, time.Now())
		if err != nil {
			return err
		}
		like := fairfactor.Submission{Deadline: end, Callback: callback}
		if work.given() {
			if len(args) != 1 || args[0] == stdinName || len(files) > 0 {
				return fairfactor.Errorf(fairfactor.Invalid, "--ecm and --known-factor go with exactly one number")
			}
			if err := work.add(&like, args[0]); err != nil {
				return err
			}
		}
		next, err := numbersOf(ctx, args, files, streams.in)
		if err != nil {
			return err
		}
		accepted, refused, err := submitAll(ctx, jobs, caller, &keys, like, next, streams)
		if err != nil {
			if len(accepted) > 0 {
				p.jobs(accepted) // they go on at the node, and their ids are nowhere else
			}
			return err
		}
		failed := someFailed(refused, refused+len(accepted))
		switch {
		case len(accepted) == 0: // there is nothing to show, and the reasons are told
		case wait:
			return waitAll(ctx, jobs, p, accepted, failed, timeout, streams)
		default:
			p.jobs(accepted)
		}
		return failed
	})
}

func isAPIKey(text string) bool {
	_, ok := fairfactor.APIKeyID(text)
	return ok
}

// deadlineOf reads a deadline: a time, or a duration from now; the zero time if empty.
func deadlineOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if after, err := time.ParseDuration(text); err == nil {
		if after <= 0 {
			return time.Time{}, fairfactor.Errorf(fairfactor.Invalid, "--deadline %s is not after now", text)
		}
		return now.Add(after).UTC().Truncate(time.Microsecond), nil
	}
	at, err := fairfactor.ParseDeadline(text, now)
	if err != nil {
		return at, fairfactor.Errorf(fairfactor.Invalid, "--deadline: %s", fairfactor.MessageOf(err))
	}
	return at, nil
}

// keying gives submissions their idempotency keys.
type keying struct {
	one    string // of the only number
	prefix string // of the keys of all numbers
	place  int    // of the last number in the input, from 1
}

// maxKeyPrefix leaves room for the place of a number.
const maxKeyPrefix = fairfactor.MaxKeyBytes - 20

// next is the key of the next number, whether it is right or not: so a number has the
// same one when the same input is sent again.
func (k *keying) next() string {
	k.place++
	if k.prefix == "" {
		return k.one
	}
	return k.prefix + "-" + strconv.Itoa(k.place)
}

// submitAll sends numbers in groups, each as like says besides. It reports and counts those that are refused.
func submitAll(ctx context.Context, jobs fairfactor.Jobs, caller string, keys *keying, like fairfactor.Submission, next words, streams streams) (accepted []fairfactor.Job, refused int, err error) {
	const groupSize = 1000
	var end error
	for end == nil {
		var subs []fairfactor.Submission
		for len(subs) <= groupSize-batchSize && end == nil {
			var batch []string
			batch, end = next()
			for _, word := range batch {
				key := keys.next()
				number, err := submittedNumber(word)
				if err != nil {
					refused++
					fmt.Fprintf(streams.err, "fairfactor: %s\n", fairfactor.MessageOf(err))
					continue
				}
				sub := like
				sub.Number, sub.Key = number, key
				subs = append(subs, sub)
			}
		}
		if errors.Is(end, errInterrupted) {
			break
		}
		if len(subs) == 0 {
			continue
		}
		receipts, err := jobs.Submit(ctx, caller, subs, nil)
		if err != nil {
			return accepted, refused, err
		}
		for i, receipt := range receipts {
			if receipt.Err != nil {
				refused++
				fmt.Fprintf(streams.err, "fairfactor: %.60s: %s\n", subs[i].Number, fairfactor.MessageOf(receipt.Err))
				continue
			}
			accepted = append(accepted, receipt.Job)
		}
	}
	if atEnd(end) {
		end = nil
	}
	return accepted, refused, end
}

// defaultCaller is the user's name, if it can be a caller's.
func defaultCaller() string {
	if u, err := user.Current(); err == nil {
		if name, err := fairfactor.ParseCaller(u.Username); err == nil {
			return name
		}
	}
	return "cli"
}
