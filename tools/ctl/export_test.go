package ctl

import (
	"io"
	"time"

	"holdfast/membership/config"
	"holdfast/membership/confrpc"
)

// WriteConfig writes what get-config shows.
func WriteConfig(w io.Writer, c config.Config, now time.Time, volumes bool) error {
	return rows(c).write(w, now, volumes)
}

// StatusTable returns the lines of agent-status as JSON rows have them.
func StatusTable(s confrpc.Status) [][6]string {
	var out [][6]string
	for _, r := range statusRows(s) {
		out = append(out, [6]string{r.Type, r.ID, r.Status, time.Duration(r.Uptime * int64(time.Second)).String(), r.Host, r.Addrs})
	}
	return out
}
