package sse

import "holdfast"

// Sizes of a stream.
const (
	// Chunk is the size of a chunk as stored; the last one may be shorter.
	Chunk = 64 << 10
	// Overhead is how much of each chunk is not plain bytes: salt and tag.
	Overhead = saltSize + tagSize
	// Payload is how many plain bytes a whole chunk holds.
	Payload = Chunk - Overhead

	saltSize = 16
	tagSize  = 16

	// MaxPlain is the most plain bytes a stream may have: far more than an object can, and far less than its counter counts.
	MaxPlain = 1 << 50
)

// StoredSize returns how many bytes a stream of n plain bytes takes. Nothing takes nothing.
func StoredSize(n int64) int64 { return n + Overhead*chunks(n) }

// PlainSize returns how many plain bytes a stream of this stored size holds. Kinds: Corrupt if no stream has this size.
func PlainSize(stored int64) (int64, error) {
	n := stored - Overhead*((stored+Chunk-1)/Chunk)
	if stored < 0 || n < 0 || n > MaxPlain || StoredSize(n) != stored {
		return 0, &holdfast.Error{Op: "sse.size", Kind: holdfast.Corrupt}
	}
	return n, nil
}

// chunks returns how many chunks n plain bytes make.
func chunks(n int64) int64 { return (n + Payload - 1) / Payload }

// Span is a range of bytes.
type Span struct{ Offset, Length int64 }

// StoredSpan returns the whole chunks that hold the plain bytes [off, off+n) of a stream of size plain bytes. The range must lie inside the
// stream.
func StoredSpan(size, off, n int64) Span {
	if n == 0 {
		return Span{}
	}
	first, end := off/Payload, chunks(off+n)
	return Span{first * Chunk, min(end*Chunk, StoredSize(size)) - first*Chunk}
}
