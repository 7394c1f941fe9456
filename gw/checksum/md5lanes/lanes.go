// Package md5lanes computes the MD5 digests (RFC 1321) of several bodies at once.
//
// S3 wants the MD5 of every object as its ETag, and for large uploads that is most of the work of a gateway: one MD5 is a
// chain of additions that no processor makes faster. But sixteen bodies fit into the lanes of a vector register and take little more
// time than one. Goroutines that have bytes to hash meet in an [Engine]: one of them leads and hashes for all who wait, and whoever
// comes meanwhile joins at the next step. Nothing is copied, and there is no goroutine of its own to keep.
//
// Libraries that do this copy every body through the channels of one goroutine, which then has to wait for the processor: side by side
// they gave less than half as much, and a hash could never be given back.
//
// A body that is alone is hashed by crypto/md5. Short ones are not worth the meeting: use crypto/md5 for them.
// Where the processor lacks AVX-512, New returns crypto/md5's hash.
package md5lanes

import (
	"crypto/md5"
	"encoding/binary"
	"hash"
	"runtime"
	"sync"
	"sync/atomic"
)

// Lanes is how many bodies are hashed at once.
const Lanes = 16

// stepBlocks bounds, in blocks of 64 bytes, what is hashed before others may join: 8 KiB of each body, some 10 µs.
const stepBlocks = 128

// Engine is where bodies meet. Safe for concurrent use. The zero value is not ready; see [NewEngine].
type Engine struct {
	constants *[64]uint32  // nil: no vectors
	open      atomic.Int64 // hashes that were made and not yet closed: how many may come

	mu      sync.Mutex
	led     bool // somebody leads
	waiting []*Hash

	// Owned by the leader.
	lanes    [Lanes]*Hash
	used     int
	state    [4][Lanes]uint32
	messages [Lanes]*byte
}

// NewEngine returns an engine.
func NewEngine() *Engine {
	e := &Engine{}
	if vectors() {
		e.constants = constantsOf()
	}
	return e
}

// New returns a hash. Close it when it is done with, whatever was written to it.
func (e *Engine) New() *Hash {
	h := &Hash{engine: e}
	if e.constants == nil {
		h.plain = md5.New()
		return h
	}
	h.turn = make(chan bool, 1)
	h.Reset()
	e.open.Add(1)
	return h
}

// Hash is the MD5 of one body: a [hash.Hash] for one goroutine at a time.
type Hash struct {
	engine *Engine
	plain  hash.Hash // takes the place of the rest where there are no vectors
	closed bool

	state [4]uint32
	tail  [md5.BlockSize]byte // bytes that do not fill a block yet
	size  uint64              // bytes written

	// Owned by the leader while the hash waits.
	rest   []byte // whole blocks to hash
	turn   chan bool
	scalar scalar
}

var _ hash.Hash = (*Hash)(nil)

// Size returns 16.
func (h *Hash) Size() int { return md5.Size }

// BlockSize returns 64.
func (h *Hash) BlockSize() int { return md5.BlockSize }

// Reset begins a new body.
func (h *Hash) Reset() {
	if h.plain != nil {
		h.plain.Reset()
		return
	}
	h.state = [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	h.size = 0
}

// Close ends the use of the hash; a second Close does nothing.
func (h *Hash) Close() {
	if !h.closed && h.plain == nil {
		h.engine.open.Add(-1)
	}
	h.closed = true
}

// Write hashes p and returns when that is done. It never fails.
func (h *Hash) Write(p []byte) (int, error) {
	if h.plain != nil {
		return h.plain.Write(p)
	}
	written := len(p)
	held := int(h.size % md5.BlockSize)
	h.size += uint64(written)
	if held > 0 {
		n := copy(h.tail[held:], p)
		p = p[n:]
		if held+n < md5.BlockSize {
			return written, nil
		}
		h.engine.hash(h, h.tail[:])
	}
	if whole := len(p) - len(p)%md5.BlockSize; whole > 0 {
		h.engine.hash(h, p[:whole])
		p = p[whole:]
	}
	copy(h.tail[:], p)
	return written, nil
}

// Sum appends the digest of what was written so far, and changes nothing.
func (h *Hash) Sum(dst []byte) []byte {
	if h.plain != nil {
		return h.plain.Sum(dst)
	}
	var end [2 * md5.BlockSize]byte
	n := copy(end[:], h.tail[:h.size%md5.BlockSize])
	end[n] = 0x80
	n = (n + 8 + md5.BlockSize) / md5.BlockSize * md5.BlockSize
	binary.LittleEndian.PutUint64(end[n-8:], 8*h.size)
	before := h.state
	h.engine.hash(h, end[:n])
	sum := h.state
	h.state = before
	for _, word := range sum {
		dst = binary.LittleEndian.AppendUint32(dst, word)
	}
	return dst
}

// hash adds whole blocks to a hash: as the leader, or by waiting for the one there is.
func (e *Engine) hash(h *Hash, blocks []byte) {
	h.rest = blocks
	e.mu.Lock()
	if e.led {
		e.waiting = append(e.waiting, h)
		e.mu.Unlock()
		if lead := <-h.turn; !lead {
			return
		}
		e.mu.Lock()
	} else {
		e.led = true
		e.admitLocked(h)
	}
	for len(h.rest) > 0 {
		e.gatherLocked()
		e.mu.Unlock()
		e.step()
		e.mu.Lock()
		e.retireLocked(h)
	}
	e.handOverLocked()
	e.mu.Unlock()
}

// admitLocked gives a hash a lane.
func (e *Engine) admitLocked(h *Hash) {
	for word, v := range h.state {
		e.state[word][e.used] = v
	}
	e.lanes[e.used] = h
	e.used++
}

// gatherLocked gives lanes to those who wait, and lets those who are about to come do so first: a step costs the same for one body as
// for sixteen. Waiting longer fills more lanes and takes as much time as it saves.
func (e *Engine) gatherLocked() {
	if e.used+len(e.waiting) < min(Lanes, int(e.open.Load())) {
		e.mu.Unlock()
		runtime.Gosched()
		e.mu.Lock()
	}
	e.fillLocked()
}

// fillLocked gives the lanes that are free to those who wait.
func (e *Engine) fillLocked() {
	n := min(Lanes-e.used, len(e.waiting))
	for _, h := range e.waiting[:n] {
		e.admitLocked(h)
	}
	e.waiting = append(e.waiting[:0], e.waiting[n:]...)
}

// step hashes as many blocks of every lane as the shortest has.
func (e *Engine) step() {
	n := stepBlocks
	for _, h := range e.lanes[:e.used] {
		n = min(n, len(h.rest)/md5.BlockSize)
	}
	if e.used == 1 {
		e.stepAlone(n)
		return
	}
	for i := range e.messages {
		e.messages[i] = &e.lanes[min(i, e.used-1)].rest[0] // what idle lanes hash does not matter
	}
	blocks16(&e.state, &e.messages, e.constants, n)
	for _, h := range e.lanes[:e.used] {
		h.rest = h.rest[n*md5.BlockSize:]
	}
}

// stepAlone hashes n blocks of the only lane with crypto/md5, which is twice as fast for one body.
func (e *Engine) stepAlone(n int) {
	h := e.lanes[0]
	var state [4]uint32
	for word := range state {
		state[word] = e.state[word][0]
	}
	state = h.scalar.blocks(state, h.rest[:n*md5.BlockSize])
	for word, v := range state {
		e.state[word][0] = v
	}
	h.rest = h.rest[n*md5.BlockSize:]
}

// retireLocked takes those that are done out of their lanes and lets them go, except the leader, who sees for himself.
func (e *Engine) retireLocked(leader *Hash) {
	for i := e.used - 1; i >= 0; i-- {
		h := e.lanes[i]
		if len(h.rest) > 0 {
			continue
		}
		last := e.used - 1
		for word := range e.state {
			h.state[word] = e.state[word][i]
			e.state[word][i] = e.state[word][last]
		}
		e.lanes[i], e.lanes[last] = e.lanes[last], nil
		e.used = last
		if h != leader {
			h.turn <- false
		}
	}
}

// handOverLocked makes one of those who are left the leader: one in a lane, or one who waits and gets a lane.
func (e *Engine) handOverLocked() {
	clear(e.messages[:])
	if e.used == 0 {
		e.fillLocked()
	}
	if e.used == 0 {
		e.led = false
		return
	}
	e.lanes[0].turn <- true
}
