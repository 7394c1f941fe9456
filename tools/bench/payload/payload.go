// Package payload invents object contents that cost almost nothing to send,
// to hash and to verify.
//
// The content of an object is a function of the seed, the object's index and
// its size: a window into one block of random bytes, chosen by the index out
// of a few, and at the very end a stamp of up to StampSize bytes unique to
// (seed, index, size). Windows are slices of shared memory, so a body is sent
// without being copied; as there are few of them, the SHA-256 state after
// everything but the stamp is kept, and the hash of a 16 MiB body costs one
// compression round.
//
// Invariant: the same (seed, index, size) is the same content in every process
// and every version, which a golden test pins. Check catches any replaced
// byte. Two objects of equal size differ in their last StampSize bytes at
// least; elsewhere they may be equal.
package payload

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

const (
	// StampSize is the length of the unique end of an object.
	StampSize = 32
	// baseSize is odd so that a window that wraps around does not repeat at a
	// distance that a block size or a part size divides.
	baseSize = 1<<20 + 4097
)

// Source makes contents for one seed. It is read-only after New and safe for
// concurrent use.
type Source struct {
	seed uint64
	base []byte
}

// New returns the Source of seed.
func New(seed uint64) *Source {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	s := &Source{seed: seed, base: make([]byte, baseSize)}
	_, _ = rand.NewChaCha8(key).Read(s.base) // documented never to fail
	return s
}

// Object is the content of one object. It is a value; copying it is cheap.
type Object struct {
	src   *Source
	start int64 // of the window in the base
	size  int64
	stamp [StampSize]byte
}

// Object returns the content of the object of that index and size.
func (s *Source) Object(index uint64, size int64) Object {
	id := Mix(s.seed ^ Mix(index))
	o := Object{src: s, size: size, start: int64(Mix(id%windows(size)) % baseSize)}
	for i := range StampSize / 8 {
		binary.LittleEndian.PutUint64(o.stamp[8*i:], Mix(id+uint64(size)*8+uint64(i)))
	}
	return o
}

// windows is how many different windows objects of a size use: fewer for
// large ones, whose hashes are dear to compute the first time.
func windows(size int64) uint64 {
	switch {
	case size <= 64<<10:
		return 64
	case size <= 1<<20:
		return 16
	default:
		return 4
	}
}

// Mix is a bijection on 64-bit words whose outputs look random (the finaliser
// of SplitMix64, by Sebastiano Vigna, public domain).
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Size is the length of the content in bytes.
func (o *Object) Size() int64 { return o.size }

// body is the length of what comes before the stamp.
func (o *Object) body() int64 { return max(o.size-StampSize, 0) }

// Pieces appends to dst slices that together are bytes [from, from+n) of the
// content; the range must lie within it. The slices point into o and into
// shared memory: they must not be written to.
func (o *Object) Pieces(dst [][]byte, from, n int64) [][]byte {
	for n > 0 {
		p := o.piece(from, n)
		dst = append(dst, p)
		from += int64(len(p))
		n -= int64(len(p))
	}
	return dst
}

// piece is the longest contiguous piece of at most n bytes at from.
func (o *Object) piece(from, n int64) []byte {
	if from >= o.body() {
		at := from - o.body()
		return o.stamp[at : at+n]
	}
	at := (o.start + from) % baseSize
	n = min(n, o.body()-from, baseSize-at)
	return o.src.base[at : at+n]
}

// Check compares p with the content at offset from and returns the offset of
// the first byte that differs or lies beyond the end, -1 if there is none.
func (o *Object) Check(from int64, p []byte) int64 {
	for len(p) > 0 {
		if from >= o.size {
			return o.size
		}
		want := o.piece(from, min(int64(len(p)), o.size-from))
		if !bytes.Equal(p[:len(want)], want) {
			for i := range want {
				if p[i] != want[i] {
					return from + int64(i)
				}
			}
		}
		p = p[len(want):]
		from += int64(len(want))
	}
	return -1
}
