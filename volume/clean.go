package volume

import (
	"context"
	"sync"
	"time"

	"holdfast"
)

// Limits of the cleaner.
const (
	maxEmptied  = 100_000 // directories waiting; more are skipped
	emptiedOnce = 1000    // directories looked at in one round
	climbAtOnce = 64      // ancestors tried in one round once a directory went
)

// emptied is a directory that a delete may have emptied, with its path.
type emptied struct {
	root  holdfast.DirID
	names []string
	dirs  []holdfast.DirID
}

func (e emptied) dir() holdfast.DirID { return e.dirs[len(e.dirs)-1] }

func (e emptied) parent() holdfast.DirID {
	if len(e.dirs) == 1 {
		return e.root
	}
	return e.dirs[len(e.dirs)-2]
}

func (e emptied) up() emptied {
	n := len(e.dirs) - 1
	return emptied{root: e.root, names: e.names[:n], dirs: e.dirs[:n]}
}

// cleaner removes directories after deletes have emptied them, in the background: a listing shows no prefix without a visible
// key in any case, so that nobody waits for it. What it misses (a full queue, a crash) is used by the next put there and
// goes with its bucket.
type cleaner struct {
	vol  *Volume
	wake chan struct{} // of capacity 1

	mu    sync.Mutex
	queue map[holdfast.DirID]emptied
	busy  bool
	idle  []chan struct{} // closed when there is nothing to do
}

func newCleaner(v *Volume) *cleaner {
	return &cleaner{vol: v, wake: make(chan struct{}, 1), queue: make(map[holdfast.DirID]emptied)}
}

// add asks for a look at a directory.
func (c *cleaner) add(e emptied) {
	if len(e.dirs) == 0 {
		return // a bucket's root stays
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) >= maxEmptied {
		c.vol.metrics.unclean.Inc()
		return
	}
	c.queue[e.dir()] = e
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run works until ctx ends.
func (c *cleaner) run(ctx context.Context) {
	for {
		batch := c.take()
		if len(batch) > 0 {
			c.clean(ctx, batch)
		}
		if len(batch) > 0 && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
	}
}

// take removes some directories from the queue; none means that all is done.
func (c *cleaner) take() []emptied {
	c.mu.Lock()
	defer c.mu.Unlock()
	var batch []emptied
	for dir, e := range c.queue {
		if len(batch) == emptiedOnce {
			break
		}
		batch = append(batch, e)
		delete(c.queue, dir)
	}
	c.busy = len(batch) > 0
	if !c.busy {
		for _, ch := range c.idle {
			close(ch)
		}
		c.idle = nil
	}
	return batch
}

// drain waits until there is nothing to do, for a bounded time.
func (c *cleaner) drain(atMost time.Duration) {
	c.mu.Lock()
	if !c.busy && len(c.queue) == 0 {
		c.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	c.idle = append(c.idle, idle)
	c.mu.Unlock()
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}

// clean looks at the directories of a batch and removes the empty ones, then those above them.
func (c *cleaner) clean(ctx context.Context, batch []emptied) {
	asks := make([]holdfast.Lookup, len(batch))
	for i, e := range batch {
		asks[i] = holdfast.Lookup{Dir: e.dir(), Want: holdfast.WantDir}
	}
	for i, a := range c.vol.router.lookup(ctx, asks) {
		if a.Err == nil && a.State.Entries == 0 {
			c.climb(ctx, batch[i])
		}
	}
}

// climb removes a directory and, as long as that empties them, the ones above. A run of ancestors that are on the same name
// server goes in one call: each is sealed in a transaction of its own, and the first that is not empty keeps those above
// it from being so.
func (c *cleaner) climb(ctx context.Context, e emptied) {
	for n := 1; len(e.dirs) > 0 && ctx.Err() == nil; n = climbAtOnce {
		var txs []holdfast.Tx
		at := e
		for len(txs) < n && len(at.dirs) > 0 && c.vol.router.together(at.dir(), e.dir()) {
			txs = append(txs, holdfast.Tx{Ops: c.removal(at)})
			at = at.up()
		}
		results := c.vol.router.applyOnce(ctx, e.dir(), txs)
		for _, result := range results {
			if result.Err != nil {
				return // not empty any more, or gone; if it is sealed, its intent sees to the rest
			}
			c.vol.metrics.cleaned.Inc()
			if !c.vol.router.together(e.dir(), e.parent()) {
				if c.vol.removeSealed(ctx, e.parent(), e.names[len(e.names)-1], e.dir()) != nil {
					return
				}
			}
			e = e.up()
		}
	}
}

// removal returns the operations that remove an empty directory; if its parent is on another server, only its sealing.
func (c *cleaner) removal(e emptied) []holdfast.Op {
	seal := holdfast.SealDir{Dir: e.dir()}
	if !c.vol.router.together(e.dir(), e.parent()) {
		return []holdfast.Op{seal}
	}
	unlink := holdfast.UnlinkDir{Parent: e.parent(), Name: e.names[len(e.names)-1], Child: e.dir()}
	return []holdfast.Op{seal, unlink, holdfast.DropDir{Dir: e.dir()}}
}
