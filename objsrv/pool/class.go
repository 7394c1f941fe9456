package pool

import (
	"math/bits"
	"strconv"

	"holdfast"
)

// Sizes of blocks.
const (
	MinBlock = 4 << 10
	MaxBlock = 8 << 20

	// SubBlock is how many bytes one checksum covers; a ranged read verifies whole sub-blocks and nothing more.
	SubBlock = 64 << 10
)

// Class is a size of blocks: 0 is [MinBlock], each next one is twice as big.
type Class uint8

// Classes is the number of classes.
const Classes = 12

// Size returns the bytes of a block of the class.
func (c Class) Size() int64 { return MinBlock << c }

// ClassFor returns the smallest class whose blocks hold n bytes, 0 < n ≤ [MaxBlock].
func ClassFor(n int64) Class {
	return Class(bits.Len64(uint64((n - 1) / MinBlock)))
}

// classWithin returns the biggest class whose blocks n bytes fill, n ≥ [MinBlock].
func classWithin(n int64) Class {
	return min(Class(bits.Len64(uint64(n/MinBlock))-1), Classes-1)
}

// Subs returns how many sub-blocks n bytes of a block have.
func Subs(n int64) int { return int((n + SubBlock - 1) / SubBlock) }

// Addr says where a block is.
type Addr struct {
	Class Class
	File  holdfast.Epoch // the epoch in the pool file's name
	Block uint32         // counted through the file
}

// Run is N blocks of one region, one behind the other.
type Run struct {
	Addr
	N uint32
}

// At returns the address of the i-th block of the run.
func (r Run) At(i uint32) Addr {
	r.Block += i
	return r.Addr
}

// String returns the size as "4KiB" or "8MiB".
func (c Class) String() string {
	if n := c.Size(); n < 1<<20 {
		return strconv.FormatInt(n>>10, 10) + "KiB"
	}
	return strconv.FormatInt(c.Size()>>20, 10) + "MiB"
}
