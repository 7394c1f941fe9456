// Package lease is the arithmetic of leases: when a host may still act for its services, and when another may believe that it
// no longer does. It is a pair of state machines without clock, I/O or goroutine; package heartbeat feeds them.
//
// The holder keeps rewriting a record. An observer that keeps reading the same record for long enough takes the holder for
// dead. The invariant: with clocks that run at about the same rate, the holder stops before any observer begins.
// Safety does not hang on it: a write counts only after a look at the fence (rule R1), whatever the clocks did. The
// lease decides when to try a takeover and when to stop answering reads (rule R2).
package lease

import "time"

// Instant is a reading of a clock that only runs forwards, since any origin.
type Instant = time.Duration

// Fractions of T: the holder renews every fifth, and stops after four; an observer waits for six.
const (
	parts         = 5
	holdParts     = 4
	observeParts  = 6
	creditParts   = 2  // the most that two readings, however far apart, count
	toleranceDivs = 10 // sleep shorter than T/10 is taken for jitter of the two clocks
)

// RenewEvery returns how often a holder with this T rewrites its record.
func RenewEvery(t time.Duration) time.Duration { return t / parts }

// GoneAfter returns how long after its last beat a holder with this T is taken for dead.
func GoneAfter(t time.Duration) time.Duration { return t * observeParts / parts }

// Event is what a step of the holder changed.
type Event uint8

// The events.
const (
	None    Event = iota
	Lapsed        // the lease ran out: park requests
	Resumed       // it is in force (again): go on with what is not fenced
)

// String returns the event in a word.
func (e Event) String() string { return [...]string{"none", "lapsed", "resumed"}[e] }

// Clocks is a reading of both clocks of a machine: Mono stands still while the machine sleeps, Boot does not.
type Clocks struct{ Mono, Boot Instant }

func (c Clocks) slept() time.Duration { return c.Boot - c.Mono }

// Holder is the lease as its holder sees it. Not safe for concurrent use.
type Holder struct {
	t     time.Duration
	held  bool
	until Instant       // of the monotonic clock
	slept time.Duration // when last renewed
}

// NewHolder returns a lease that is not in force yet.
func NewHolder(t time.Duration) *Holder { return &Holder{t: t} }

// Renewed says that a rewrite that began at the given moment is durable. It counts from its beginning, because an
// observer may have seen it from then on; a rewrite that took too long renews nothing, and neither does one during which the
// machine slept.
func (h *Holder) Renewed(began, now Clocks) Event {
	if now.slept()-began.slept() > h.t/toleranceDivs {
		return h.Tick(now)
	}
	h.slept = now.slept()
	h.until = max(h.until, began.Mono+h.t*holdParts/parts)
	if now.Mono >= h.until {
		return h.Tick(now)
	}
	if h.held {
		return None
	}
	h.held = true
	return Resumed
}

// Tick says what time it is.
func (h *Holder) Tick(now Clocks) Event {
	if !h.held {
		return None
	}
	if now.Mono < h.until && now.slept() <= h.Awake() {
		return None
	}
	h.held, h.until = false, 0
	return Lapsed
}

// Held reports whether the lease was in force at the last step.
func (h *Holder) Held() bool { return h.held }

// Until returns when the lease runs out if it is not renewed; 0 if it has.
func (h *Holder) Until() Instant { return h.until }

// Awake returns how far the boot clock may be ahead of the monotonic one: more means that the machine slept since the last
// renewal, and the lease is over.
func (h *Holder) Awake() time.Duration { return h.slept + h.t/toleranceDivs }

// Beat is what an observer reads.
type Beat struct {
	Number   uint64 // of the incarnation
	Counter  uint64
	T        time.Duration
	Released bool
}

// Verdict is what an observer knows.
type Verdict uint8

// The verdicts.
const (
	Unknown Verdict = iota // too early to tell
	Alive                  // it moved between two readings
	Dead                   // it did not move for long enough
	Gone                   // it said that it ended
)

// String returns the verdict in a word.
func (v Verdict) String() string { return [...]string{"unknown", "alive", "dead", "gone"}[v] }

// Observer watches a lease that somebody else holds. Only the time between its own successful readings counts: that a reading
// failed, or was not made, says nothing about the holder. And two readings far apart count little, because while this
// process slept or the mount hung the holder may have been held up by the same cause. Not safe for concurrent use.
type Observer struct {
	seen bool
	last Beat
	at   Instant
	idle time.Duration // counted time without a move
}

// Saw takes a successful reading made at the given moment of the observer's monotonic clock.
func (o *Observer) Saw(now Instant, b Beat) Verdict {
	moved := o.seen && b != o.last
	if !o.seen || moved {
		o.seen, o.last, o.at, o.idle = true, b, now, 0
	} else {
		o.idle += min(now-o.at, b.T*creditParts/parts)
		o.at = now
	}
	switch {
	case b.Released:
		return Gone
	case moved:
		return Alive
	case o.idle >= GoneAfter(b.T):
		return Dead
	}
	return Unknown
}

// Idle returns the time that has counted so far.
func (o *Observer) Idle() time.Duration { return o.idle }
