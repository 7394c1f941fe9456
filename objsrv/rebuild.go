package objsrv

import (
	"context"
	"errors"

	"holdfast"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
)

// RebuildReport tells what a rebuild made of the headers.
type RebuildReport struct {
	Headers    int64 // sound headers
	BadHeaders int64 // slots that hold something else
	Objects    int64 // objects whose blocks are all there
	Bytes      int64
	Incomplete int64 // objects of which a block is missing: freed and partly used again, never finished, or lost
	Duplicates int64 // blocks that another one of the same place in the same object was preferred to
}

// rebuildBatch is how many bytes of index changes are made durable at a time.
const rebuildBatch = 1 << 20

// Rebuild makes the index anew in Options.StoreDir, which must not exist, from the headers of the blocks, when the old one is
// lost. The service must not be running; the pool files are only read. Of the options, Self, FS, Dir, StoreDir,
// Fence and those of memory matter.
//
// Headers do not know that an object was freed, so freed objects come back until names are compared with bytes: the
// caller does that next, and frees what no name links to (R5). For the same reason all objects count as settled: a name
// server may have forgotten a fate it told once, and would doom what is committed.
func Rebuild(ctx context.Context, opt Options) (RebuildReport, error) {
	opt = opt.withDefaults()
	var report RebuildReport
	set, err := pool.Open(pool.Options{
		FS: opt.FS, Dir: opt.FS.PathJoin(opt.Dir, "pools"), Self: opt.Self, Own: opt.Fence.Epoch(), Now: opt.Now, NoDirect: true,
	})
	if err != nil {
		return report, err
	}
	defer set.CloseIdle()
	store, err := index.Open(index.Options{
		FS: opt.FS, Dir: opt.StoreDir, Self: opt.Self, Create: true, Fence: opt.Fence, CacheBytes: opt.IndexCacheBytes, Log: opt.Logger,
	})
	if err != nil {
		return report, err
	}
	r := rebuilder{set: set, store: store, report: &report, bits: map[pool.RegionKey][]uint64{}}
	err = r.run(ctx)
	return report, errors.Join(err, store.Close())
}

type rebuilder struct {
	set      *pool.Set
	store    *index.Store
	report   *RebuildReport
	bits     map[pool.RegionKey][]uint64
	counters index.Counters
	last     holdfast.ObjectID
}

// run gathers the headers, sorted by object in the new store itself, so that memory does not grow with the number of
// objects; then it puts the objects together.
func (r *rebuilder) run(ctx context.Context) error {
	if err := r.gather(ctx); err != nil {
		return err
	}
	batch := r.store.NewBatch()
	err := r.store.EachFound(func(id holdfast.ObjectID, blocks []index.Found) error {
		if ctx.Err() != nil {
			return holdfast.E("objsrv.rebuild", holdfast.Aborted, ctx.Err())
		}
		rec := r.assemble(blocks)
		if rec == nil {
			r.report.Incomplete++
			return nil
		}
		r.use(id, rec)
		batch.Put(id, rec)
		return r.flush(batch, rebuildBatch)
	})
	if err != nil {
		return err
	}
	for key, words := range r.bits {
		batch.Bitmap(key, pool.AppendBits(nil, words))
	}
	batch.Counters(r.counters)
	batch.Settled(r.last)
	batch.DropFound()
	return r.flush(batch, 0)
}

func (r *rebuilder) flush(batch *index.Batch, least int) error {
	if batch.Len() < least {
		return nil
	}
	return r.store.Commit(batch)
}

func (r *rebuilder) gather(ctx context.Context) error {
	batch := r.store.NewBatch()
	err := r.set.Headers(ctx, func(a pool.Addr, h *pool.Header) error {
		r.report.Headers++
		batch.AddFound(&index.Found{Addr: a, Header: *h})
		return r.flush(batch, rebuildBatch)
	}, func(pool.Addr, error) { r.report.BadHeaders++ })
	if err != nil {
		return err
	}
	return r.flush(batch, 0)
}

// assemble makes a record of the blocks of an object, or returns nil if one is missing. Of two blocks for the same bytes
// (the object was moved) the one whose data is right is taken, of two right ones the later.
func (r *rebuilder) assemble(blocks []index.Found) *index.Record {
	first := blocks[0].Header
	rec := &index.Record{Home: first.Home, Size: first.Size, Created: first.Created}
	for at := int64(0); at < rec.Size; {
		var same []index.Found
		for len(blocks) > 0 && blocks[0].Header.Offset <= at {
			if h := blocks[0].Header; h.Offset == at && h.Size == rec.Size && h.Home == rec.Home {
				same = append(same, blocks[0])
			}
			blocks = blocks[1:]
		}
		best := r.choose(same)
		if best == nil {
			return nil
		}
		rec.Blocks = append(rec.Blocks, best.Addr)
		rec.Sums = append(rec.Sums, best.Header.Sums...)
		at += best.Header.Length
		if at < rec.Size && best.Header.Length != best.Addr.Class.Size() {
			return nil // only the last block of an object is not full
		}
	}
	rec.CRC = rec.JoinSums()
	return rec
}

// choose picks one of the blocks that claim the same bytes. A single one is taken unread: if its data is bad, reading the
// object will say so.
func (r *rebuilder) choose(same []index.Found) *index.Found {
	switch len(same) {
	case 0:
		return nil
	case 1:
		return &same[0]
	}
	r.report.Duplicates += int64(len(same) - 1)
	best := &same[0]
	var buf []byte
	good := false
	for i := range same {
		f := &same[i]
		buf = append(buf[:0], make([]byte, f.Header.Length)...)
		sound := r.set.ReadData(f.Addr, 0, buf) == nil && sumsMatch(buf, f.Header.Sums)
		if sound && (!good || f.Header.Writer > best.Header.Writer) {
			best, good = f, true
		}
	}
	return best
}

// use counts the object and marks its blocks.
func (r *rebuilder) use(id holdfast.ObjectID, rec *index.Record) {
	r.last = id
	r.counters.Objects++
	r.counters.Bytes += rec.Size
	r.report.Objects++
	r.report.Bytes += rec.Size
	for _, a := range rec.Blocks {
		key, bit, _ := r.set.Locate(a) // the header came from there
		words := r.bits[key]
		for len(words) <= int(bit/64) {
			words = append(words, 0)
		}
		words[bit/64] |= 1 << (bit % 64)
		r.bits[key] = words
	}
}
