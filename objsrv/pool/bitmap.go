package pool

import (
	"encoding/binary"
	"math/bits"
)

// bitmap has a bit per block of a region; 1 means in use.
type bitmap []uint64

func newBitmap(n uint32) bitmap { return make(bitmap, (n+63)/64) }

func (b bitmap) get(i uint32) bool { return b[i/64]&(1<<(i%64)) != 0 }
func (b bitmap) set(i uint32)      { b[i/64] |= 1 << (i % 64) }
func (b bitmap) clear(i uint32)    { b[i/64] &^= 1 << (i % 64) }

func (b bitmap) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// nextClear returns the first clear bit at or after i and below end, or end.
func (b bitmap) nextClear(i, end uint32) uint32 {
	for i < end {
		if w := ^b[i/64] >> (i % 64); w != 0 {
			return min(i+uint32(bits.TrailingZeros64(w)), end)
		}
		i = (i/64 + 1) * 64
	}
	return end
}

// nextSet returns the first set bit at or after i and below end, or end.
func (b bitmap) nextSet(i, end uint32) uint32 {
	for i < end {
		if w := b[i/64] >> (i % 64); w != 0 {
			return min(i+uint32(bits.TrailingZeros64(w)), end)
		}
		i = (i/64 + 1) * 64
	}
	return end
}

// AppendBits appends the bits little-endian without zero bytes at the end: the value of a bitmap row.
func AppendBits(dst []byte, words []uint64) []byte {
	start := len(dst)
	for _, w := range words {
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	for len(dst) > start && dst[len(dst)-1] == 0 {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// ParseBits reads what [AppendBits] wrote; ok is false if it does not fit words.
func ParseBits(words []uint64, b []byte) (ok bool) {
	if len(b) > 8*len(words) {
		return false
	}
	clear(words)
	for i, v := range b {
		words[i/8] |= uint64(v) << (8 * (i % 8))
	}
	return true
}
