package membertest

import (
	"strconv"
	"time"

	"holdfast/membership/heartbeat"
	"holdfast/membership/lease"
)

// clocks are those of a machine: they run at their own rate, and stop in their own ways.
type clocks struct {
	w       *world
	rate    int64         // in thousandths of true time
	base    time.Duration // of the monotonic clock,
	since   time.Duration // at this true time
	stopped bool
	slept   time.Duration // how far the boot clock is ahead
	skew    time.Duration // of the wall clock
	lied    time.Duration // true time of the last start after both clocks had stopped, plus one; 0: never
}

// stop is how the clocks of a machine behave while nothing on it runs.
type stop uint8

const (
	clocksRun    stop = iota // SIGSTOP, or the scheduler
	machineSleep             // suspend: the boot clock goes on
	clocksStop               // the machine is virtual and its host stopped it
)

func (c *clocks) mono() time.Duration {
	if c.stopped {
		return c.base
	}
	return c.base + (c.w.now-c.since)*time.Duration(c.rate)/1000
}

// wall is what calendars show, and what the guard period of objects is measured by.
func (c *clocks) wall() time.Duration { return c.w.now + c.skew }

func (c *clocks) halt() {
	if !c.stopped {
		c.base, c.since, c.stopped = c.mono(), c.w.now, true
	}
}

func (c *clocks) start(how stop) {
	if !c.stopped {
		return
	}
	if how == machineSleep {
		c.slept += c.w.now - c.since
	} else {
		c.lied = c.w.now + 1
	}
	c.since, c.stopped = c.w.now, false
}

// suspect reports whether the lease of this machine may be held on the word of clocks that both had stopped. A beat that began after
// the stop has looked at the fences, and it, or the end of the lease, comes within T of the machine's clock.
func (c *clocks) suspect(t time.Duration) bool {
	return c.lied != 0 && c.w.now-c.lied < t*1000/time.Duration(c.rate)
}

// alarm runs do once d of the monotonic clock has passed and the process runs. do is to wake somebody.
func (m *machine) alarm(p *process, d time.Duration, do func()) {
	w, due := m.w, m.clocks.mono()+d
	var ring func()
	ring = func() {
		if p.dead {
			return
		}
		if p.paused {
			p.held = append(p.held, ring)
			return
		}
		if left := due - m.clocks.mono(); left > 0 {
			w.after(left*1000/time.Duration(m.clocks.rate)+1, ring)
			return
		}
		w.run(p, do)
	}
	w.after(max(d, 0)*1000/time.Duration(m.clocks.rate)+1, ring)
}

// clock is the machine's time as a process sees it.
type clock struct{ p *process }

var _ heartbeat.Clock = clock{}

func (c clock) Now() lease.Clocks {
	mono := c.p.m.clocks.mono()
	return lease.Clocks{Mono: mono, Boot: mono + c.p.m.clocks.slept}
}

func (c clock) Timer(d time.Duration) (<-chan time.Time, func() bool) {
	fired := make(chan time.Time, 1)
	c.p.post("timer "+strconv.FormatInt(int64(d), 10), func() {
		c.p.m.alarm(c.p, d, func() { fired <- time.Time{} })
	})
	return fired, func() bool { return true } // one that nobody waits for any more wakes nobody
}
