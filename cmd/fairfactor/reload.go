package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"fairfactor"
)

// What a node reads again: certificates when their files change, API keys when the store
// has others, both by themselves; and at SIGHUP the level of its log from the configuration
// file. All else needs a restart.

// defaultLevel is that of --log-level.
const defaultLevel = "info"

// onHangUp reads again what can be read again at each SIGHUP, until ctx ends: a process that
// does not listen to that signal ends.
func (c *config) onHangUp(ctx context.Context, log *slog.Logger, from origins) {
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hangUp)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangUp:
				c.reload(log, from)
			}
		}
	}()
}

// reload sets the level of the log to what the configuration file says now.
func (c *config) reload(log *slog.Logger, from origins) {
	level, err := c.levelOfFile(from["log-level"])
	if err != nil {
		log.Error("the configuration can't be read again: the level of the log stays as it is", "err", err)
		return
	}
	c.level.Set(level)
	log.Warn("read again after SIGHUP", "log_level", strings.ToLower(level.String()))
}

// levelOfFile is the level that the log is to have; origin says where the present one comes
// from. The command line and the environment win over the file.
func (c *config) levelOfFile(origin string) (level slog.Level, err error) {
	if c.file == "" || origin != "" && !strings.HasPrefix(origin, "file ") {
		return c.level.Level(), nil
	}
	keys, err := readMapping(c.file)
	if err != nil {
		return level, fairfactor.Errorf(fairfactor.Invalid, "--config %s: %v", c.file, err)
	}
	text := defaultLevel
	for i := 0; i+1 < len(keys); i += 2 {
		if keys[i].Value == "log-level" && keys[i+1].Tag != "!!null" {
			text = keys[i+1].Value
		}
	}
	return parseLevel(text)
}

func parseLevel(text string) (level slog.Level, err error) {
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return level, fairfactor.Errorf(fairfactor.Invalid, "--log-level %q is not debug, info, warn or error", text)
	}
	return level, nil
}
