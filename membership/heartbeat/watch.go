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

// Outlast waits until a process of a host, the one with that incarnation number, does not answer any more for a service that was
// fenced before the call. before is the last reading of a Watch that found the host dead; the zero value if there was none. fallback and
// clock are as for Watch.
//
// What the process bought time with before it was fenced is used up after four fifths of T, and a beat that ends later has looked at the
// fence ([Config.Confirm]). So 6/5 T suffice, whatever it does. It takes less if the record has not changed since the host was found
// dead, because any beat that changes it later looks at the fence later still; if the process says that it has released everything;
// and if its counter is seen to grow twice, because between the two rewrites there was a look.
func Outlast(ctx context.Context, fsys storage.FS, root layout.Root, host holdfast.HostID, number uint64, before layout.Heartbeat, fallback time.Duration, clock Clock) error {
	if clock == nil {
		clock = SystemClock()
	}
	began, wait := clock.Now().Mono, fallback
	var highest uint64 // counter of the process
	rises := -1        // the first reading is none
	for {
		if h, err := Read(fsys, root, host); err == nil {
			wait = max(wait, h.T)
			if h.Number == number && (rises < 0 || h.Counter > highest) {
				highest = h.Counter
				rises++
			}
			if h == before || rises == 2 || h.Number == number && h.Released {
				return nil
			}
		}
		left := lease.GoneAfter(wait) - (clock.Now().Mono - began)
		if left <= 0 {
			return nil
		}
		fired, stop := clock.Timer(min(left, lease.RenewEvery(wait)/2))
		select {
		case <-ctx.Done():
			stop()
			return ctx.Err()
		case <-fired:
		}
	}
}
