package payload

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"hash"
	"sync"
)

// maxStates bounds the cache of hash states; at about 200 bytes each it stays
// below 16 MiB. Sizes drawn from a continuous distribution fill it; what does
// not fit is hashed anew each time.
const maxStates = 1 << 16

// Cache keeps SHA-256 states of window prefixes. It is safe for concurrent use
// and shared by the Hashers of a run.
type Cache struct {
	mu     sync.RWMutex
	states map[stateKey][]byte
}

// stateKey names a range of a window: its content depends on nothing else.
type stateKey struct{ start, n int64 }

// NewCache returns an empty Cache.
func NewCache() *Cache { return &Cache{states: make(map[stateKey][]byte)} }

func (c *Cache) get(k stateKey) []byte {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.states[k]
}

func (c *Cache) put(k stateKey, state []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.states) < maxStates {
		c.states[k] = state
	}
}

// Hasher computes payload hashes. It is not safe for concurrent use.
type Hasher struct {
	cache  *Cache
	sha    hash.Hash
	pieces [][]byte
	sum    [sha256.Size]byte
}

// NewHasher returns a Hasher that shares c.
func NewHasher(c *Cache) *Hasher { return &Hasher{cache: c, sha: sha256.New()} }

// AppendHex appends the SHA-256 of bytes [from, from+n) of o in hex.
func (h *Hasher) AppendHex(dst []byte, o *Object, from, n int64) []byte {
	prefix := max(min(n, o.body()-from), 0)
	h.load(o, from, prefix)
	h.pieces = o.Pieces(h.pieces[:0], from+prefix, n-prefix)
	for _, p := range h.pieces {
		h.sha.Write(p)
	}
	return hex.AppendEncode(dst, h.sha.Sum(h.sum[:0]))
}

// load sets the state to that after n window bytes at from.
func (h *Hasher) load(o *Object, from, n int64) {
	h.sha.Reset()
	if n == 0 {
		return
	}
	key := stateKey{(o.start + from) % baseSize, n}
	if state := h.cache.get(key); state != nil {
		// The state was made by this very type: it cannot be refused.
		if err := h.sha.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err == nil {
			return
		}
		h.sha.Reset()
	}
	h.pieces = o.Pieces(h.pieces[:0], from, n)
	for _, p := range h.pieces {
		h.sha.Write(p)
	}
	if state, err := h.sha.(encoding.BinaryMarshaler).MarshalBinary(); err == nil {
		h.cache.put(key, state)
	}
}
