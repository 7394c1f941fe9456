package md5lanes

import (
	"math"

	"golang.org/x/sys/cpu"
)

// vectors reports whether this processor has the instructions of blocks16.
func vectors() bool { return cpu.X86.HasAVX512F }

// blocks16 hashes n blocks of 64 bytes of each message into the states, which are by word, then by lane.
//
//go:noescape
func blocks16(state *[4][Lanes]uint32, messages *[Lanes]*byte, constants *[64]uint32, n int)

// constantsOf returns the additive constants of RFC 1321, section 3.4: 2^32 × |sin(i)|, i in radians from 1.
func constantsOf() *[64]uint32 {
	var k [64]uint32
	for i := range k {
		k[i] = uint32(math.Floor(math.Abs(math.Sin(float64(i+1))) * (1 << 32)))
	}
	return &k
}
