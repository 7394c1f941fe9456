package heartbeat

import (
	"context"
	"sync"
	"time"

	"holdfast"
	"holdfast/membership/layout"
	"holdfast/membership/lease"
	"holdfast/storage"
)

// lingerParts is for how many T the Watcher goes on watching a dead host after somebody asked.
const lingerParts = 4

// followDiv is how often hosts that are followed are read for each beat: what is seen late counts late, and this halves it.
const followDiv = 2

// Watcher watches the leases of other hosts for any number of askers, each host by one reader. It begins when somebody suspects or
// asks, and ends when the host is seen alive or nobody asks any more. A host that is followed is watched all the time, so that its
// death is known as soon as it can be. Safe for concurrent use. Close it.
type Watcher struct {
	fs       storage.FS
	root     layout.Root
	fallback time.Duration // T of a host that never wrote a heartbeat
	clock    Clock

	mu      sync.Mutex
	watches map[holdfast.HostID]*watch // guarded by mu
	follow  map[holdfast.HostID]bool   // guarded by mu
	running sync.WaitGroup
	ctx     context.Context // ends with Close
	stop    context.CancelFunc
}

// watch is one reader. Its fields are guarded by the Watcher's mu.
type watch struct {
	until   lease.Instant // when it may end although the host is dead
	changed chan struct{} // closed and replaced by each reading that decided something
	verdict lease.Verdict // of the last reading; Unknown while it is too early to tell
	beat    layout.Heartbeat
}

// NewWatcher returns a Watcher of the hosts of a cluster. fallback is the T assumed of a host that never wrote a heartbeat. A
// nil clock is the machine's own.
func NewWatcher(fsys storage.FS, root layout.Root, fallback time.Duration, clock Clock) *Watcher {
	if clock == nil {
		clock = SystemClock()
	}
	w := &Watcher{fs: fsys, root: root, fallback: fallback, clock: clock, watches: make(map[holdfast.HostID]*watch)}
	w.ctx, w.stop = context.WithCancel(context.Background())
	return w
}

// Suspect has a host watched from now on, so that a later Watch knows sooner.
func (w *Watcher) Suspect(host holdfast.HostID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interest(host)
}

// Follow has these hosts watched until the next Follow, and no others but those that somebody asks for.
func (w *Watcher) Follow(hosts []holdfast.HostID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.follow = make(map[holdfast.HostID]bool, len(hosts))
	for _, host := range hosts {
		w.follow[host] = true
		if w.watches[host] == nil {
			w.interest(host)
		}
	}
}

// Watch is [Watch] that shares its readings with other callers.
func (w *Watcher) Watch(ctx context.Context, host holdfast.HostID) (lease.Verdict, layout.Heartbeat, error) {
	for {
		w.mu.Lock()
		o := w.interest(host)
		verdict, beat, changed := o.verdict, o.beat, o.changed
		w.mu.Unlock()
		if verdict == lease.Dead || verdict == lease.Gone {
			return verdict, beat, nil
		}
		select {
		case <-ctx.Done():
			return lease.Unknown, beat, ctx.Err()
		case <-w.ctx.Done():
			return lease.Unknown, beat, w.ctx.Err()
		case <-changed:
		}
		w.mu.Lock()
		verdict, beat = o.verdict, o.beat
		w.mu.Unlock()
		if verdict != lease.Unknown {
			return verdict, beat, nil
		}
	}
}

// Close ends all watches and waits for them; a reading that the mount does not answer is waited for.
func (w *Watcher) Close() {
	w.stop()
	w.running.Wait()
}

// interest returns the watch of a host, begun if there is none. mu is held.
func (w *Watcher) interest(host holdfast.HostID) *watch {
	o := w.watches[host]
	if o == nil {
		o = &watch{changed: make(chan struct{})}
		w.watches[host] = o
		if w.ctx.Err() == nil {
			w.running.Go(func() { w.run(host, o) })
		}
	}
	o.until = w.clock.Now().Mono + lingerParts*w.fallback
	return o
}

// run reads until the host is alive, or dead and of no interest.
func (w *Watcher) run(host holdfast.HostID, o *watch) {
	var seen lease.Observer
	for {
		every, verdict, beat := w.read(host, &seen)
		w.mu.Lock()
		decided := verdict != lease.Unknown
		o.verdict = verdict
		if decided {
			o.beat = beat
		}
		over := verdict == lease.Alive || decided && w.clock.Now().Mono > o.until
		ends := w.ctx.Err() != nil || over && !w.follow[host]
		if ends {
			delete(w.watches, host)
		}
		if w.follow[host] {
			every /= followDiv
		}
		if decided || ends {
			close(o.changed)
			o.changed = make(chan struct{})
		}
		w.mu.Unlock()
		if ends {
			return
		}
		fired, stop := w.clock.Timer(every)
		select {
		case <-w.ctx.Done():
			stop()
		case <-fired:
		}
	}
}

// read takes one reading and returns when to take the next.
func (w *Watcher) read(host holdfast.HostID, seen *lease.Observer) (time.Duration, lease.Verdict, layout.Heartbeat) {
	h, err := Read(w.fs, w.root, host)
	switch {
	case err == nil:
		beat := lease.Beat{Number: h.Number, Counter: h.Counter, T: h.T, Released: h.Released}
		return lease.RenewEvery(h.T), seen.Saw(w.clock.Now().Mono, beat), h
	case holdfast.Is(err, holdfast.NotFound):
		// As in Watch: absence proves nothing, but neither can it be waited out otherwise.
		verdict := seen.Saw(w.clock.Now().Mono, lease.Beat{T: w.fallback})
		if verdict != lease.Dead {
			verdict = lease.Unknown
		}
		return lease.RenewEvery(w.fallback), verdict, h
	}
	return lease.RenewEvery(w.fallback), lease.Unknown, h // no information
}
