package objsrv

import (
	"sync"
	"sync/atomic"
	"time"

	"holdfast"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
)

// pinShards spreads the locks of pins and cached records; a power of two.
const pinShards = 64

// pinTable knows which objects are being read or pinned, keeps the blocks of those that were freed or moved meanwhile,
// and holds the cache of records. They are in one table because a read needs all three under one lock, and because the
// cache must forget a record before the blocks it speaks of are used again.
type pinTable struct {
	shards [pinShards]pinShard
	now    func() time.Time
	pinned atomic.Int64 // entries with a time-to-live
	late   atomic.Int64 // blocks that wait for readers
}

type pinShard struct {
	mu    sync.Mutex
	pins  map[holdfast.ObjectID]pin
	cache recordCache
	// gen grows when a record is forgotten, so that one read from the index before is not cached after.
	gen uint64
}

// pin is an object in use.
type pin struct {
	refs  int   // reads under way
	until int64 // Unix nanoseconds; 0: no time-to-live
	ghost *ghost
}

// ghost is what remains of a freed or moved object until its readers are gone.
type ghost struct {
	record *index.Record // of a freed object, so that pinned readers still find it; nil if it was only moved
	blocks []pool.Addr   // to be released
}

func newPinTable(now func() time.Time, cacheBytes int64) *pinTable {
	t := &pinTable{now: now}
	for i := range t.shards {
		t.shards[i].pins = make(map[holdfast.ObjectID]pin)
		t.shards[i].cache.init(cacheBytes / pinShards)
	}
	return t
}

func (t *pinTable) shard(id holdfast.ObjectID) *pinShard {
	return &t.shards[(id.Counter*0x9e3779b97f4a7c15>>32^uint64(id.Epoch))%pinShards]
}

// hold counts a reader of the object and returns its record if that is at hand. The caller must let go.
func (t *pinTable) hold(id holdfast.ObjectID) (r *index.Record, gen uint64) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pins[id]
	p.refs++
	s.pins[id] = p
	if p.ghost != nil && p.ghost.record != nil {
		return p.ghost.record, s.gen
	}
	return s.cache.get(id), s.gen
}

// remember caches a record that was read from the index after hold returned gen.
func (t *pinTable) remember(id holdfast.ObjectID, r *index.Record, gen uint64) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gen == gen {
		s.cache.put(id, r)
	}
}

// created caches the record of a new object, which nobody can have freed before.
func (t *pinTable) created(id holdfast.ObjectID, r *index.Record) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache.put(id, r)
}

// letGo ends a reader. It returns the blocks to be released if it was the last one of a freed or moved object.
func (t *pinTable) letGo(id holdfast.ObjectID) []pool.Addr {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pins[id]
	p.refs--
	s.pins[id] = p
	return t.endLocked(s, id, p)
}

// endLocked removes the entry if nothing keeps it.
func (t *pinTable) endLocked(s *pinShard, id holdfast.ObjectID, p pin) []pool.Addr {
	if p.refs > 0 || (p.until != 0 && p.until > t.now().UnixNano()) {
		return nil
	}
	delete(s.pins, id)
	if p.until != 0 {
		t.pinned.Add(-1)
	}
	if p.ghost == nil {
		return nil
	}
	t.late.Add(-int64(len(p.ghost.blocks)))
	return p.ghost.blocks
}

// pin keeps the object until the time given. Overload when too many are pinned already.
func (t *pinTable) pin(id holdfast.ObjectID, until time.Time) error {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pins[id]
	if p.until == 0 {
		if t.pinned.Load() >= maxPins {
			return holdfast.E("objsrv.pin", holdfast.Overload, nil)
		}
		t.pinned.Add(1)
	}
	p.until = max(p.until, until.UnixNano())
	s.pins[id] = p
	return nil
}

// gone tells that the old blocks of an object are durably no longer its own: because it was freed (record is what
// it was) or moved (record is nil). It returns those blocks if nobody reads them, else they wait.
func (t *pinTable) gone(id holdfast.ObjectID, record *index.Record, blocks []pool.Addr) []pool.Addr {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gen++
	s.cache.drop(id)
	p, held := s.pins[id]
	if !held || (p.refs == 0 && p.until <= t.now().UnixNano()) {
		if rest := t.endLocked(s, id, p); held {
			return append(rest, blocks...)
		}
		return blocks
	}
	if p.ghost == nil {
		p.ghost = &ghost{}
	}
	p.ghost.record = record
	p.ghost.blocks = append(p.ghost.blocks, blocks...)
	t.late.Add(int64(len(blocks)))
	s.pins[id] = p
	return nil
}

// expire ends pins whose time has come and returns the blocks to be released.
func (t *pinTable) expire() []pool.Addr {
	var blocks []pool.Addr
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for id, p := range s.pins {
			blocks = append(blocks, t.endLocked(s, id, p)...)
		}
		s.mu.Unlock()
	}
	return blocks
}

// breakOldest gives up the pins of freed objects that end first, at least one shard's worth, to make room. Reads under
// way are never broken. It returns the blocks to be released and how many pins they were of.
func (t *pinTable) breakOldest() (blocks []pool.Addr, n int) {
	oldest := int64(1<<63 - 1)
	t.eachWaiting(func(_ *pinShard, _ holdfast.ObjectID, p pin) { oldest = min(oldest, p.until) })
	limit := oldest + int64(holdfast.MaxPin/8)
	t.eachWaiting(func(s *pinShard, id holdfast.ObjectID, p pin) {
		if p.until <= limit {
			p.until = 1 // long ago
			blocks = append(blocks, t.endLocked(s, id, p)...)
			n++
		}
	})
	return blocks, n
}

// eachWaiting calls f, with the shard locked, for the freed objects that only a time-to-live keeps.
func (t *pinTable) eachWaiting(f func(s *pinShard, id holdfast.ObjectID, p pin)) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for id, p := range s.pins {
			if p.refs == 0 && p.ghost != nil {
				f(s, id, p)
			}
		}
		s.mu.Unlock()
	}
}
