package checksum

import (
	"encoding/binary"
	"hash/crc64"
)

// crc64NVMEPoly is the polynomial of the NVM Express CRC-64, reflected. The CRC
// starts and ends with all ones, as those of hash/crc64 do.
const (
	crc64NVMEPoly = 0x9a6c9329ac4bc9b5
	crc64Size     = crc64.Size
)

// crc64Tables[k][b] is the effect of byte b followed by k zero bytes.
// hash/crc64 computes such tables anew in every Write of 2 KiB or more for any
// polynomial but its own two, and takes 8 bytes a step; 16 bytes a step keep
// more loads in flight.
var crc64Tables = makeCRC64Tables()

func makeCRC64Tables() *[16]crc64.Table {
	var t [16]crc64.Table
	t[0] = *crc64.MakeTable(crc64NVMEPoly)
	for k := 1; k < len(t); k++ {
		for b := range t[k] {
			prev := t[k-1][b]
			t[k][b] = t[0][byte(prev)] ^ prev>>8
		}
	}
	return &t
}

// crc64Digest is a hash.Hash64 of CRC64NVME. Its zero value is ready for use.
type crc64Digest struct{ crc uint64 }

func (d *crc64Digest) Size() int      { return crc64Size }
func (d *crc64Digest) BlockSize() int { return 1 }
func (d *crc64Digest) Reset()         { d.crc = 0 }
func (d *crc64Digest) Sum64() uint64  { return d.crc }

func (d *crc64Digest) Sum(b []byte) []byte {
	return binary.BigEndian.AppendUint64(b, d.crc)
}

func (d *crc64Digest) Write(p []byte) (int, error) {
	d.crc = updateCRC64(d.crc, p)
	return len(p), nil
}

func updateCRC64(crc uint64, p []byte) uint64 {
	t := crc64Tables
	crc = ^crc
	for len(p) >= 16 {
		crc ^= binary.LittleEndian.Uint64(p)
		high := binary.LittleEndian.Uint64(p[8:])
		crc = t[15][byte(crc)] ^ t[14][byte(crc>>8)] ^
			t[13][byte(crc>>16)] ^ t[12][byte(crc>>24)] ^
			t[11][byte(crc>>32)] ^ t[10][byte(crc>>40)] ^
			t[9][byte(crc>>48)] ^ t[8][byte(crc>>56)] ^
			t[7][byte(high)] ^ t[6][byte(high>>8)] ^
			t[5][byte(high>>16)] ^ t[4][byte(high>>24)] ^
			t[3][byte(high>>32)] ^ t[2][byte(high>>40)] ^
			t[1][byte(high>>48)] ^ t[0][byte(high>>56)]
		p = p[16:]
	}
	for _, b := range p {
		crc = t[0][byte(crc)^b] ^ crc>>8
	}
	return ^crc
}
