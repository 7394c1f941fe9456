package pool

import "time"

// region is a share of a pool file: its header area, its data area, and the two bitmaps of its blocks.
type region struct {
	file  *File
	index uint32

	// Guarded by the file's Pool.mu.
	taken  bitmap // not to be handed out: live, being written, waiting for readers, poisoned, or not yet prepared
	free   int    // clear bits of taken
	cursor uint32 // where the last run ended
	hold   time.Time
	closed bool // defragmentation empties it, or a hole punch may still land

	punched bool // nothing was written since its space was given back

	// Guarded by the caller's lock that orders index batches (see Change).
	live    bitmap // what durable records refer to, as of the batch last applied
	used    int    // set bits of live
	touched bool   // is in the Change under way
}

func newRegion(f *File, index uint32) *region {
	n := f.geo.regionBlocks
	r := &region{file: f, index: index, taken: newBitmap(n), live: newBitmap(n)}
	for i := range n {
		r.taken.set(i) // until prepared
	}
	return r
}

// openLocked makes blocks [from, to) of the region available: none of them has been lent or is live.
func (r *region) openLocked(from, to uint32) {
	for i := from; i < to; i++ {
		r.taken.clear(i)
	}
	r.free += int(to - from)
}

// restoreLocked makes the blocks before end that are not live available; only before the set is in use.
func (r *region) restoreLocked(end uint32) {
	for i := range end {
		if !r.live.get(i) {
			r.taken.clear(i)
			r.free++
		}
	}
}

// takeLocked takes up to n neighbouring free blocks. It prefers a place where all n fit, and of those the first one behind
// the cursor, so that the blocks of one commit group lie together. The region must have a free block.
func (r *region) takeLocked(n uint32) (start, got uint32) {
	end := r.file.geo.regionBlocks
	at, from := uint32(0), r.cursor
	for pass := 0; pass < 2 && got < n; pass++ {
		for i := r.taken.nextClear(from, end); i < end; i = r.taken.nextClear(i, end) {
			stop := r.taken.nextSet(i, min(end, i+n))
			if stop-i > got {
				at, got = i, stop-i
			}
			if got == n {
				break
			}
			i = stop
		}
		from = 0
	}
	for i := at; i < at+got; i++ {
		r.taken.set(i)
	}
	r.free -= int(got)
	r.punched = false
	r.cursor = (at + got) % end
	return at, got
}

func (r *region) releaseLocked(i uint32) {
	if !r.taken.get(i) {
		panic("pool: a block was released twice") // our own bug; going on would give it to two objects
	}
	r.taken.clear(i)
	r.free++
}
