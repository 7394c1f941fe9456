package pool

import (
	"fmt"

	"holdfast"
)

// RegionKey names a region; the index keeps a bitmap row for each region with a block in use.
type RegionKey struct {
	Class  Class
	File   holdfast.Epoch
	Region uint32
}

// String returns "<file>/<region>".
func (k RegionKey) String() string {
	return fmt.Sprintf("%s/%d", fileName(min(k.Class, Classes-1), k.File), k.Region)
}

// Change collects what one index batch does to the bitmaps. Changes must be made, written out by [Change.Rows] and
// applied to the index one after the other, under one lock of the caller: a row written later must hold what an earlier
// one did. A Change may be used again after Rows.
type Change struct {
	set     *Set
	touched []*region
	bits    []byte
}

// NewChange returns an empty change.
func (s *Set) NewChange() *Change { return &Change{set: s} }

// Use marks a block as referred to by a record. It must have been allocated.
func (c *Change) Use(a Addr) {
	if r, i := c.touch(a); r != nil {
		if r.live.get(i) {
			panic("pool: a block was given to two objects") // our own bug; the batch must not be written
		}
		r.live.set(i)
		r.used++
		r.file.live.Add(1)
	}
}

// Drop marks a block as no longer referred to. It stays taken until [Set.Release].
func (c *Change) Drop(a Addr) {
	if r, i := c.touch(a); r != nil && r.live.get(i) {
		r.live.clear(i)
		r.used--
		r.file.live.Add(-1)
	}
}

// touch finds the block; nil if its file is lost, which was reported when the set was opened.
func (c *Change) touch(a Addr) (*region, uint32) {
	p := &c.set.pools[a.Class]
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.file(a.File)
	if f == nil || a.Block/f.geo.regionBlocks >= uint32(len(f.regions)) {
		return nil, 0
	}
	r := f.regions[a.Block/f.geo.regionBlocks]
	if !r.touched {
		r.touched = true
		c.touched = append(c.touched, r)
	}
	return r, a.Block % f.geo.regionBlocks
}

// Rows calls put for each touched region with the bits to store, which are empty when no block of it is in use any
// more, and empties the change. The bits are valid during the call only.
func (c *Change) Rows(put func(key RegionKey, bits []byte)) {
	for _, r := range c.touched {
		c.bits = AppendBits(c.bits[:0], r.live)
		put(RegionKey{r.file.geo.class, r.file.geo.epoch, r.index}, c.bits)
		r.touched = false
	}
	c.touched = c.touched[:0]
}

// Locate tells which bit of which region stands for a block; ok is false if there is no such pool file.
func (s *Set) Locate(a Addr) (key RegionKey, bit uint32, ok bool) {
	if a.Class >= Classes {
		return key, 0, false
	}
	f := s.pools[a.Class].file(a.File)
	if f == nil {
		return key, 0, false
	}
	per := f.geo.regionBlocks
	return RegionKey{a.Class, a.File, a.Block / per}, a.Block % per, true
}
