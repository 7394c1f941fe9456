package group

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Whoever can reach the port can make memberlist complain of what it gets: so many lines are passed on in that time, the rest is
// counted.
const (
	maxLines  = 30
	linesTime = time.Minute
)

// logWriter passes lines of memberlist ("[WARN] memberlist: ...") on with their level.
type logWriter struct {
	log *slog.Logger

	mu      sync.Mutex
	since   time.Time
	lines   int
	dropped int
}

// Write is io.Writer; log.Logger calls it once for each line.
func (w *logWriter) Write(line []byte) (int, error) {
	level, text := parseLine(strings.TrimSpace(string(line)))
	ctx := context.Background()
	if !w.log.Enabled(ctx, level) {
		return len(line), nil
	}
	pass, dropped := w.admit(time.Now())
	if dropped > 0 {
		w.log.Warn("group: lines of memberlist were left out", "lines", dropped)
	}
	if pass {
		w.log.Log(ctx, level, "group: memberlist", "text", text)
	}
	return len(line), nil
}

// admit reports whether a line may pass, and how many did not in the time before.
func (w *logWriter) admit(now time.Time) (pass bool, dropped int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.since) >= linesTime {
		dropped = w.dropped
		w.since, w.lines, w.dropped = now, 0, 0
	}
	if w.lines++; w.lines > maxLines {
		w.dropped++
		return false, 0
	}
	return true, dropped
}

// parseLine takes the level off a line. What memberlist says for information comes as an event where it matters, and its errors are
// the everyday ones of a network.
func parseLine(line string) (slog.Level, string) {
	level, text := slog.LevelWarn, line
	if rest, found := strings.CutPrefix(line, "["); found {
		if name, tail, closed := strings.Cut(rest, "] "); closed {
			text = tail
			switch name {
			case "DEBUG", "INFO":
				level = slog.LevelDebug
			case "WARN":
				level = slog.LevelInfo
			}
		}
	}
	return level, strings.TrimPrefix(text, "memberlist: ")
}
