package pool

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/objsrv/crc"
)

const (
	// systemBlock is the size of the block that every pool file begins with.
	systemBlock = 4096
	// systemUsed is how much of it is used and checksummed.
	systemUsed = 64
	// systemMagic begins it; the last byte is the format number.
	systemMagic = "HFPOOL\x00\x01"
	// pageSize is the unit that areas of a file are aligned to.
	pageSize = 4096
	// maxRegionBlocks bounds what a system block may claim.
	maxRegionBlocks = 1 << 20
)

// geometry is how a pool file is divided; it is fixed when the file is made and stored in its system block.
type geometry struct {
	service      holdfast.ServiceID
	class        Class
	epoch        holdfast.Epoch
	regionBlocks uint32
	headerSlot   uint32
}

// newGeometry returns the geometry of a new file. regionBlocks 0 means the default: 1,024 blocks, fewer where they would
// exceed 64 MiB.
func newGeometry(service holdfast.ServiceID, class Class, epoch holdfast.Epoch, regionBlocks uint32) geometry {
	if regionBlocks == 0 {
		regionBlocks = uint32(min(1024, (64<<20)/class.Size()))
	}
	return geometry{service, class, epoch, regionBlocks, headerSlot(class)}
}

// headerSlot is the room of a header of the class: its size rounded up to 64 bytes.
func headerSlot(class Class) uint32 {
	return uint32(headerFixed+4*Subs(class.Size())+63) / 64 * 64
}

func (g geometry) headerArea() int64 {
	return (int64(g.regionBlocks)*int64(g.headerSlot) + pageSize - 1) / pageSize * pageSize
}

func (g geometry) regionBytes() int64 {
	return g.headerArea() + int64(g.regionBlocks)*g.class.Size()
}

func (g geometry) regionStart(region uint32) int64 {
	return systemBlock + int64(region)*g.regionBytes()
}

func (g geometry) headerOffset(block uint32) int64 {
	return g.regionStart(block/g.regionBlocks) + int64(block%g.regionBlocks)*int64(g.headerSlot)
}

func (g geometry) dataOffset(block uint32) int64 {
	return g.regionStart(block/g.regionBlocks) + g.headerArea() + int64(block%g.regionBlocks)*g.class.Size()
}

// wholeBlocks returns how many blocks end within a file of size bytes.
func (g geometry) wholeBlocks(size int64) uint32 {
	size -= systemBlock
	if size < 0 {
		return 0
	}
	blocks := size / g.regionBytes() * int64(g.regionBlocks)
	if rest := size%g.regionBytes() - g.headerArea(); rest > 0 {
		blocks += rest / g.class.Size()
	}
	return uint32(blocks)
}

// encode writes the system block (FORMAT.md, "System block").
func (g geometry) encode() []byte {
	b := make([]byte, systemBlock)
	copy(b, systemMagic)
	binary.LittleEndian.PutUint64(b[8:], uint64(g.service))
	binary.LittleEndian.PutUint64(b[16:], uint64(g.epoch))
	binary.LittleEndian.PutUint64(b[24:], uint64(g.class.Size()))
	binary.LittleEndian.PutUint32(b[32:], g.regionBlocks)
	binary.LittleEndian.PutUint32(b[36:], g.headerSlot)
	binary.LittleEndian.PutUint32(b[systemUsed-4:], crc.Sum(b[:systemUsed-4]))
	return b
}

// decodeGeometry reads a system block. The error is of kind Corrupt.
func decodeGeometry(b []byte) (geometry, error) {
	var g geometry
	bad := func(what string) (geometry, error) {
		return geometry{}, holdfast.E("pool: system block", holdfast.Corrupt, fmt.Errorf("%s", what))
	}
	if len(b) < systemUsed || string(b[:8]) != systemMagic {
		return bad("no magic number or an unknown format")
	}
	if crc.Sum(b[:systemUsed-4]) != binary.LittleEndian.Uint32(b[systemUsed-4:]) {
		return bad("checksum")
	}
	g.service = holdfast.ServiceID(binary.LittleEndian.Uint64(b[8:]))
	g.epoch = holdfast.Epoch(binary.LittleEndian.Uint64(b[16:]))
	size := binary.LittleEndian.Uint64(b[24:])
	g.regionBlocks = binary.LittleEndian.Uint32(b[32:])
	g.headerSlot = binary.LittleEndian.Uint32(b[36:])
	if size < MinBlock || size > MaxBlock || size&(size-1) != 0 {
		return bad("block size")
	}
	g.class = ClassFor(int64(size))
	if g.regionBlocks == 0 || g.regionBlocks > maxRegionBlocks || g.headerSlot < headerSlot(g.class) || g.headerSlot > pageSize {
		return bad("region geometry")
	}
	return g, nil
}

// fileName is the name of a pool file inside the pools directory: "<block size>.<epoch>", both decimal.
func fileName(class Class, epoch holdfast.Epoch) string {
	return strconv.FormatInt(class.Size(), 10) + "." + strconv.FormatUint(uint64(epoch), 10)
}

// parseFileName reads what fileName wrote; ok is false for every other name.
func parseFileName(name string) (class Class, epoch holdfast.Epoch, ok bool) {
	left, right, found := strings.Cut(name, ".")
	size, errSize := strconv.ParseUint(left, 10, 32)
	n, errEpoch := strconv.ParseUint(right, 10, 64)
	if !found || errSize != nil || errEpoch != nil || size < MinBlock || size > MaxBlock || n == 0 {
		return 0, 0, false
	}
	class, epoch = ClassFor(int64(size)), holdfast.Epoch(n)
	return class, epoch, fileName(class, epoch) == name
}
