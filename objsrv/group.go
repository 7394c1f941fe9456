package objsrv

import (
	"sync"

	"holdfast"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
	"holdfast/storage"
)

// group is one round of flushes and the changes that share it.
//
// The sequence, each step after the one before unless it says otherwise:
//
//  1. R2: the lease and the fence flag are looked at.
//  2. Small objects get blocks, neighbours where possible, and are written: data, then headers, one pwrite per run.
//  3. One index batch: records, bitmaps, counters. It is applied; its log write starts.
//  4. fdatasync of every pool file written to, and the sync of the index's log, in parallel.
//  5. R1: one forced read of the fence.
//  6. Every caller gets its answer.
//
// A crash between 3 and 4 may leave a record without data: an object nobody was told of, which the sweep frees.
type group struct {
	c       *committer
	n       int // of the committer
	changes []*change

	pieces   [pool.Classes][]piece
	streamed []piece // blocks whose data the callers wrote
	runs     []pool.Run
	data     []byte // aligned
	headers  []byte
	files    []fileKey
}

// piece is a block to be written for a change.
type piece struct {
	ch    *change
	block int   // its number in the record
	from  int64 // where in the data it begins
}

// groupBuffer is how much one write of neighbouring blocks covers.
const groupBuffer = 512 << 10

func (g *group) reset() {
	clear(g.changes)
	g.changes = g.changes[:0]
	for c := range g.pieces {
		clear(g.pieces[c])
		g.pieces[c] = g.pieces[c][:0]
	}
	g.files = g.files[:0]
}

func (g *group) run() {
	e := g.c.e
	if err := e.held(); err != nil { // R2
		for _, ch := range g.changes {
			ch.err = err
		}
	}
	g.place()
	g.describe()
	if !g.pending() {
		g.finish(nil)
		return
	}
	batch, err := g.apply()
	if err != nil {
		g.finish(e.lose(err))
		return
	}
	if err := g.flush(batch); err != nil {
		g.finish(e.lose(err)) // R6
		return
	}
	g.finish(e.opt.Fence.Confirm()) // R1
}

// pending reports whether a change of the group has not failed yet.
func (g *group) pending() bool {
	for _, ch := range g.changes {
		if ch.err == nil {
			return true
		}
	}
	return false
}

// finish answers everybody: with their own error, or with the group's.
func (g *group) finish(err error) {
	g.c.landed(g.n)
	for _, ch := range g.changes {
		if ch.err != nil {
			g.c.e.abandon(ch)
			ch.done <- ch.err
			continue
		}
		ch.done <- err
	}
}

// place gives the small objects of the group their blocks and writes them.
func (g *group) place() {
	for _, ch := range g.changes {
		if ch.err != nil {
			continue
		}
		var from int64
		for i, class := range ch.classes {
			g.pieces[class] = append(g.pieces[class], piece{ch, i, from})
			from += class.Size()
		}
		if len(ch.classes) > 0 {
			ch.record.Blocks = make([]pool.Addr, len(ch.classes))
		}
	}
	for class := range pool.Class(pool.Classes) {
		if len(g.pieces[class]) > 0 {
			g.placeClass(class)
		}
	}
}

func (g *group) placeClass(class pool.Class) {
	pieces := g.pieces[class]
	runs, err := g.c.e.alloc(class, len(pieces), g.runs[:0])
	g.runs = runs[:0]
	if err != nil {
		for _, p := range pieces {
			p.ch.err = err
		}
		return
	}
	for _, run := range runs {
		for i := range run.N { // runs hold exactly as many blocks as there are pieces
			pieces[i].ch.record.Blocks[pieces[i].block] = run.At(i)
		}
		g.wrote(run.Addr)
		if err := g.write(run, pieces[:run.N]); err != nil {
			for i := range run.N {
				pieces[i].ch.failWrite(err, run.At(i))
			}
		}
		pieces = pieces[run.N:]
	}
}

// failWrite records that a write to the block at a failed. Unless the mount said that there is no space, the
// write may still land, so the block stays poisoned.
func (ch *change) failWrite(err error, a pool.Addr) {
	if ch.err == nil {
		ch.err = err
	}
	if !holdfast.Is(err, holdfast.NoSpace) {
		ch.poison = append(ch.poison, a)
	}
}

// wrote remembers that the file of the block at a must be made durable.
func (g *group) wrote(a pool.Addr) {
	key := fileKey{a.Class, a.File}
	for _, f := range g.files {
		if f == key {
			return
		}
	}
	g.files = append(g.files, key)
}

// write writes the data of neighbouring blocks, in as few calls as the buffer allows.
func (g *group) write(run pool.Run, pieces []piece) error {
	size := run.Class.Size()
	if len(pieces) == 1 {
		return g.writeOne(run.Addr, pieces[0])
	}
	if g.data == nil {
		g.data = storage.AlignedBuffer(groupBuffer)
	}
	perWrite := int(groupBuffer / size)
	for at := 0; at < len(pieces); at += perWrite {
		part := pieces[at:min(len(pieces), at+perWrite)]
		buf := g.data[:int64(len(part))*size]
		for i, p := range part {
			slot := buf[int64(i)*size : int64(i+1)*size]
			n := copy(slot, p.ch.data[p.from:])
			clear(slot[n:])
		}
		if err := g.c.e.set.WriteData(run.At(uint32(at)), 0, buf, false); err != nil {
			return err
		}
	}
	return nil
}

// writeOne writes a single block from the caller's buffer, up to the end of its last page.
func (g *group) writeOne(a pool.Addr, p piece) error {
	data := p.ch.data[p.from:]
	if int64(len(data)) > a.Class.Size() {
		data = data[:a.Class.Size()]
	} else if rest := len(data) % storage.DirectAlign; rest != 0 {
		used := len(data)
		data = data[:used+storage.DirectAlign-rest]
		clear(data[used:])
	}
	return g.c.e.set.WriteData(a, 0, data, false)
}

// describe writes the headers of all new blocks, neighbours together.
func (g *group) describe() {
	for class := range g.pieces {
		g.describePieces(g.pieces[class])
	}
	g.streamed = g.streamed[:0]
	for _, ch := range g.changes {
		if ch.record == nil || len(ch.classes) > 0 {
			continue
		}
		var from int64
		for i, a := range ch.record.Blocks {
			g.wrote(a)
			g.streamed = append(g.streamed, piece{ch, i, from})
			from += a.Class.Size()
		}
	}
	g.describePieces(g.streamed)
	clear(g.streamed)
}

func (g *group) describePieces(pieces []piece) {
	e := g.c.e
	for len(pieces) > 0 {
		first := pieces[0]
		if first.ch.err != nil {
			pieces = pieces[1:]
			continue
		}
		a := first.ch.record.Blocks[first.block]
		g.headers = g.headers[:0]
		n := 0
		for n < len(pieces) && pieces[n].ch.err == nil {
			p := pieces[n]
			if at := p.ch.record.Blocks[p.block]; n > 0 && !e.set.Adjacent(a, uint32(n), at) {
				break
			}
			h := e.header(p)
			g.headers = e.set.AppendHeader(g.headers, p.ch.record.Blocks[p.block], &h)
			n++
		}
		if err := e.set.WriteHeaders(a, g.headers); err != nil {
			for _, p := range pieces[:n] {
				p.ch.failWrite(err, p.ch.record.Blocks[p.block])
			}
		}
		pieces = pieces[n:]
	}
}

func (e *Engine) header(p piece) pool.Header {
	r := p.ch.record
	return pool.Header{
		Object: p.ch.id, Home: r.Home, Size: r.Size, Offset: p.from, Length: r.BlockLength(p.block),
		Created: r.Created, Writer: e.epoch, Sums: r.BlockSums(p.block),
	}
}

// apply builds the batch of the group and applies it.
func (g *group) apply() (*index.Batch, error) {
	c := g.c
	batch := c.e.index.NewBatch()
	c.order.Lock()
	defer c.order.Unlock()
	for _, ch := range g.changes {
		switch {
		case ch.err != nil:
		case ch.record != nil:
			batch.Put(ch.id, ch.record)
			for _, a := range ch.record.Blocks {
				c.bits.Use(a)
			}
			c.counters.Objects++
			c.counters.Bytes += ch.record.Size
		default:
			ch.err = ch.apply(batch, c.bits, &c.counters)
		}
	}
	c.bits.Rows(batch.Bitmap)
	batch.Counters(c.counters)
	return batch, c.e.index.Apply(batch)
}

// flush makes the group durable: the pool files and the index's log in parallel.
func (g *group) flush(batch *index.Batch) error {
	var wg sync.WaitGroup
	errs := make([]error, len(g.files))
	for i, f := range g.files {
		if i == 0 {
			continue // done here, so that the common case starts no goroutine
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = g.c.e.set.Sync(f.class, f.epoch, pool.Flusher(g.n))
		}()
	}
	if len(g.files) > 0 {
		errs[0] = g.c.e.set.Sync(g.files[0].class, g.files[0].epoch, pool.Flusher(g.n))
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return batch.Wait()
}
