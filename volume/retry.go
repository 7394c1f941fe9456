package volume

import (
	"context"
	"math/rand/v2"
	"time"

	"holdfast"
)

// The waits between attempts grow from firstWait to longestWait, by doubling, with jitter so that callers who failed
// together do not come back together. The longest is less than a planned move may hold requests up.
const (
	firstWait   = 2 * time.Millisecond
	longestWait = 200 * time.Millisecond
)

// pacer spaces the attempts of one call and ends them when its time is over. The zero value is ready; it reads
// the clock only after the first failure.
type pacer struct {
	deadline time.Time
	wait     time.Duration
}

// again waits before the next attempt and reports whether there shall be one. The error is that of the last attempt.
func (p *pacer) again(ctx context.Context, r *router, err error) bool {
	if !transient(ctx, err) {
		return false
	}
	kind := holdfast.KindOf(err)
	now := time.Now()
	if p.deadline.IsZero() {
		p.deadline, p.wait = now.Add(r.retryFor), firstWait
	}
	if now.After(p.deadline) {
		return false
	}
	r.metrics.retries.WithLabelValues(kind.String()).Inc()
	if kind == holdfast.NotOwner || kind == holdfast.Unavailable {
		if r.services.Refresh(ctx) != nil {
			return false
		}
	}
	timer := time.NewTimer(p.wait/2 + rand.N(p.wait/2))
	defer timer.Stop()
	p.wait = min(2*p.wait, longestWait)
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
