package pool

import (
	"errors"
	"fmt"
	"io"

	"holdfast"
	"holdfast/storage"
)

// WriteData writes p at off inside the block; it must end inside it, or, if more blocks of the run of a are the caller's,
// inside those. Aligned buffers bypass the page cache if bypass is set and the mount can. After an error the blocks
// must not be released, except after one of kind NoSpace.
func (s *Set) WriteData(a Addr, off int64, p []byte, bypass bool) error {
	f := s.pools[a.Class].file(a.File)
	at := f.geo.dataOffset(a.Block) + off
	w := f.buf
	if bypass {
		w = f.writer(p, at)
	}
	n, err := w.WriteAt(p, at)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return ioError("pool.write", err)
}

// AppendHeader appends the header of the block at a, as long as WriteHeaders wants it.
func (s *Set) AppendHeader(dst []byte, a Addr, h *Header) []byte {
	return h.appendTo(dst, a, s.pools[a.Class].file(a.File).geo.headerSlot)
}

// WriteHeaders writes the encoded headers of neighbouring blocks of one region, the first of which is at a.
// Errors are as for WriteData.
func (s *Set) WriteHeaders(a Addr, headers []byte) error {
	f := s.pools[a.Class].file(a.File)
	n, err := f.buf.WriteAt(headers, f.geo.headerOffset(a.Block))
	if err == nil && n < len(headers) {
		err = io.ErrShortWrite
	}
	return ioError("pool.write header", err)
}

// ReadData reads len(p) bytes at off inside the block. The error is of kind Corrupt if the file is lost or ends before
// them, Unavailable if the mount failed.
func (s *Set) ReadData(a Addr, off int64, p []byte) error {
	if a.Class >= Classes {
		return holdfast.E("pool.read", holdfast.Corrupt, errors.New("no such class"))
	}
	f := s.pools[a.Class].file(a.File)
	if f == nil {
		return holdfast.E("pool.read", holdfast.Corrupt, errors.New("the pool file is missing"))
	}
	n, err := f.buf.ReadAt(p, f.geo.dataOffset(a.Block)+off)
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		return holdfast.E("pool.read", holdfast.Corrupt, errors.New("the pool file is too short"))
	}
	return ioError("pool.read", err)
}

// ReadHeader reads the header of the block at a; found is false if none was ever written.
func (s *Set) ReadHeader(a Addr) (h Header, found bool, err error) {
	f := s.pools[a.Class].file(a.File)
	if f == nil {
		return h, false, holdfast.E("pool.read header", holdfast.Corrupt, errors.New("the pool file is missing"))
	}
	b := make([]byte, f.geo.headerSlot)
	if _, err := f.buf.ReadAt(b, f.geo.headerOffset(a.Block)); err == io.EOF {
		return h, false, nil
	} else if err != nil {
		return h, false, ioError("pool.read header", err)
	}
	return decodeHeader(b, a)
}

// Flusher is a user of [Set.Sync]: one goroutine at a time.
type Flusher int

// Flushers is how many there are.
const Flushers = 3

// Sync makes everything written to a pool file durable. Any error means that the state is unknown (R6): it is of kind
// Unknown, and the call must not be repeated. Each caller that may run beside others is a [Flusher] of its own.
func (s *Set) Sync(class Class, epoch holdfast.Epoch, who Flusher) error {
	return failedSync(s.pools[class].file(epoch).flush[who].SyncData())
}

// syncDir makes the names in a directory durable.
func (s *Set) syncDir(dir string) error {
	d, err := s.opt.FS.OpenDir(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}

// failedSync gives the error of an fsync the kind that makes the engine drop the service (R6).
func failedSync(err error) error {
	if err == nil {
		return nil
	}
	return holdfast.E("pool.sync", holdfast.Unknown, fmt.Errorf("fsync: %w", err))
}

// ioError gives an error of the mount its kind.
func ioError(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case storage.IsNoSpace(err):
		return holdfast.E(op, holdfast.NoSpace, err)
	case holdfast.KindOf(err) != holdfast.Other:
		return err
	}
	return holdfast.E(op, holdfast.Unavailable, err)
}

// Adjacent reports whether the block at b is the n-th one behind a, in the same region.
func (s *Set) Adjacent(a Addr, n uint32, b Addr) bool {
	if a.Class != b.Class || a.File != b.File || a.Block+n != b.Block {
		return false
	}
	per := s.pools[a.Class].file(a.File).geo.regionBlocks
	return a.Block/per == b.Block/per
}
