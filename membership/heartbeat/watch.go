package heartbeat

import (
	"context"
	"time"

	"holdfast"
	"holdfast/membership/layout"
	"holdfast/membership/lease"
	"holdfast/storage"
)

// Watch reads the heartbeat of a host until it knows whether that host is alive, dead or gone, and
// returns that with the last reading. It takes until the next beat of a live host, and 6/5 T for a dead one; a host that never wrote a heartbeat
// is waited for as long as one with fallback as its T. A nil clock is the machine's own. If ctx ends first the verdict is Unknown with ctx's error.
func Watch(ctx context.Context, fsys storage.FS, root layout.Root, host holdfast.HostID, fallback time.Duration, clock Clock) (lease.Verdict, layout.Heartbeat, error) {
	if clock == nil {
		clock = SystemClock()
	}
	var o lease.Observer
	var last layout.Heartbeat
	for {
		every := lease.RenewEvery(fallback)
		h, err := Read(fsys, root, host)
		switch {
		case err == nil:
			every, last = lease.RenewEvery(h.T), h
			beat := lease.Beat{Number: h.Number, Counter: h.Counter, T: h.T, Released: h.Released}
			if v := o.Saw(clock.Now().Mono, beat); v != lease.Unknown {
				return v, last, nil
			}
		case holdfast.Is(err, holdfast.NotFound):
			// Absence proves nothing, but neither can it be waited out otherwise; the fence protects what is left.
			if v := o.Saw(clock.Now().Mono, lease.Beat{T: fallback}); v == lease.Dead {
				return v, last, nil
			}
		}
		fired, stop := clock.Timer(every)
		select {
		case <-ctx.Done():
			stop()
			return lease.Unknown, last, ctx.Err()
		case <-fired:
		}
	}
}
