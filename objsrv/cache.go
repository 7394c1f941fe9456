package objsrv

import (
	"holdfast"
	"holdfast/objsrv/index"
)

// recordCache keeps the records used last, up to a number of bytes. Not safe for concurrent use.
type recordCache struct {
	entries map[holdfast.ObjectID]*cached
	ring    cached // sentinel; ring.next was used last
	room    int64
}

type cached struct {
	id         holdfast.ObjectID
	record     *index.Record
	cost       int64
	prev, next *cached
}

func (c *recordCache) init(room int64) {
	c.entries = make(map[holdfast.ObjectID]*cached)
	c.ring.prev, c.ring.next = &c.ring, &c.ring
	c.room = room
}

// cost estimates the memory an entry takes, map and list included.
func cost(r *index.Record) int64 {
	return 240 + int64(cap(r.Blocks))*24 + int64(cap(r.Sums))*4
}

func (c *recordCache) get(id holdfast.ObjectID) *index.Record {
	e := c.entries[id]
	if e == nil {
		return nil
	}
	e.unlink()
	c.front(e)
	return e.record
}

func (c *recordCache) put(id holdfast.ObjectID, r *index.Record) {
	c.drop(id)
	e := &cached{id: id, record: r, cost: cost(r)}
	c.entries[id] = e
	c.front(e)
	c.room -= e.cost
	for c.room < 0 && c.ring.prev != &c.ring {
		c.drop(c.ring.prev.id)
	}
}

func (c *recordCache) drop(id holdfast.ObjectID) {
	if e := c.entries[id]; e != nil {
		e.unlink()
		delete(c.entries, id)
		c.room += e.cost
	}
}

func (c *recordCache) front(e *cached) {
	e.prev, e.next = &c.ring, c.ring.next
	e.prev.next, e.next.prev = e, e
}

func (e *cached) unlink() { e.prev.next, e.next.prev = e.next, e.prev }
