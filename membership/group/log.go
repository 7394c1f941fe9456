package group

import (
	"context"
	"log/slog"
	"strings"
)

// logWriter passes lines of memberlist ("[WARN] memberlist: ...") on with their level.
type logWriter struct{ log *slog.Logger }

// Write is io.Writer; log.Logger calls it once for each line.
func (w logWriter) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	level := slog.LevelWarn
	for prefix, l := range map[string]slog.Level{
		"[DEBUG] ": slog.LevelDebug, "[INFO] ": slog.LevelDebug, // what matters of these comes as an event
		"[WARN] ": slog.LevelInfo, "[ERR] ": slog.LevelWarn, "[ERROR] ": slog.LevelWarn,
	} {
		if rest, found := strings.CutPrefix(text, prefix); found {
			text, level = rest, l
			break
		}
	}
	w.log.Log(context.Background(), level, "group: memberlist", "text", strings.TrimPrefix(text, "memberlist: "))
	return len(line), nil
}
