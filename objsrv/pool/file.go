package pool

import (
	"errors"
	"io"
	"sync/atomic"
	"time"
	"unsafe"

	"holdfast"
	"holdfast/storage"
)

// File is an open pool file.
type File struct {
	geo  geometry
	name string
	buf  storage.DataFile // through the page cache
	raw  storage.DataFile // past it; nil where the mount or the options do not allow that

	// flush has an open file of its own for each user of [Set.Sync]: the kernel tells of a failed write-back once per open
	// file, and with a shared one whoever syncs first would take the error away from the others (R6).
	flush [Flushers]storage.DataFile

	// Guarded by Pool.mu.
	regions []*region
	limit   uint32 // blocks below it are prepared; the file is extended by raising it
	free    int    // free blocks, those held or closed included
	hint    int    // no region before it has a free block
	usable  bool   // blocks may be handed out (R4: own epoch, or drained)

	live    atomic.Int64 // blocks in use by durable records
	noPunch atomic.Bool  // the mount cannot punch holes
}

// create makes a new pool file with its system block, durable with its name.
func (s *Set) create(class Class, epoch holdfast.Epoch) (*File, error) {
	var wanted uint32
	if s.opt.RegionBlocks != nil {
		wanted = s.opt.RegionBlocks(class)
	}
	f := &File{geo: newGeometry(s.opt.Self, class, epoch, wanted), usable: true}
	if err := s.openData(f); err != nil {
		return nil, err
	}
	if _, err := f.buf.WriteAt(f.geo.encode(), 0); err != nil {
		f.close()
		return nil, err
	}
	if err := f.buf.Sync(); err != nil {
		f.close()
		return nil, failedSync(err)
	}
	if err := s.syncDir(s.opt.Dir); err != nil {
		f.close()
		return nil, failedSync(err)
	}
	return f, nil
}

// load opens a file that exists. It returns nil and no error if the file was never finished: no block of it was used.
func (s *Set) load(class Class, epoch holdfast.Epoch) (*File, error) {
	f := &File{geo: geometry{class: class, epoch: epoch}}
	if err := s.openData(f); err != nil {
		return nil, err
	}
	b := make([]byte, systemBlock)
	if _, err := f.buf.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		f.close()
		return nil, err
	}
	geo, err := decodeGeometry(b)
	if err != nil || geo.class != class || geo.epoch != epoch || geo.service != s.opt.Self {
		f.close()
		return nil, nil
	}
	f.geo = geo
	attr, err := s.opt.FS.ForcedStat(f.buf)
	if err != nil {
		f.close()
		return nil, err
	}
	f.limit = geo.wholeBlocks(attr.Size)
	return f, nil
}

func (s *Set) openData(f *File) (err error) {
	f.name = s.opt.FS.PathJoin(s.opt.Dir, fileName(f.geo.class, f.geo.epoch))
	if f.buf, err = s.opt.FS.OpenData(f.name, storage.Buffered); err != nil {
		return err
	}
	for i := range f.flush {
		if f.flush[i], err = s.opt.FS.OpenData(f.name, storage.Buffered); err != nil {
			f.close()
			return err
		}
	}
	if s.opt.NoDirect {
		return nil
	}
	raw, err := s.opt.FS.OpenData(f.name, storage.Direct)
	if err != nil {
		f.close()
		return err
	}
	if !raw.Direct() {
		return raw.Close()
	}
	f.raw = raw
	return nil
}

func (f *File) close() {
	// What was to be durable was synced; nothing is lost by an error here.
	_ = f.buf.Close()
	if f.raw != nil {
		_ = f.raw.Close()
	}
	for _, file := range f.flush {
		if file != nil {
			_ = file.Close()
		}
	}
}

// writer returns the file to write p at off with: past the page cache where that is possible.
func (f *File) writer(p []byte, off int64) storage.DataFile {
	if f.raw == nil || off%storage.DirectAlign != 0 || len(p)%storage.DirectAlign != 0 ||
		uintptr(unsafe.Pointer(unsafe.SliceData(p)))%storage.DirectAlign != 0 {
		return f.buf
	}
	return f.raw
}

// regionLocked returns the region with the index and makes it and those before it if need be.
func (f *File) regionLocked(index uint32) *region {
	for uint32(len(f.regions)) <= index {
		f.regions = append(f.regions, newRegion(f, uint32(len(f.regions))))
	}
	return f.regions[index]
}

// openLocked makes blocks [from, to), which were just prepared, available and raises the limit.
func (f *File) openLocked(from, to uint32) {
	n := f.geo.regionBlocks
	for from < to {
		index := from / n
		r := f.regionLocked(index)
		stop := min(to, (index+1)*n)
		r.openLocked(from-index*n, stop-index*n)
		f.free += int(stop - from)
		f.hint = min(f.hint, int(index))
		from = stop
	}
	f.limit = max(f.limit, to)
}

// takeLocked takes up to n blocks in runs, as many as the file has.
func (f *File) takeLocked(n uint32, now time.Time, runs []Run) ([]Run, uint32) {
	var total uint32
	passed := false // a region with free blocks that may not be used now: the hint must stay before it
	for i := f.hint; i < len(f.regions) && total < n; {
		r := f.regions[i]
		if r.free == 0 || r.closed || now.Before(r.hold) {
			passed = passed || r.free > 0
			if i++; !passed {
				f.hint = i
			}
			continue
		}
		start, got := r.takeLocked(n - total)
		f.free -= int(got)
		total += got
		block := r.index*f.geo.regionBlocks + start
		if last := len(runs) - 1; last >= 0 && runs[last].continues(f, r, block) {
			runs[last].N += got
			continue
		}
		runs = append(runs, Run{Addr{f.geo.class, f.geo.epoch, block}, got})
	}
	return runs, total
}

func (f *File) releaseLocked(block uint32) {
	index := block / f.geo.regionBlocks
	f.regions[index].releaseLocked(block % f.geo.regionBlocks)
	f.free++
	f.hint = min(f.hint, int(index))
}

// nextLocked returns the block to prepare next: the limit, or the start of the region behind it while the last
// region is held, since nothing in it could be used now.
func (f *File) nextLocked(now time.Time) uint32 {
	n := f.geo.regionBlocks
	if i := int(f.limit / n); i < len(f.regions) && now.Before(f.regions[i].hold) {
		return (f.limit/n + 1) * n
	}
	return f.limit
}

// continues reports whether the block of region r follows the run within the region.
func (run Run) continues(f *File, r *region, block uint32) bool {
	return run.File == f.geo.epoch && run.Class == f.geo.class && run.Block+run.N == block &&
		run.Block/f.geo.regionBlocks == r.index
}

// restoreLocked makes the free blocks of a file that was just opened available, from a time on.
func (f *File) restoreLocked(hold time.Time) {
	n := f.geo.regionBlocks
	for index := uint32(0); int64(index)*int64(n) < int64(f.limit); index++ {
		r := f.regionLocked(index)
		r.restoreLocked(min(n, f.limit-index*n))
		f.free += r.free
	}
	for _, r := range f.regions {
		r.hold = hold
		if r.used > 0 { // its data may never have landed, then the file ends before it
			f.limit = max(f.limit, (r.index+1)*n)
		}
	}
}
