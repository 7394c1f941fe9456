package pool

import "holdfast/storage"

// Overwriting blocks that the filesystem has allocated and written before makes fdatasync half as dear as writing new
// ones (95 against 167 microseconds on ext4), so small blocks are filled with zeros ahead of use, a granule at a time, by
// the background goroutine of the Set. For big blocks the flush does not matter and space would be wasted: their part
// of the file stays a hole until it is used.

const (
	// granuleBytes is how much is prepared ahead in a pool of small blocks.
	granuleBytes = 2 << 20
	// fillChunk is how much one write of zeros covers.
	fillChunk = 512 << 10
)

// prepared reports whether blocks of the class are filled ahead of use.
func prepared(c Class) bool { return c.Size() <= SubBlock }

// granule returns by how many blocks a file of the class grows.
func (s *Set) granule(c Class) uint32 {
	if s.opt.Granule != nil {
		return s.opt.Granule(c)
	}
	return uint32(max(1, granuleBytes/c.Size()))
}

// fill readies blocks [from, to), which lie in one region: zeros for small ones; for big ones the header area and the
// last page, so that later writes do not extend the file, which would serialise them.
func (f *File) fill(from, to uint32) error {
	g := f.geo
	if from%g.regionBlocks == 0 {
		// Through the page cache, so that writing a header never reads.
		if err := f.zero(f.buf, g.regionStart(from/g.regionBlocks), g.headerArea()); err != nil {
			return err
		}
	}
	start, end := g.dataOffset(from), g.dataOffset(to-1)+g.class.Size()
	if prepared(g.class) {
		if err := f.zero(f.writer(zeros, start), start, end-start); err != nil {
			return err
		}
		return failedSync(f.buf.SyncData()) // here, so that no commit group pays for it
	}
	return f.zero(f.buf, end-pageSize, pageSize)
}

// zeros is read-only.
var zeros = storage.AlignedBuffer(fillChunk)

func (f *File) zero(w storage.DataFile, off, n int64) error {
	for n > 0 {
		k, err := w.WriteAt(zeros[:min(n, fillChunk)], off)
		if err != nil {
			return err
		}
		off += int64(k)
		n -= int64(k)
	}
	return nil
}
