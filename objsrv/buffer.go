package objsrv

import (
	"context"
	"sync"

	"holdfast"
	"holdfast/objsrv/pool"
	"holdfast/storage"
)

// smallObject is the size up to which the body of an object is gathered in one buffer and written by its commit group.
// Bigger ones are written by their callers.
const smallObject = 64 << 10

// pieceSpare is the room behind a piece buffer's last page: one byte of it is enough to see that a body is too long.
const pieceSpare = storage.DirectAlign

// piecePools are pools of buffers of up to a sub-block, for bodies and reads.
type piecePools [5]sync.Pool // 4 KiB … 64 KiB

// get returns a buffer of at least n+1 bytes, 0 ≤ n ≤ smallObject, whose capacity reaches to the end of a page.
func (p *piecePools) get(n int64) *[]byte {
	class := pool.ClassFor(max(n, 1))
	if b, ok := p[class].Get().(*[]byte); ok {
		return b
	}
	b := storage.AlignedBuffer(int(class.Size()) + pieceSpare)
	return &b
}

// put gives a buffer of get(n) back.
func (p *piecePools) put(n int64, b *[]byte) { p[pool.ClassFor(max(n, 1))].Put(b) }

// The sizes of the buffers that the bodies of big objects go through. An upload has uploadChunks of them, so that one
// is written while the next is read; under pressure they are small.
const (
	chunkBytes      = 1 << 20
	chunkBytesTight = 256 << 10
	uploadChunks    = 2
)

// budget bounds the memory of bodies that are being written: an upload takes its share before it reads, and waits if
// there is none.
type budget struct {
	mu      sync.Mutex
	total   int64
	free    int64
	waiting []*waiter // first come, first served
	chunks  sync.Pool // of *[]byte, chunkBytes long and aligned
}

type waiter struct {
	n     int64
	ready chan struct{}
}

// maxWaiters is how many uploads may wait for buffers; more are Overload.
const maxWaiters = 1024

func newBudget(total int64) *budget {
	return &budget{total: max(total, 16*chunkBytes), free: max(total, 16*chunkBytes)}
}

// chunkSize tells how big the buffers of a new upload shall be.
func (b *budget) chunkSize() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.free < b.total/2 {
		return chunkBytesTight
	}
	return chunkBytes
}

// take reserves n bytes, n ≤ total. Errors: Aborted with the context, Overload.
func (b *budget) take(ctx context.Context, n int64) error {
	b.mu.Lock()
	if len(b.waiting) == 0 && b.free >= n {
		b.free -= n
		b.mu.Unlock()
		return nil
	}
	if len(b.waiting) >= maxWaiters {
		b.mu.Unlock()
		return holdfast.E("objsrv.buffers", holdfast.Overload, nil)
	}
	w := &waiter{n, make(chan struct{})}
	b.waiting = append(b.waiting, w)
	b.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	for i, other := range b.waiting {
		if other == w {
			b.waiting = append(b.waiting[:i], b.waiting[i+1:]...)
			b.wakeLocked()
			b.mu.Unlock()
			return holdfast.E("objsrv.buffers", holdfast.Aborted, ctx.Err())
		}
	}
	b.mu.Unlock()
	b.give(n) // it came just now
	return holdfast.E("objsrv.buffers", holdfast.Aborted, ctx.Err())
}

// give returns n reserved bytes.
func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
	b.wakeLocked()
}

func (b *budget) wakeLocked() {
	for len(b.waiting) > 0 && b.waiting[0].n <= b.free {
		b.free -= b.waiting[0].n
		close(b.waiting[0].ready)
		b.waiting = b.waiting[1:]
	}
}

// used returns the bytes reserved.
func (b *budget) used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.total - b.free
}

// getChunk returns an aligned buffer of at least n bytes, n ≤ chunkBytes.
func (b *budget) getChunk(n int64) []byte {
	if n < chunkBytes {
		return storage.AlignedBuffer(int(n)) // rare: only under pressure
	}
	if c, ok := b.chunks.Get().(*[]byte); ok {
		return *c
	}
	return storage.AlignedBuffer(chunkBytes)
}

func (b *budget) putChunk(c []byte) {
	if len(c) == chunkBytes {
		b.chunks.Put(&c)
	}
}
