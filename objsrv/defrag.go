package objsrv

import (
	"context"
	"slices"

	"holdfast"
	"holdfast/objsrv/crc"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
	"holdfast/storage"
)

// DefragResult tells what a defragmentation did.
type DefragResult struct {
	Moved   int64 // bytes of blocks moved
	Punched int64 // bytes given back to the filesystem
	Files   int   // old pool files removed
}

// Bounds of one step of defragmentation, during which frees wait.
const (
	moveBlocks = 64
	moveBytes  = 8 << 20
	// defragRegions is how many regions of a class are emptied in one round.
	defragRegions = 16
)

// Defragment empties regions of which little is in use, gives the space of empty regions back to the filesystem, and removes
// files of older epochs that have become empty. It moves at most rate bytes per second; 0 means no limit.
//
// A block is moved like this: its data is copied and checked on the way, the copy gets its header, both are made durable,
// then the changed record is, and only then, when no reader is left, the old block is free.
func (e *Engine) Defragment(ctx context.Context, rate int64) (DefragResult, error) {
	var result DefragResult
	if err := e.enter(); err != nil {
		return result, err
	}
	defer e.leave()
	for class := range pool.Class(pool.Classes) {
		if err := e.defragClass(ctx, class, rate, &result); err != nil {
			return result, err
		}
	}
	if result != (DefragResult{}) {
		tell(e.opt.Events.DefragDone, result)
	}
	return result, nil
}

func (e *Engine) defragClass(ctx context.Context, class pool.Class, rate int64, result *DefragResult) error {
	e.commits.order.Lock()
	regions := e.set.Sparse(class, defragRegions)
	e.commits.order.Unlock()
	defer func() {
		for _, key := range regions {
			e.set.Reopen(key)
		}
	}()
	for _, key := range regions {
		if err := e.emptyRegion(ctx, key, rate, result); err != nil {
			return err
		}
	}
	for _, key := range regions {
		e.set.Reopen(key)
	}
	regions = nil
	if err := e.held(); err != nil { // R2
		return err
	}
	punched, err := e.set.PunchEmpty(class)
	result.Punched += punched
	e.metrics.punched.Add(float64(punched))
	if err != nil {
		return err
	}
	files, err := e.set.RemoveEmpty(class)
	result.Files += files
	return err
}

// emptyRegion moves what is in use in a region elsewhere, some at a time.
func (e *Engine) emptyRegion(ctx context.Context, key pool.RegionKey, rate int64, result *DefragResult) error {
	e.commits.order.Lock()
	blocks := e.set.InUse(key)
	e.commits.order.Unlock()
	atOnce := int(max(1, min(moveBlocks, moveBytes/key.Class.Size())))
	for some := range slices.Chunk(blocks, atOnce) {
		if err := e.held(); err != nil { // R2
			return err
		}
		n, err := e.moveSome(some)
		result.Moved += n
		e.metrics.moved.Add(float64(n))
		if err != nil {
			return err
		}
		if err := pace(ctx, n, rate); err != nil {
			return err
		}
	}
	return nil
}

// move is a block that gets another place.
type move struct {
	id       holdfast.ObjectID
	record   *index.Record // shared by the moves of one object
	block    int
	old, new pool.Addr
}

// moveSome moves blocks of one region. Those whose object cannot be told from the header, or whose bytes are bad, stay.
func (e *Engine) moveSome(blocks []pool.Addr) (int64, error) {
	e.changing.Lock()
	defer e.changing.Unlock()
	moves := e.planMoves(blocks)
	if len(moves) == 0 {
		return 0, nil
	}
	moves, err := e.copyBlocks(moves)
	if err == nil && len(moves) > 0 {
		err = e.commitMoves(moves)
	}
	if err != nil {
		return 0, err
	}
	return int64(len(moves)) * blocks[0].Class.Size(), nil
}

// planMoves finds the objects of the blocks by their headers. While changing is held their records do not change.
func (e *Engine) planMoves(blocks []pool.Addr) []move {
	records := make(map[holdfast.ObjectID]*index.Record)
	var moves []move
	for _, a := range blocks {
		h, found, err := e.set.ReadHeader(a)
		if err != nil || !found {
			continue // scrub reports it
		}
		r := records[h.Object]
		if r == nil {
			r = new(index.Record)
			if e.index.Get(h.Object, r) != nil || e.index.LoadSums(h.Object, r) != nil {
				continue // freed, or never committed
			}
			records[h.Object] = r
		}
		if i := slices.Index(r.Blocks, a); i >= 0 {
			moves = append(moves, move{id: h.Object, record: r, block: i, old: a})
		}
	}
	return moves
}

// copyBlocks copies data and headers of the moves to new blocks and returns those that could be. On an error it has
// given the new blocks back.
func (e *Engine) copyBlocks(moves []move) ([]move, error) {
	var done []move
	buf := storage.AlignedBuffer(int(moves[0].old.Class.Size()))
	for _, m := range moves {
		length := m.record.BlockLength(m.block)
		if e.set.ReadData(m.old, 0, buf[:length]) != nil || !sumsMatch(buf[:length], m.record.BlockSums(m.block)) {
			continue // scrub reports it
		}
		runs, err := e.alloc(m.old.Class, 1, nil)
		if err != nil {
			e.undoMoves(done)
			return nil, err
		}
		m.new = runs[0].Addr
		if err := e.copyBlock(m, buf, length); err != nil {
			if holdfast.Is(err, holdfast.NoSpace) {
				e.set.Release(m.new)
			}
			e.undoMoves(done)
			return nil, err
		}
		done = append(done, m)
	}
	return done, nil
}

func (e *Engine) copyBlock(m move, buf []byte, length int64) error {
	page := (length + storage.DirectAlign - 1) / storage.DirectAlign * storage.DirectAlign
	clear(buf[length:page])
	if err := e.set.WriteData(m.new, 0, buf[:page], true); err != nil {
		return err
	}
	h := e.header(piece{&change{id: m.id, record: m.record}, m.block, m.record.BlockOffset(m.block)})
	return e.set.WriteHeaders(m.new, e.set.AppendHeader(nil, m.new, &h))
}

func sumsMatch(data []byte, sums []uint32) bool {
	for i, sum := range sums {
		from := i * pool.SubBlock
		if crc.Sum(data[from:min(len(data), from+pool.SubBlock)]) != sum {
			return false
		}
	}
	return true
}

// undoMoves gives back blocks that no record refers to yet.
func (e *Engine) undoMoves(moves []move) {
	for _, m := range moves {
		e.set.Release(m.new)
	}
}

// commitMoves makes the copies durable, then the changed records, and lets the old blocks go. Here, unlike in a
// create, data comes first: a record whose data never landed would not be an orphan, but a loss.
func (e *Engine) commitMoves(moves []move) error {
	synced := make(map[holdfast.Epoch]bool)
	for _, m := range moves {
		if !synced[m.new.File] {
			synced[m.new.File] = true
			if err := e.set.Sync(m.new.Class, m.new.File, moveFlusher); err != nil {
				return e.lose(err) // R6
			}
		}
	}
	applied := false
	ch := &change{apply: func(b *index.Batch, bits *pool.Change, _ *index.Counters) error {
		for _, m := range moves {
			m.record.Blocks[m.block] = m.new
			bits.Use(m.new)
			bits.Drop(m.old)
		}
		for _, m := range moves {
			b.Replace(m.id, m.record)
		}
		applied = true
		return nil
	}}
	err := e.commits.submit(ch)
	if holdfast.Is(err, holdfast.Unknown) {
		return err // the service is lost; nothing is used again
	}
	if !applied {
		e.undoMoves(moves)
		return err
	}
	for _, m := range moves {
		e.unconfirmed = append(e.unconfirmed, e.pins.gone(m.id, nil, []pool.Addr{m.old})...)
	}
	if err == nil {
		e.set.Release(e.unconfirmed...) // R3
		e.unconfirmed = nil
	}
	return err
}
