package pool

import (
	"encoding/binary"
	"fmt"
	"time"

	"holdfast"
	"holdfast/objsrv/crc"
)

// headerFixed is the part of a header before the checksums of the sub-blocks.
const headerFixed = 60

// headerMagic begins a header; the last byte is the format number.
const headerMagic = "HFB\x01"

// Header says what a block holds, so that the index can be built anew from the blocks alone. It lies in the header area of
// the block's region, so that a block of 4 KiB holds 4 KiB of an object.
type Header struct {
	Object  holdfast.ObjectID
	Home    holdfast.Slot
	Size    int64          // of the whole object
	Offset  int64          // where in the object this block begins
	Length  int64          // bytes of the object in this block
	Created time.Time      // to the millisecond
	Writer  holdfast.Epoch // the epoch that wrote the block; differs from the object's when the block was moved
	Sums    []uint32       // CRC32C of each sub-block
}

// appendTo appends the header for the block at a, slot bytes long (FORMAT.md, "Block header"). The checksum covers the
// address too, so that a header that landed in a wrong place is none.
func (h *Header) appendTo(dst []byte, a Addr, slot uint32) []byte {
	start := len(dst)
	dst = append(dst, headerMagic...)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.Object.Epoch))
	dst = binary.LittleEndian.AppendUint64(dst, h.Object.Counter)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.Size))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.Offset))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(h.Length))
	dst = append48(dst, uint64(h.Created.UnixMilli()))
	dst = append48(dst, uint64(h.Writer))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(h.Home))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(h.Sums)))
	for _, sum := range h.Sums {
		dst = binary.LittleEndian.AppendUint32(dst, sum)
	}
	binary.LittleEndian.PutUint32(dst[start+4:], headerSum(dst[start:], a))
	for len(dst)-start < int(slot) {
		dst = append(dst, 0)
	}
	return dst
}

// headerSum is the checksum of a header at the address a; used is the header without the filling behind it.
func headerSum(used []byte, a Addr) uint32 {
	var at [16]byte
	binary.LittleEndian.PutUint64(at[:], uint64(a.File))
	binary.LittleEndian.PutUint32(at[8:], a.Block)
	at[12] = byte(a.Class)
	return crc.Update(crc.Sum(used[8:]), at[:])
}

// decodeHeader reads the header of the block at a. A slot never written gives found false; one that holds anything
// but a sound header for this address is of kind Corrupt.
func decodeHeader(b []byte, a Addr) (h Header, found bool, err error) {
	if len(b) < headerFixed {
		return h, false, corruptHeader("short")
	}
	if string(b[:4]) != headerMagic {
		for _, v := range b {
			if v != 0 {
				return h, false, corruptHeader("no magic number or an unknown format")
			}
		}
		return h, false, nil
	}
	n := int(binary.LittleEndian.Uint16(b[headerFixed-2:]))
	if n > Subs(a.Class.Size()) || headerFixed+4*n > len(b) {
		return h, false, corruptHeader("too many sub-blocks")
	}
	if headerSum(b[:headerFixed+4*n], a) != binary.LittleEndian.Uint32(b[4:]) {
		return h, false, corruptHeader("checksum")
	}
	h.Object.Epoch = holdfast.Epoch(binary.LittleEndian.Uint64(b[8:]))
	h.Object.Counter = binary.LittleEndian.Uint64(b[16:])
	h.Size = int64(binary.LittleEndian.Uint64(b[24:]))
	h.Offset = int64(binary.LittleEndian.Uint64(b[32:]))
	h.Length = int64(binary.LittleEndian.Uint32(b[40:]))
	h.Created = time.UnixMilli(int64(read48(b[44:])))
	h.Writer = holdfast.Epoch(read48(b[50:]))
	h.Home = holdfast.Slot(binary.LittleEndian.Uint16(b[56:]))
	h.Sums = make([]uint32, n)
	for i := range h.Sums {
		h.Sums[i] = binary.LittleEndian.Uint32(b[headerFixed+4*i:])
	}
	return h, true, h.validate(a)
}

// validate refuses headers whose sum is right and whose content cannot be.
func (h *Header) validate(a Addr) error {
	switch {
	case h.Size <= 0 || h.Size > holdfast.MaxObjectSize || h.Length <= 0 || h.Length > a.Class.Size():
		return corruptHeader("size")
	case h.Offset < 0 || h.Offset > h.Size-h.Length:
		return corruptHeader("offset")
	case len(h.Sums) != Subs(h.Length):
		return corruptHeader("number of sub-blocks")
	case h.Home >= holdfast.Slots || h.Object.IsZero():
		return corruptHeader("object or home")
	}
	return nil
}

func corruptHeader(what string) error {
	return holdfast.E("pool: block header", holdfast.Corrupt, fmt.Errorf("%s", what))
}

func append48(dst []byte, v uint64) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
	return binary.LittleEndian.AppendUint16(dst, uint16(v>>32))
}

func read48(b []byte) uint64 {
	return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint16(b[4:]))<<32
}
