package heartbeat

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"holdfast/membership/lease"
)

// Clock is a machine's time, as far as leases depend on it. Safe for concurrent use. Tests give another than the machine's own.
type Clock interface {
	// Now reads both clocks. It is asked before every answer to a client.
	Now() lease.Clocks
	// Timer returns a channel that gets a value once d of the monotonic clock has passed, and a function that gives the timer up.
	Timer(d time.Duration) (fired <-chan time.Time, stop func() bool)
}

// SystemClock returns the clock of this machine.
func SystemClock() Clock { return &systemClock{origin: time.Now()} }

// systemClock reads the boot clock only when the machine may have slept since it did so last: reading it is a system call, and
// reading the others is not. Sleep moves the wall clock against the monotonic one, as the setting of the wall clock does.
type systemClock struct {
	origin time.Time
	known  atomic.Pointer[sleep]
}

// sleep is how much the machine had slept, and how far apart wall clock and monotonic clock were when that was read.
type sleep struct{ slept, apart time.Duration }

// clockJitter is what two readings of clocks that have not moved against each other differ by at most.
const clockJitter = 10 * time.Millisecond

func (c *systemClock) Now() lease.Clocks {
	now := time.Now()
	mono := now.Sub(c.origin)
	apart := time.Duration(now.UnixNano()) - mono
	known := c.known.Load()
	if known == nil || (apart-known.apart).Abs() > clockJitter {
		known = &sleep{slept: slept(mono), apart: apart}
		c.known.Store(known)
	}
	return lease.Clocks{Mono: mono, Boot: mono + known.slept}
}

// slept returns how far the boot clock is ahead of mono.
func slept(mono time.Duration) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0 // without it, sleep is not noticed; the fence still is
	}
	return time.Duration(ts.Nano()) - mono
}

func (*systemClock) Timer(d time.Duration) (<-chan time.Time, func() bool) {
	t := time.NewTimer(d)
	return t.C, t.Stop
}
