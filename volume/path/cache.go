package path

import (
	"strings"
	"sync"

	"holdfast"
)

// Edge is a step of a path: the name in a directory, in the bucket's epoch in which it was found. A new epoch
// makes all older steps unreachable; they grow old and leave the cache.
type Edge struct {
	Epoch  uint64
	Parent holdfast.DirID
	Name   string
}

// edgeSize is roughly what an edge takes in memory beside its name.
const edgeSize = 128

// Cache remembers where edges lead. It holds at most a fixed number of bytes: when the young half is full it becomes
// the old half, and what was not asked for since then goes. It never remembers that something does not exist. Safe for
// concurrent use.
type Cache struct {
	half int64 // bytes of one generation

	mu    sync.Mutex
	young map[Edge]holdfast.DirID
	old   map[Edge]holdfast.DirID
	bytes int64 // of young
}

// NewCache returns a cache of about the given number of bytes.
func NewCache(bytes int64) *Cache {
	return &Cache{half: bytes / 2, young: make(map[Edge]holdfast.DirID)}
}

// Get returns where an edge leads, if that is known.
func (c *Cache) Get(e Edge) (holdfast.DirID, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id, ok := c.young[e]; ok {
		return id, true
	}
	id, ok := c.old[e]
	if ok {
		e.Name = strings.Clone(e.Name)
		c.addLocked(e, id)
	}
	return id, ok
}

// Put remembers where an edge leads.
func (c *Cache) Put(e Edge, id holdfast.DirID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if was, ok := c.young[e]; ok && was == id {
		return
	}
	e.Name = strings.Clone(e.Name) // do not keep the request's key alive
	c.addLocked(e, id)
}

// Drop forgets an edge.
func (c *Cache) Drop(e Edge) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.old, e)
	if _, ok := c.young[e]; ok {
		delete(c.young, e)
		c.bytes -= edgeSize + int64(len(e.Name))
	}
}

// Len returns how many edges are remembered, those counted twice that are in both halves.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.young) + len(c.old)
}

func (c *Cache) addLocked(e Edge, id holdfast.DirID) {
	size := edgeSize + int64(len(e.Name))
	if c.bytes+size > c.half {
		c.old, c.young, c.bytes = c.young, make(map[Edge]holdfast.DirID), 0
	}
	if _, ok := c.young[e]; !ok {
		c.bytes += size
	}
	c.young[e] = id
}
