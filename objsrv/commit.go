package objsrv

import (
	"errors"
	"sync"
	"time"

	"holdfast"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
)

const (
	// committers is how many groups are under way at a time: while one waits for its flush the next one writes.
	committers = 2
	// moveFlusher flushes for defragmentation; the committers are the flushers before it.
	moveFlusher pool.Flusher = committers
	// maxGroup bounds the changes of one group, maxGroupBytes the bytes it writes for its small objects.
	maxGroup      = 512
	maxGroupBytes = 4 << 20
)

// change is what waits for a commit group: the creation of an object, or anything else done to the index.
type change struct {
	// A creation has these. data is nil if the caller wrote the blocks itself; else the group places the classes and
	// writes it; its capacity reaches to the end of the last page, which it fills with zeros.
	id      holdfast.ObjectID // given by the group
	record  *index.Record
	data    []byte
	classes []pool.Class
	poison  []pool.Addr // blocks with a failed write

	// Anything else has this: it is called in the order of batches and must not block. An error leaves it out.
	apply func(b *index.Batch, ch *pool.Change, c *index.Counters) error

	err  error
	done chan error
}

type fileKey struct {
	class pool.Class
	epoch holdfast.Epoch
}

// committer makes changes durable in groups. The caller of submit waits; the group's goroutine does all that touches the
// mount, since a fault of the index parks it for ever.
type committer struct {
	e *Engine

	mu     sync.Mutex // guards the fields below; never held during I/O
	wake   sync.Cond
	queue  []*change
	next   uint64             // counter of the next object
	flight [committers]uint64 // the first counter of each group under way; 0: none
	closed bool

	// order is held while a group builds and applies its batch, so that bitmaps and counters are written in the order they
	// change. It is held during Apply, which appends to the log in memory and waits for the mount only when memtables are
	// flushed too slowly; every group would have to wait then.
	order    sync.Mutex
	bits     *pool.Change
	counters index.Counters

	running sync.WaitGroup
}

func newCommitter(e *Engine, next uint64, counters index.Counters) *committer {
	c := &committer{e: e, next: next, bits: e.set.NewChange(), counters: counters}
	c.wake.L = &c.mu
	for i := range committers {
		c.running.Add(1)
		go c.loop(i)
	}
	return c
}

// submit hands in a change and waits until it is durable and the epoch was seen unfenced after that (R1).
func (c *committer) submit(ch *change) error {
	ch.done = make(chan error, 1)
	c.mu.Lock()
	switch {
	case c.closed:
		c.mu.Unlock()
		c.e.abandon(ch)
		return holdfast.E("objsrv.commit", holdfast.NotOwner, errClosed)
	case len(c.queue) >= maxQueue:
		c.mu.Unlock()
		c.e.abandon(ch)
		return holdfast.E("objsrv.commit", holdfast.Overload, nil)
	}
	c.queue = append(c.queue, ch)
	c.wake.Signal()
	c.mu.Unlock()
	select {
	case err := <-ch.done:
		return err
	case <-c.e.index.Lost():
		return c.e.lose(c.e.index.Reason()) // the fence is told before the caller is
	}
}

var errClosed = errors.New("the engine is closed")

// loop is the goroutine of one committer.
func (c *committer) loop(n int) {
	defer c.running.Done()
	g := group{c: c, n: n}
	for c.take(n, &g) {
		started := time.Now()
		g.run()
		c.e.metrics.group(len(g.changes), time.Since(started))
	}
}

// take fills the group with what waits, and gives new objects their ids. It returns false when the committer is closed
// and nothing waits.
func (c *committer) take(n int, g *group) bool {
	g.reset()
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) == 0 {
		if c.closed {
			return false
		}
		c.wake.Wait()
	}
	taken, size := 0, 0
	for taken < len(c.queue) && taken < maxGroup && size < maxGroupBytes {
		size += len(c.queue[taken].data)
		taken++
	}
	c.flight[n] = c.next
	g.changes = append(g.changes, c.queue[:taken]...)
	for _, ch := range g.changes {
		if ch.record != nil {
			ch.id = holdfast.ObjectID{Epoch: c.e.epoch, Counter: c.next}
			c.next++
		}
	}
	rest := copy(c.queue, c.queue[taken:])
	clear(c.queue[rest:])
	c.queue = c.queue[:rest]
	if rest > 0 {
		c.wake.Signal()
	}
	return true
}

// landed tells that the group of committer n is in the index or never will be.
func (c *committer) landed(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight[n] = 0
}

// settledBelow returns the id below which no creation is under way: every object with a smaller id that will ever exist
// is in the index.
func (c *committer) settledBelow() holdfast.ObjectID {
	c.mu.Lock()
	defer c.mu.Unlock()
	low := c.next
	for _, first := range c.flight {
		if first != 0 {
			low = min(low, first)
		}
	}
	return holdfast.ObjectID{Epoch: c.e.epoch, Counter: low}
}

// close lets the groups finish and ends the goroutines; it does not wait for parked ones.
func (c *committer) close() {
	c.mu.Lock()
	c.closed = true
	c.wake.Broadcast()
	c.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		c.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-c.e.index.Lost():
	}
}
