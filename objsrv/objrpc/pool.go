package objrpc

import "sync"

// smallFrame is the size of the small buffers of a framePool: small objects are the common case, and a whole frame
// for each of them would cost cache and memory.
const smallFrame = 16 << 10

// framePool lends the buffers that frames are sent from. It is a mem.BufferPool. Unlike gRPC's it does not clear what
// it lends: frames are filled before they are sent, and only what was filled is sent.
type framePool struct{ small, large sync.Pool }

// Get lends a buffer of n bytes. Over FrameData it comes from the heap.
func (p *framePool) Get(n int) *[]byte {
	pool, size := &p.large, FrameData
	switch {
	case n <= smallFrame:
		pool, size = &p.small, smallFrame
	case n > FrameData:
		size = n
	}
	if b, ok := pool.Get().(*[]byte); ok && cap(*b) >= n {
		*b = (*b)[:n]
		return b
	}
	b := make([]byte, n, size)
	return &b
}

// Put takes a buffer back.
func (p *framePool) Put(b *[]byte) {
	switch cap(*b) {
	case smallFrame:
		p.small.Put(b)
	case FrameData:
		p.large.Put(b)
	}
}
