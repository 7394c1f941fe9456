package probe

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteJSON writes a report for programs.
func (r Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// WriteText writes a report for people.
func (r Report) WriteText(w io.Writer) error {
	var b strings.Builder
	m := r.Measurement
	fmt.Fprintf(&b, "%s (%s)", m.Dir, m.Filesystem)
	if m.Pair != nil && m.Pair.Peer != "" {
		fmt.Fprintf(&b, " and %s, %s away", m.Pair.Peer, short(m.Pair.RoundTrip))
	}
	b.WriteString("\n")
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, c := range r.Checks {
		fmt.Fprintf(t, "%s\t%s\t%s\n", mark(c.Verdict), c.Name, strings.Join(strings.Fields(c.Seen), " "))
	}
	_ = t.Flush() // into memory
	fmt.Fprintf(&b, "verdict: %s\n", r.Verdict)
	for _, c := range r.Checks {
		if c.Consequence != "" {
			fmt.Fprintf(&b, "  %s: %s\n", c.Name, c.Consequence)
		}
	}
	if r.Lease > 0 {
		fmt.Fprintf(&b, "lease: %s (%s)\n", short(r.Lease), r.LeaseReason)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mark is a verdict in the first column.
func mark(v Verdict) string {
	switch v {
	case Fit:
		return "ok"
	case Remarks:
		return "remark"
	case Unfit:
		return "UNFIT"
	}
	return "-"
}

// short writes a time with as many digits as matter.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		d = d.Round(time.Microsecond)
	case d < time.Second:
		d = d.Round(10 * time.Microsecond)
		if d >= 10*time.Millisecond {
			d = d.Round(time.Millisecond)
		}
	default:
		d = d.Round(100 * time.Millisecond)
	}
	return strings.Replace(d.String(), "µs", " µs", 1)
}
