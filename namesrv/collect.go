package namesrv

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"holdfast"
	"holdfast/namesrv/schema"
)

// Back-off of one object server that does not free.
const (
	freeRetryMin = time.Second
	freeRetryMax = time.Minute
)

// collector frees garbage. What is to be freed lies in the store, one queue per object server, in order of age, and is
// removed only after the server said it is freed; so a crash at any point only frees again. Its cursors are in memory: they
// spare it the tombstones of what was freed before.
type collector struct {
	e       *Engine
	cursor  map[holdfast.ServiceID]uint64
	backoff map[holdfast.ServiceID]*backoff
	budget  int // objects that may be freed before the next tick
}

type backoff struct {
	wait  time.Duration
	until time.Time
}

func (e *Engine) wakeCollector() {
	select {
	case e.wakeGC <- struct{}{}:
	default:
	}
}

// collect runs until the engine closes.
func (e *Engine) collect() {
	if e.opt.Objects == nil {
		return
	}
	c := &collector{e: e, cursor: map[holdfast.ServiceID]uint64{}, backoff: map[holdfast.ServiceID]*backoff{}}
	tick := time.NewTicker(e.lim.Background)
	defer tick.Stop()
	c.refill()
	e.wakeCollector()
	for {
		select {
		case <-e.background.Done():
			return
		case <-e.store.Lost():
			return
		case <-tick.C:
			c.refill()
		case <-e.wakeGC:
			// Garbage comes one object at a time under a load of overwrites. Each round costs the object server a
			// flush and this one a commit, so a round waits until there is enough for one.
			if e.garbage() < int64(e.lim.FreeBatch) {
				continue
			}
		}
		for c.budget > 0 && c.round() {
		}
	}
}

// garbage is how many objects wait to be freed.
func (e *Engine) garbage() int64 { return e.view.Load().state.Garbage }

func (c *collector) refill() {
	c.budget = max(1, int(float64(c.e.lim.FreeRate)*c.e.lim.Background.Seconds()))
}

// round frees one batch of each object server; it reports whether there may be more to do at once.
func (c *collector) round() (more bool) {
	servers, err := c.servers()
	if err != nil {
		c.e.failed(err)
		return false
	}
	for _, os := range servers {
		if b := c.backoff[os]; b != nil && time.Now().Before(b.until) {
			continue
		}
		n, err := c.free(os)
		if c.e.background.Err() != nil {
			return false
		}
		if err != nil {
			c.retryLater(os, err)
			continue
		}
		delete(c.backoff, os)
		more = more || n > 0
		if c.budget -= n; c.budget <= 0 {
			return false
		}
	}
	return more
}

func (c *collector) retryLater(os holdfast.ServiceID, err error) {
	b := c.backoff[os]
	if b == nil {
		b = &backoff{wait: freeRetryMin / 2}
		c.backoff[os] = b
	}
	b.wait = min(2*b.wait, freeRetryMax)
	b.until = time.Now().Add(b.wait)
	if f := c.e.opt.Events.FreeFailed; f != nil {
		f(FreeFailed{os, err, b.wait})
	}
}

// servers returns the object servers that have garbage. Those that are known are looked at from their cursors on: before them lie the
// tombstones of what was freed.
func (c *collector) servers() (out []holdfast.ServiceID, err error) {
	err = c.e.read(c.e.background, func(v *view) error {
		lower, upper := schema.KindRange(schema.KindGarbage)
		for _, os := range slices.Sorted(maps.Keys(c.cursor)) {
			if out, err = owners(v, lower, schema.GarbageKey(nil, os, 0), out); err != nil {
				return err
			}
			lower = schema.GarbageKey(nil, os+1, 0)
			if out, err = owners(v, schema.GarbageKey(nil, os, c.cursor[os]), lower, out); err != nil {
				return err
			}
		}
		out, err = owners(v, lower, upper, out)
		return err
	})
	return out, err
}

// owners appends the object servers whose garbage lies in a range of keys, each once.
func owners(v *view, lower, upper []byte, out []holdfast.ServiceID) ([]holdfast.ServiceID, error) {
	for bytes.Compare(lower, upper) < 0 {
		found := false
		err := scanBetween(v.snap, lower, upper, func(key, _ []byte) error {
			os, _, ok := schema.ParseGarbage(key)
			if !ok {
				return corrupt("garbage", key, nil)
			}
			out, found = append(out, os), true
			lower = schema.GarbageKey(nil, os+1, 0)
			return errDone
		})
		if err = stopAtDone(err); err != nil || !found {
			return out, err
		}
	}
	return out, nil
}

// free frees one batch of an object server and forgets it. The records name the fates that make it right (R5): those
// are in the same durable batch.
func (c *collector) free(os holdfast.ServiceID) (int, error) {
	var ids []holdfast.ObjectID
	var keys [][]byte
	err := c.e.read(c.e.background, func(v *view) error {
		lower := schema.GarbageKey(nil, os, c.cursor[os])
		upper := schema.GarbageKey(nil, os+1, 0)
		return stopAtDone(scanBetween(v.snap, lower, upper, func(key, value []byte) error {
			_, o, err := schema.DecodeGarbage(value)
			if err != nil {
				return corrupt("garbage", key, err)
			}
			ids = append(ids, o)
			keys = append(keys, append([]byte(nil), key...))
			if len(ids) == c.e.lim.FreeBatch {
				return errDone
			}
			return nil
		}))
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	if err := c.e.opt.Objects.Free(c.e.background, os, ids); err != nil {
		return 0, err
	}
	var left int64
	err = c.e.submitBackground(func(g *group) error {
		for _, k := range keys {
			if _, ok, err := g.get(k); err != nil {
				return err
			} else if ok { // not so if it was removed by a commit whose confirmation failed
				g.set(k, nil)
				g.state.Garbage--
			}
		}
		left = g.state.Garbage
		return nil
	}, len(keys))
	if err != nil {
		return 0, err
	}
	_, last, _ := schema.ParseGarbage(keys[len(keys)-1])
	c.cursor[os] = last + 1
	c.e.m.freed(len(ids))
	if f := c.e.opt.Events.Freed; f != nil {
		f(Freed{os, len(ids), left})
	}
	return len(ids), nil
}

// submitBackground runs a change of the background work through the committer.
func (e *Engine) submitBackground(change func(*group) error, ops int) error {
	if err := e.enter(e.background); err != nil {
		return err
	}
	defer e.leave()
	return e.submit(context.Background(), &job{change: change, ops: ops})
}

// failed tells of background work that will be tried again.
func (e *Engine) failed(err error) {
	if f := e.opt.Events.Failed; f != nil && e.background.Err() == nil {
		f(err)
	}
}
