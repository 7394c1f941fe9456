package volume

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"holdfast"
)

// DefaultTurn is how long the worker of a task that does not show itself is waited for before another process takes over.
const DefaultTurn = 15 * time.Second

// leasePrefix begins the keys of the records that say who works on what.
const leasePrefix = "c/lease/"

// Exclusive runs work in one of all the processes that call it for the same task, until ctx ends. The process is chosen by a record in
// the service bucket that it rewrites every third of a turn; the others take over when the record has not changed for a whole turn by
// their own clocks, so no clocks are compared; a process takes over from an earlier one of the same [Options.Process] at once. work is
// called again whenever this process becomes the one, with a
// context that ends when it no longer is; it should return soon after that, and returns on its own only with ctx.
//
// This saves work, it fences nothing: a paused process may still act when another has taken over. What work does must be harmless when
// it is done twice.
func (v *Volume) Exclusive(ctx context.Context, task string, turn time.Duration, work func(context.Context)) {
	orDefault(&turn, DefaultTurn)
	var name [8]byte
	_, _ = rand.Read(name[:]) // documented never to fail
	l := lease{vol: v, key: leasePrefix + task, holder: v.run + "." + hex.EncodeToString(name[:]), turn: turn}
	for ctx.Err() == nil {
		if l.take(ctx) {
			l.work(ctx, work)
			continue
		}
		wait(ctx, turn/3)
	}
}

// newRun names this run of a process, which begins the names of its holders: "<process>.<random>".
func newRun(process string) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // documented never to fail
	return process + "." + hex.EncodeToString(random[:])
}

// succeeds reports whether a holder was an earlier run of this process, which therefore has ended.
func (v *Volume) succeeds(holder string) bool {
	process := v.opts.Process + "."
	return process != "." && strings.HasPrefix(holder, process) && !strings.HasPrefix(holder, v.run+".")
}

// lease is the state of one process that wants to be the worker of a task. It belongs to the goroutine of Exclusive.
type lease struct {
	vol    *Volume
	key    string
	holder string
	turn   time.Duration

	tag     holdfast.ETag // our writing of the record, while we hold it
	renewed time.Time

	seen  holdfast.ETag // another's writing
	since time.Time     // when we first saw it
}

// take tries to become the worker.
func (l *lease) take(ctx context.Context) bool {
	r, err := l.vol.ReadRecord(ctx, l.key)
	if err != nil {
		return false
	}
	now := time.Now()
	if !r.Tag.IsZero() && r.Value != l.holder && !l.vol.succeeds(r.Value) {
		if r.Tag != l.seen {
			l.seen, l.since = r.Tag, now
		}
		if now.Sub(l.since) < l.turn {
			return false
		}
	}
	return l.write(ctx, r.Tag)
}

// write makes the record ours, if it still is the one with the tag.
func (l *lease) write(ctx context.Context, was holdfast.ETag) bool {
	begun := time.Now()
	tag, err := l.vol.WriteRecord(ctx, l.key, l.holder, was)
	if err != nil {
		return false
	}
	l.tag, l.renewed = tag, begun
	return true
}

// work runs the work until ctx ends or the lease is lost, and gives the lease up with ctx.
func (l *lease) work(ctx context.Context, work func(context.Context)) {
	held, lost := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		defer lost()
		work(held)
	})
	for held.Err() == nil {
		wait(held, l.turn/3)
		if held.Err() != nil {
			break
		}
		// A renewal that fails may be made again until the turn is over: only then would another take over.
		renewing, cancel := context.WithDeadline(held, l.renewed.Add(l.turn))
		l.write(renewing, l.tag)
		cancel()
		if time.Since(l.renewed) >= l.turn || l.stolen(held) {
			lost()
		}
	}
	lost()
	done.Wait()
	if ctx.Err() != nil {
		l.release(context.WithoutCancel(ctx))
	}
}

// stolen reports whether somebody else has the record: after a failed renewal, or one whose answer was lost.
func (l *lease) stolen(ctx context.Context) bool {
	if time.Since(l.renewed) < l.turn/3 {
		return false // renewed just now
	}
	r, err := l.vol.ReadRecord(ctx, l.key)
	if err != nil {
		return false
	}
	if r.Value == l.holder {
		l.tag = r.Tag
		return false
	}
	return true
}

// releaseFor bounds how long giving up a lease may take; if it does not come about, the next one waits for a turn.
const releaseFor = time.Second

func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, releaseFor)
	defer cancel()
	_ = l.vol.DropRecord(ctx, l.key, l.tag) // see releaseFor
}

// wait returns after a while, or with ctx.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
