package checksum

import (
	"encoding/binary"
	"hash/crc32"
)

// Part is what Combine needs of a part: the checksum of its bytes and how many
// they are.
type Part struct {
	Value  Value
	Length int64
}

// Combine returns the checksum of the concatenation of the parts, computed from
// their checksums and lengths alone. Only the CRCs can do that.
//
// A CRC is a remainder modulo a polynomial P over GF(2), so the CRC of A followed
// by n bytes of B is crc(A)·x^(8n) + crc(B) mod P; the all-ones start and end
// values of these three CRCs cancel out, as in zlib's crc32_combine.
func Combine(a Algorithm, parts []Part) (Value, error) {
	f, ok := fieldOf(a)
	if !ok {
		return Value{}, ErrAlgorithm
	}
	if len(parts) == 0 || len(parts) > MaxParts {
		return Value{}, ErrParts
	}
	var sum, shift uint64
	shiftLength := int64(-1) // parts are mostly of one length: compute its shift once
	for i := range parts {
		p := &parts[i]
		if p.Value.algorithm != a || p.Value.parts != 0 || p.Length < 0 {
			return Value{}, ErrParts
		}
		if p.Length != shiftLength {
			shift, shiftLength = f.shift(uint64(p.Length)), p.Length
		}
		sum = f.mul(shift, sum) ^ p.Value.crc()
	}
	v := Value{algorithm: a}
	if a == CRC64NVME {
		binary.BigEndian.PutUint64(v.sum[:], sum)
	} else {
		binary.BigEndian.PutUint32(v.sum[:], uint32(sum))
	}
	return v, nil
}

// crc returns the raw value of a CRC as a number.
func (v Value) crc() uint64 {
	if v.algorithm == CRC64NVME {
		return binary.BigEndian.Uint64(v.sum[:])
	}
	return uint64(binary.BigEndian.Uint32(v.sum[:]))
}

// field is arithmetic on polynomials modulo a CRC's. Numbers are reflected as in
// the CRCs themselves: the highest bit of the width is x^0, the next x^1.
type field struct {
	poly uint64
	one  uint64 // x^0
}

// crc64NVMEPoly is the polynomial of the NVM Express CRC-64, reflected. The CRC starts and ends with all ones.
const crc64NVMEPoly = 0x9a6c9329ac4bc9b5

func fieldOf(a Algorithm) (field, bool) {
	switch a {
	case CRC32:
		return field{crc32.IEEE, 1 << 31}, true
	case CRC32C:
		return field{crc32.Castagnoli, 1 << 31}, true
	case CRC64NVME:
		return field{crc64NVMEPoly, 1 << 63}, true
	}
	return field{}, false
}

// mul returns a·b mod P.
func (f field) mul(a, b uint64) uint64 {
	var product uint64
	for m := f.one; m != 0 && a != 0; m >>= 1 {
		if a&m != 0 {
			product ^= b
			a ^= m
		}
		low := b & 1 // multiply b by x
		b >>= 1
		b ^= f.poly & -low
	}
	return product
}

// shift returns x^(8n) mod P, by squaring.
func (f field) shift(n uint64) uint64 {
	result, base := f.one, f.one>>8
	for ; n != 0; n >>= 1 {
		if n&1 != 0 {
			result = f.mul(result, base)
		}
		base = f.mul(base, base)
	}
	return result
}
