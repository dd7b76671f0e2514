package cluster

import (
	"context"
	"log/slog"
	"strings"
)

// library handles protoactor's log records: its Info becomes Debug, and its Error,
// which is mostly about a peer that went away, becomes Warn.
type library struct{ slog.Handler }

func quieter(l slog.Level) slog.Level {
	switch {
	case l >= slog.LevelError:
		return slog.LevelWarn
	case l >= slog.LevelWarn:
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}

func (h library) Enabled(ctx context.Context, l slog.Level) bool {
	return h.Handler.Enabled(ctx, quieter(l))
}

func (h library) Handle(ctx context.Context, r slog.Record) error {
	r.Level = quieter(r.Level)
	return h.Handler.Handle(ctx, r)
}

func (h library) WithAttrs(attrs []slog.Attr) slog.Handler {
	return library{h.Handler.WithAttrs(attrs)}
}

func (h library) WithGroup(name string) slog.Handler {
	return library{h.Handler.WithGroup(name)}
}

// gossipLog logs memberlist's lines, which look like "[WARN] memberlist: text".
type gossipLog struct{ log *slog.Logger }

func (g gossipLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	level := slog.LevelDebug
	if end := strings.IndexByte(text, ']'); strings.HasPrefix(text, "[") && end > 0 {
		switch text[1:end] {
		case "ERR":
			level = slog.LevelWarn
			if strings.Contains(text, `unacceptable label "": from=`) { // a peer only checked whether the port is open
				level = slog.LevelDebug
			}
		case "WARN":
			level = slog.LevelInfo
		}
		text = strings.TrimSpace(text[end+1:])
	}
	g.log.Log(context.Background(), level, "gossip", "text", strings.TrimPrefix(text, "memberlist: "))
	return len(line), nil
}
