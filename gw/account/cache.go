package account

import (
	"sync"
	"time"
)

const (
	// maxCached bounds how many values a cache keeps; beyond it any one goes.
	maxCached = 10_000
	// maxAge bounds how long a value counts while the epoch stands still. The epoch alone makes the cache exact for every change that was
	// acknowledged; this is for one whose process died before it could make it known.
	maxAge = 30 * time.Second
)

// cache keeps values that were read in one epoch of the service bucket. The zero value is ready.
type cache[T any] struct {
	mu     sync.RWMutex
	values map[string]cached[T]
}

type cached[T any] struct {
	epoch uint64
	read  time.Time
	value T
}

// get returns the value that was read in this epoch, and not too long before now.
func (c *cache[T]) get(key string, epoch uint64, now time.Time) (T, bool) {
	c.mu.RLock()
	v, ok := c.values[key]
	c.mu.RUnlock()
	if ok && v.epoch == epoch && now.Sub(v.read) < maxAge {
		return v.value, true
	}
	var none T
	return none, false
}

// put keeps a value. The epoch and the time are those from before it was read.
func (c *cache[T]) put(key string, epoch uint64, read time.Time, value T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.values == nil {
		c.values = make(map[string]cached[T])
	}
	if _, ok := c.values[key]; !ok && len(c.values) >= maxCached {
		for other := range c.values {
			delete(c.values, other)
			break
		}
	}
	c.values[key] = cached[T]{epoch, read, value}
}
