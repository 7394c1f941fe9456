package namesrv

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	crand "crypto/rand"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
	"holdfast/namesrv/schema"
)

// job is one call that waits for the committer: either transactions, or a function that changes the store in its own way.
type job struct {
	txs     []holdfast.Tx
	results []holdfast.Result
	change  func(*group) error
	ops     int

	err   error
	done  chan struct{} // closed when err and results are final
	stage atomic.Int32
}

// Stages of a job. A job that is queued can be taken back; one that was evaluated reads the caller's memory no more.
const (
	stageQueued int32 = iota
	stageTaken
	stageEvaluated
	stageCancelled
)

// submit hands a job to the committer and waits. What it waits for is the sync; see job.stage for what a context can do.
func (e *Engine) submit(ctx context.Context, j *job) error {
	j.done = make(chan struct{})
	select {
	case e.queue <- j:
	default:
		return holdfast.E("namesrv.commit", holdfast.Overload, nil)
	}
	cancelled := ctx.Done()
	for {
		select {
		case <-j.done:
			return j.err
		case <-e.store.Lost():
			return holdfast.E("namesrv.commit", holdfast.Unknown, e.store.Reason())
		case <-e.stopped:
			if j.stage.CompareAndSwap(stageQueued, stageCancelled) {
				return holdfast.E("namesrv.commit", holdfast.Unavailable, errClosed)
			}
			<-j.done // the committer answers what it took before it stops
			return j.err
		case <-cancelled:
			if j.stage.CompareAndSwap(stageQueued, stageCancelled) {
				return holdfast.E("namesrv.commit", holdfast.Aborted, ctx.Err())
			}
			if j.stage.Load() == stageEvaluated {
				return holdfast.E("namesrv.commit", holdfast.Unknown, ctx.Err())
			}
			cancelled = nil // evaluation is short; the outcome of the sync is worth waiting for then
		}
	}
}

// committer makes all changes. Everything in it belongs to its goroutine.
type committer struct {
	e     *Engine
	state schema.State // as of the last batch, published or not
	dirs  map[holdfast.DirID]*dirState
	// shares are all there are: a bucket that is not in it has no quota as far as this server knows.
	shares map[holdfast.DirID]*share
	rand   *rand.ChaCha8
	g      *group
	jobs   []*job

	// unconfirmed are epochs of buckets of batches that are durable while the view is not published yet.
	unconfirmed []epochChange
	behind      bool // the view is behind the store, because a Confirm failed
}

func newCommitter(e *Engine) *committer {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never fails
	c := &committer{e: e, dirs: map[holdfast.DirID]*dirState{}, shares: map[holdfast.DirID]*share{}, rand: rand.NewChaCha8(seed)}
	c.g = newGroup(c)
	return c
}

// initialise writes the first records of a new store.
func (c *committer) initialise() error {
	b := c.e.store.NewBatch()
	defer b.Close()
	for s, held := range c.e.slots {
		if held {
			_ = b.Set(schema.SlotKey(holdfast.Slot(s)), schema.AppendSlot(nil), nil) // a batch only fails when closed
		}
	}
	if c.e.slots[holdfast.VolumeRoot.Slot()] {
		_ = b.Set(schema.DirKey(nil, holdfast.VolumeRoot), schema.AppendDir(nil, &schema.Dir{}), nil)
	}
	_ = b.Set(schema.StateKey(), schema.AppendState(nil, &schema.State{First: 1}), nil)
	return c.commit(b)
}

func (c *committer) loadState() error {
	value, closer, err := c.e.store.Get(schema.StateKey())
	if err != nil {
		return readFailed(err)
	}
	defer closer.Close()
	if err := schema.DecodeState(&c.state, value); err != nil {
		return corrupt("state", schema.StateKey(), err)
	}
	return nil
}

// run takes jobs until the engine closes. Jobs left in the queue are taken back by those who wait for them.
func (c *committer) run() {
	defer close(c.e.stopped)
	tick := time.NewTicker(c.e.lim.Background)
	defer tick.Stop()
	for {
		select {
		case <-c.e.background.Done():
			return
		case j := <-c.e.queue:
			c.gather(j)
			c.process()
		case <-tick.C:
			if c.behind {
				c.confirm()
			}
		}
	}
}

// gather takes what is queued, up to the bound of a group.
func (c *committer) gather(first *job) {
	c.jobs = c.jobs[:0]
	ops := 0
	take := func(j *job) {
		if j.stage.CompareAndSwap(stageQueued, stageTaken) {
			c.jobs = append(c.jobs, j)
			ops += j.ops
		}
	}
	take(first)
	for ops < c.e.lim.GroupOps {
		select {
		case j := <-c.e.queue:
			take(j)
		default:
			return
		}
	}
}

// process evaluates a group, writes it, and answers.
func (c *committer) process() {
	if len(c.jobs) == 0 {
		return
	}
	start := time.Now()
	err := c.e.fence.Held() // R2, before writes
	if err == nil {
		c.evaluate()
		err = c.write()
	}
	c.e.m.group(len(c.jobs), time.Since(start))
	for _, j := range c.jobs {
		if err != nil && j.err == nil {
			j.err = err
		}
		close(j.done)
	}
	clear(c.jobs)
	c.trimDirs()
}

func (c *committer) evaluate() {
	g := c.g
	g.begin(c.e.opt.Clock())
	for _, j := range c.jobs {
		if j.change != nil {
			m := g.mark()
			if j.err = j.change(g); j.err != nil {
				g.rollback(m)
			} else {
				g.keep()
			}
		}
		for i := range j.txs {
			j.results[i] = g.apply(&j.txs[i])
		}
		j.stage.Store(stageEvaluated)
	}
}

// write makes the group durable and visible. Even a group that changes nothing is confirmed: its answers are reads.
func (c *committer) write() error {
	g := c.g
	if g.empty() && !c.behind {
		return c.e.fence.Held()
	}
	if !g.empty() {
		b := c.e.store.NewBatch()
		err := g.fill(b)
		if err == nil {
			err = c.commit(b)
		}
		_ = b.Close()
		if err != nil {
			return c.lose(err)
		}
		c.state = g.state
		c.unconfirmed = append(c.unconfirmed, g.epochs...)
	}
	return c.confirm()
}

// commit syncs a batch. After a fault of the mount it does not return; see kv.
func (c *committer) commit(b *pebble.Batch) error {
	if err := b.Commit(pebble.Sync); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// confirm is rule R1: what is durable counts only if the fence is found unchanged after that. If it cannot be told, the view
// stays where it is, and a later Confirm counts for these batches too.
func (c *committer) confirm() error {
	c.behind = true
	if err := c.e.fence.Confirm(); err != nil {
		return holdfast.E("namesrv.commit", holdfast.Unknown, err)
	}
	c.behind = false
	for _, ch := range c.unconfirmed {
		if ch.gone {
			c.e.epochs.Delete(ch.root)
		} else {
			c.e.epochs.Store(ch.root, ch.epoch)
		}
	}
	c.unconfirmed = c.unconfirmed[:0]
	c.e.publish(c.state)
	if c.state.Garbage > 0 {
		c.e.wakeCollector()
	}
	return nil
}

// lose is rule R6: what a failed write left behind is unknown, so the service is given up.
func (c *committer) lose(err error) error {
	c.e.store.Lose(err)
	c.e.fence.Lose(err)
	c.e.lostOnce.Do(func() {
		if c.e.opt.Events.Lost != nil {
			c.e.opt.Events.Lost(err)
		}
	})
	return holdfast.E("namesrv.commit", holdfast.Unknown, err)
}

// trimDirs keeps the cache of directory records in its bound; which go does not matter much, since hot ones come back at once.
func (c *committer) trimDirs() {
	if len(c.dirs) <= c.e.lim.CachedDirs {
		return
	}
	for id := range c.dirs {
		if delete(c.dirs, id); len(c.dirs) <= c.e.lim.CachedDirs*3/4 {
			return
		}
	}
}
