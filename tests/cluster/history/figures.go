package history

import (
	"fmt"
	"slices"
	"time"
)

// Figures are what a time was like for the clients.
type Figures struct {
	Requests int // that were under way in it
	Failed   int // of them: not settled within Options.RetryFor
	Unknown  int // attempts of writes without an answer
	// Stall is the longest time in which no request succeeded.
	Stall time.Duration
	// Of requests from the first attempt to the answer that settled them.
	Median, P99, Longest time.Duration
}

// Figures returns those of the time from one moment of the load to another.
func (l *Load) Figures(from, to time.Duration) Figures {
	l.mu.Lock()
	defer l.mu.Unlock()
	var f Figures
	var took, ends []time.Duration
	for _, r := range l.requests {
		if r.end < from || r.call > to {
			continue
		}
		f.Requests++
		took = append(took, r.end-r.call)
		if !r.ok {
			f.Failed++
		} else if r.end <= to {
			ends = append(ends, r.end)
		}
	}
	for _, o := range l.history {
		if o.Outcome == Unknown && o.Return >= from && o.Call <= to {
			f.Unknown++
		}
	}
	slices.Sort(took)
	slices.Sort(ends)
	last := from
	for _, end := range append(ends, to) {
		f.Stall, last = max(f.Stall, end-last), end
	}
	if n := len(took); n > 0 {
		f.Median, f.P99, f.Longest = took[n/2], took[n-1-n/100], took[n-1]
	}
	return f
}

// String shows the figures on a line.
func (f Figures) String() string {
	return fmt.Sprintf("%5d requests, %d failed, %3d attempts unknown; no success for %5.2f s; a request took %.3f s (median), %.2f s (p99), %.2f s (longest)",
		f.Requests, f.Failed, f.Unknown, f.Stall.Seconds(), f.Median.Seconds(), f.P99.Seconds(), f.Longest.Seconds())
}
