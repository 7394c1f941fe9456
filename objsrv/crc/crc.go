// Package crc computes CRC32C (Castagnoli) sums of data and joins the sums of neighbouring pieces, so that the checksum
// of a whole object follows from those of its sub-blocks without reading a byte twice.
//
// It is pure and safe for concurrent use. It is not a place for other checksums: those that clients ask for are computed
// where the client's bytes come in.
package crc

import "hash/crc32"

// poly is the Castagnoli polynomial with its bits reversed, as CRC32C uses it.
const poly = 0x82f63b78

var table = crc32.MakeTable(crc32.Castagnoli)

// Sum returns the CRC32C of p.
func Sum(p []byte) uint32 { return crc32.Checksum(p, table) }

// Update returns the CRC32C of what sum was computed over, followed by p.
func Update(sum uint32, p []byte) uint32 { return crc32.Update(sum, table, p) }

// Joiner appends pieces of one fixed length; making one costs about a microsecond, using it a few nanoseconds.
// It is read-only after [NewJoiner] and safe for concurrent use.
type Joiner struct{ tables [4][256]uint32 }

// NewJoiner returns a Joiner for pieces of n bytes.
func NewJoiner(n int64) *Joiner {
	shift := power(n)
	j := new(Joiner)
	for i := range j.tables {
		for v := range 256 {
			j.tables[i][v] = multiply(shift, uint32(v)<<(8*i))
		}
	}
	return j
}

// Join returns the CRC32C of a piece with sum a followed by a piece with sum b of the Joiner's length.
func (j *Joiner) Join(a, b uint32) uint32 {
	return j.tables[0][a&0xff] ^ j.tables[1][a>>8&0xff] ^ j.tables[2][a>>16&0xff] ^ j.tables[3][a>>24] ^ b
}

// Join returns the CRC32C of a piece with sum a followed by n bytes with sum b.
func Join(a, b uint32, n int64) uint32 {
	if n == 0 {
		return a
	}
	return multiply(power(n), a) ^ b
}

// power returns x^(8n) modulo the polynomial: what moving a sum past n bytes multiplies it by.
func power(n int64) uint32 {
	result := uint32(1) << 31 // x^0
	for base := uint32(1) << 23; n > 0; n >>= 1 {
		if n&1 != 0 {
			result = multiply(result, base)
		}
		base = multiply(base, base)
	}
	return result
}

// multiply returns a·b modulo the polynomial; bit 31 is the coefficient of x^0.
func multiply(a, b uint32) uint32 {
	var product uint32
	for bit := uint32(1) << 31; bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		b = b>>1 ^ poly&-(b&1)
	}
	return product
}
