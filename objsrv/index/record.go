package index

import (
	"encoding/binary"
	"fmt"
	"time"

	"holdfast"
	"holdfast/objsrv/crc"
	"holdfast/objsrv/pool"
)

// Record describes an object.
type Record struct {
	Home    holdfast.Slot
	Size    int64
	Created time.Time // to the millisecond
	CRC     uint32    // CRC32C of the whole
	Blocks  []pool.Addr
	// Sums are the CRC32C of the sub-blocks, of all blocks in order; nil while [Record.External] ones are not loaded.
	Sums []uint32
}

// recordFormat is the first byte of a record.
const recordFormat = 1

// inlineSums is how many checksums a record holds itself. The sums of bigger objects are in a row per block, so that
// reading a range of a huge object does not load half a megabyte.
const inlineSums = 128

// maxRecordBlocks bounds what a record may claim.
const maxRecordBlocks = int(holdfast.MaxObjectSize/pool.MaxBlock) + 8

// External reports whether the checksums are in rows of their own.
func (r *Record) External() bool { return r.subs() > inlineSums }

func (r *Record) subs() int {
	// All blocks but the last are full; of those, blocks smaller than a sub-block count as one.
	n := 0
	for i := range r.Blocks {
		n += pool.Subs(r.BlockLength(i))
	}
	return n
}

// BlockOffset returns where in the object block i begins.
func (r *Record) BlockOffset(i int) int64 {
	var off int64
	for _, a := range r.Blocks[:i] {
		off += a.Class.Size()
	}
	return off
}

// BlockLength returns how many bytes of the object block i holds.
func (r *Record) BlockLength(i int) int64 {
	if i < len(r.Blocks)-1 {
		return r.Blocks[i].Class.Size()
	}
	return r.Size - r.BlockOffset(i)
}

// Stored returns the bytes of the blocks.
func (r *Record) Stored() int64 { return r.BlockOffset(len(r.Blocks)) }

// BlockSums returns the part of Sums that belongs to block i.
func (r *Record) BlockSums(i int) []uint32 {
	at := 0
	for j := range i {
		at += pool.Subs(r.BlockLength(j))
	}
	return r.Sums[at : at+pool.Subs(r.BlockLength(i))]
}

// Append appends the encoded record (FORMAT.md, "Object record"): about 20 bytes for an object of one block.
func (r *Record) Append(dst []byte) []byte {
	dst = append(dst, recordFormat)
	dst = binary.AppendUvarint(dst, uint64(r.Size))
	dst = binary.AppendUvarint(dst, uint64(r.Home))
	dst = binary.AppendUvarint(dst, uint64(r.Created.UnixMilli()))
	dst = binary.AppendUvarint(dst, uint64(len(r.Blocks)))
	for _, a := range r.Blocks {
		dst = append(dst, byte(a.Class))
		dst = binary.AppendUvarint(dst, uint64(a.File))
		dst = binary.AppendUvarint(dst, uint64(a.Block))
	}
	dst = binary.LittleEndian.AppendUint32(dst, r.CRC)
	if n := r.subs(); n > 1 && n <= inlineSums {
		dst = appendSums(dst, r.Sums)
	}
	return dst
}

func appendSums(dst []byte, sums []uint32) []byte {
	for _, sum := range sums {
		dst = binary.LittleEndian.AppendUint32(dst, sum)
	}
	return dst
}

// Decode reads what Append wrote into r. The error is of kind Corrupt.
func (r *Record) Decode(b []byte) error {
	if len(b) == 0 || b[0] != recordFormat {
		return corrupt("unknown record format")
	}
	d := decoder{b: b[1:]}
	r.Size = int64(d.uvarint(holdfast.MaxObjectSize))
	r.Home = holdfast.Slot(d.uvarint(holdfast.Slots - 1))
	r.Created = time.UnixMilli(int64(d.uvarint(1 << 48)))
	n := int(d.uvarint(uint64(maxRecordBlocks)))
	if d.bad || n == 0 || r.Size == 0 || n > len(d.b) {
		return corrupt("record")
	}
	r.Blocks = make([]pool.Addr, n)
	var stored int64
	for i := range r.Blocks {
		if stored >= r.Size {
			return corrupt("record: block without bytes")
		}
		class := d.byte(pool.Classes - 1)
		r.Blocks[i] = pool.Addr{Class: pool.Class(class), File: holdfast.Epoch(d.uvarint(1<<64 - 1)), Block: uint32(d.uvarint(1<<32 - 1))}
		stored += pool.Class(class).Size()
	}
	r.CRC = d.uint32()
	if d.bad || stored < r.Size {
		return corrupt("record: blocks")
	}
	return r.decodeSums(&d)
}

func (r *Record) decodeSums(d *decoder) error {
	r.Sums = nil
	switch n := r.subs(); {
	case n == 1:
		r.Sums = []uint32{r.CRC}
	case n <= inlineSums:
		r.Sums = d.uint32s(n)
	}
	if d.bad || len(d.b) != 0 {
		return corrupt("record: checksums")
	}
	return nil
}

// Verify reports whether the sums of the sub-blocks join to the object's.
func (r *Record) Verify() bool {
	if len(r.Sums) != r.subs() || len(r.Sums) == 0 {
		return false
	}
	return r.CRC == r.JoinSums()
}

var joinSub = crc.NewJoiner(pool.SubBlock) // read-only

// JoinSums returns the checksum of the whole from those of the sub-blocks.
func (r *Record) JoinSums() uint32 {
	at, sum := 0, uint32(0)
	for i := range r.Blocks {
		for left := r.BlockLength(i); left > 0; left -= pool.SubBlock {
			switch {
			case at == 0:
				sum = r.Sums[0]
			case left >= pool.SubBlock:
				sum = joinSub.Join(sum, r.Sums[at])
			default:
				sum = crc.Join(sum, r.Sums[at], left)
			}
			at++
		}
	}
	return sum
}

func corrupt(what string) error {
	return holdfast.E("index", holdfast.Corrupt, fmt.Errorf("%s", what))
}

// decoder reads values off the front of b; after a fault everything reads as zero and bad is set.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > most {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte(most byte) byte {
	if len(d.b) == 0 || d.b[0] > most {
		d.bad, d.b = true, nil
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) uint32() uint32 {
	if len(d.b) < 4 {
		d.bad, d.b = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint32(d.b)
	d.b = d.b[4:]
	return v
}

func (d *decoder) uint32s(n int) []uint32 {
	if len(d.b) < 4*n {
		d.bad, d.b = true, nil
		return nil
	}
	sums := make([]uint32, n)
	for i := range sums {
		sums[i] = d.uint32()
	}
	return sums
}
