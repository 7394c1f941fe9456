package objsrv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"holdfast"
	"holdfast/objsrv/crc"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
)

// readChunk is how much a read of a big range brings into memory at a time: small enough to be still in the
// processor's cache when it is checked and passed on.
const readChunk = 256 << 10

// Read implements [holdfast.ObjectService].
func (e *Engine) Read(ctx context.Context, req holdfast.ReadRequest, w io.Writer) (int64, error) {
	if err := e.enter(); err != nil {
		return 0, err
	}
	defer e.leave()
	started := time.Now()
	n, err := e.read(ctx, req, w)
	e.metrics.read(n, time.Since(started), err)
	return n, err
}

func (e *Engine) read(ctx context.Context, req holdfast.ReadRequest, w io.Writer) (int64, error) {
	if err := e.held(); err != nil { // R2
		return 0, err
	}
	r, err := e.open(req.Object)
	defer e.letGo(req.Object)
	if err != nil {
		return 0, err
	}
	if req.Offset < 0 || req.Length < 0 || req.Offset > r.Size || req.Length > r.Size-req.Offset {
		return 0, readError(holdfast.Invalid, req.Object, fmt.Errorf("[%d,+%d) of %d bytes", req.Offset, req.Length, r.Size))
	}
	rd := reader{e: e, ctx: ctx, id: req.Object, record: r, w: w}
	return rd.run(req.Offset, req.Length)
}

func readError(kind holdfast.Kind, id holdfast.ObjectID, err error) error {
	return &holdfast.Error{Op: "objsrv.read", Kind: kind, ID: id.String(), Err: err}
}

// open counts a reader of the object and returns its record. letGo must follow, also after an error.
func (e *Engine) open(id holdfast.ObjectID) (*index.Record, error) {
	r, gen := e.pins.hold(id)
	if r != nil {
		e.metrics.cacheHits.Inc()
		return r, nil
	}
	e.metrics.cacheMisses.Inc()
	r = new(index.Record)
	if err := e.index.Get(id, r); err != nil {
		if holdfast.Is(err, holdfast.NotFound) {
			return nil, readError(holdfast.NotFound, id, nil)
		}
		return nil, err
	}
	e.pins.remember(id, r, gen)
	return r, nil
}

func (e *Engine) letGo(id holdfast.ObjectID) {
	if blocks := e.pins.letGo(id); blocks != nil {
		e.set.Release(blocks...)
	}
}

// reader writes a range of an object to w.
type reader struct {
	e       *Engine
	ctx     context.Context
	id      holdfast.ObjectID
	record  *index.Record
	w       io.Writer
	written int64
}

func (rd *reader) run(off, n int64) (int64, error) {
	end := off + n
	var start int64 // of the block, in the object
	for i, a := range rd.record.Blocks {
		if start >= end {
			break
		}
		if next := start + a.Class.Size(); next > off {
			length := rd.record.BlockLength(i)
			if err := rd.block(i, start, max(off-start, 0), min(end-start, length)); err != nil {
				return rd.written, err
			}
		}
		start += a.Class.Size()
	}
	return rd.written, nil
}

// block writes bytes [from, to) of block i, which begins at start in the object. Whole sub-blocks are read and checked.
func (rd *reader) block(i int, start, from, to int64) error {
	length := rd.record.BlockLength(i)
	sums := rd.record.Sums
	if sums == nil {
		var err error
		if sums, err = rd.e.index.Sums(rd.id, rd.record, i); err != nil {
			return err
		}
	} else {
		sums = rd.record.BlockSums(i)
	}
	for from < to {
		first := from / pool.SubBlock * pool.SubBlock
		last := min(first+readChunk, length, (to+pool.SubBlock-1)/pool.SubBlock*pool.SubBlock)
		if err := rd.chunk(i, start, first, last, from, min(to, last), sums); err != nil {
			return err
		}
		from = last
	}
	return nil
}

// chunk reads sub-blocks [first, last) of block i, checks them and writes [from, to) of them.
func (rd *reader) chunk(i int, start, first, last, from, to int64, sums []uint32) error {
	if rd.written > 0 && rd.ctx.Err() != nil {
		return readError(holdfast.Aborted, rd.id, rd.ctx.Err())
	}
	buf := rd.e.getRead(last - first)
	defer rd.e.putRead(last-first, buf)
	data := (*buf)[:last-first]
	err := rd.e.set.ReadData(rd.record.Blocks[i], first, data)
	if err == nil {
		err = rd.e.serving() // R2: what was read counts only if the service was still ours after it
	}
	good := last // where in the block checked bytes end
	if err == nil {
		for at := first; at < last; at += pool.SubBlock {
			if crc.Sum(data[at-first:min(at+pool.SubBlock, last)-first]) != sums[at/pool.SubBlock] {
				good, err = at, rd.corrupt(i, start+at)
				break
			}
		}
	} else {
		good = first
		if holdfast.Is(err, holdfast.Corrupt) {
			err = rd.corrupt(i, start+first)
		}
	}
	if good = min(good, to); good > from {
		n, writeErr := rd.w.Write(data[from-first : good-first])
		rd.written += int64(n)
		if writeErr != nil {
			return writeErr
		}
	}
	return err
}

var errChecksum = errors.New("checksum of stored bytes")

// corrupt makes the error for bytes that failed their check. If the epoch is over it says that instead: the successor may
// have used the block again.
func (rd *reader) corrupt(i int, off int64) error {
	if err := rd.e.opt.Fence.Confirm(); err != nil {
		return err
	}
	rd.e.metrics.corrupt.Inc()
	err := readError(holdfast.Corrupt, rd.id, errChecksum)
	tell(rd.e.opt.Events.Corrupt, CorruptInfo{Object: rd.id, Block: rd.record.Blocks[i], Offset: off, Err: err})
	return err
}

// getRead returns a buffer for n ≤ readChunk bytes.
func (e *Engine) getRead(n int64) *[]byte {
	if n <= smallObject {
		return e.pieces.get(n)
	}
	if b, ok := e.reads.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, readChunk)
	return &b
}

func (e *Engine) putRead(n int64, b *[]byte) {
	if n <= smallObject {
		e.pieces.put(n, b)
		return
	}
	e.reads.Put(b)
}
