package objsrv

import (
	"context"
	"fmt"
	"io"

	"holdfast"
	"holdfast/objsrv/crc"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
	"holdfast/storage"
)

// upload streams a big body into blocks. The caller's goroutine reads and sums up; a second one writes, so that the two
// overlap; both work on a fixed set of buffers taken from the budget. The body is worked off in segments of 8 MiB: if its
// length is known, a segment's blocks are allocated before it is read, else after.
type upload struct {
	e      *Engine
	ctx    context.Context
	body   io.Reader
	size   int64 // -1: not known
	record *index.Record

	free   chan []byte // buffers to read into
	jobs   chan job
	failed chan error // the writer's outcome, once
	poison []pool.Addr
}

// job is a buffer for the writer.
type job struct {
	buf    []byte // given back to free
	places []place
}

// place says where a part of a buffer goes.
type place struct {
	addr pool.Addr
	off  int64 // in the block
	data []byte
}

// createBig streams prefix and then body.
func (e *Engine) createBig(ctx context.Context, req holdfast.CreateRequest, prefix []byte, body io.Reader) (holdfast.Link, error) {
	chunk, count := e.budget.chunkSize(), int64(uploadChunks)
	if req.Size < 0 {
		count += (pool.MaxBlock + chunk - 1) / chunk // a whole segment is read before it is written
	} else if req.Size <= chunk {
		count = 1
	}
	if err := e.budget.take(ctx, chunk*count); err != nil {
		return holdfast.Link{}, err
	}
	defer e.budget.give(chunk * count)
	if len(prefix) > 0 {
		body = io.MultiReader(&prefixReader{prefix}, body)
	}
	u := &upload{
		e: e, ctx: ctx, body: body, size: req.Size,
		record: &index.Record{Home: req.Home, Created: e.now()},
		free:   make(chan []byte, count),
		jobs:   make(chan job, count),
		failed: make(chan error, 1),
	}
	for range count {
		u.free <- e.budget.getChunk(chunk)
	}
	err := u.run()
	for range count {
		e.budget.putChunk(<-u.free)
	}
	ch := &change{record: u.record, poison: u.poison}
	if err != nil {
		e.abandon(ch)
		return holdfast.Link{}, err
	}
	u.record.Created = e.now() // the guard's time runs from the end of the body
	return e.commitObject(ch)
}

// prefixReader reads bytes that were read before. (A bytes.Reader would be copied by io.Copy in one go, past the caller.)
type prefixReader struct{ rest []byte }

func (r *prefixReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// run reads the body to its end and has it written. When it returns, no write is under way and all buffers are in free.
func (u *upload) run() error {
	go u.write()
	err := u.segments()
	close(u.jobs)
	if writeErr := <-u.failed; err == nil {
		err = writeErr
	}
	if err == nil {
		u.record.CRC = u.record.JoinSums()
	}
	return err
}

// segments works off the body.
func (u *upload) segments() error {
	for {
		ended, err := u.segment()
		if err != nil {
			return err
		}
		if ended {
			break
		}
		if u.record.Size > holdfast.MaxObjectSize {
			return createError(holdfast.TooLarge, nil)
		}
	}
	if u.size >= 0 && u.record.Size != u.size {
		return createError(holdfast.Aborted, fmt.Errorf("the body has %d of %d bytes", u.record.Size, u.size))
	}
	return nil
}

// segment reads up to 8 MiB.
func (u *upload) segment() (ended bool, err error) {
	want := int64(pool.MaxBlock)
	var blocks []pool.Addr
	if u.size >= 0 {
		if want = min(want, u.size-u.record.Size); want == 0 {
			return true, u.expectEnd()
		}
		if blocks, err = u.place(want); err != nil {
			return false, err
		}
	}
	var held []job // read but not placed yet
	var at int64   // in the segment
	for at < want && !ended {
		var j job
		if j.buf, err = u.buffer(); err != nil {
			return false, u.giveBack(held, err)
		}
		n, end, err := readFull(u.body, j.buf[:min(int64(len(j.buf)), want-at)])
		if err != nil {
			return false, u.giveBack(append(held, j), err)
		}
		ended = end
		j.places = append(j.places, place{data: j.buf[:n]})
		if blocks != nil {
			u.send(j, blocks, at)
		} else {
			held = append(held, j)
		}
		at += int64(n)
	}
	if blocks == nil && at > 0 {
		if blocks, err = u.place(at); err != nil {
			return false, u.giveBack(held, err)
		}
		var from int64
		for _, j := range held {
			n := len(j.places[0].data)
			u.send(j, blocks, from)
			from += int64(n)
		}
		held = nil
	}
	u.record.Size += at
	return ended, u.giveBack(held, nil)
}

func (u *upload) giveBack(jobs []job, err error) error {
	for _, j := range jobs {
		u.free <- j.buf[:cap(j.buf)]
	}
	return err
}

// expectEnd sees to it that a body of known length ends there.
func (u *upload) expectEnd() error {
	var one [1]byte
	n, _, err := readFull(u.body, one[:])
	if err != nil {
		return err
	}
	if n > 0 {
		return createError(holdfast.Aborted, fmt.Errorf("the body has more than %d bytes", u.size))
	}
	return nil
}

// buffer waits for a free buffer; the writer gives them back even after an error.
func (u *upload) buffer() ([]byte, error) {
	if u.ctx.Err() != nil {
		return nil, createError(holdfast.Aborted, u.ctx.Err())
	}
	if err := u.e.serving(); err != nil { // R2: an upload lasts long
		return nil, err
	}
	select {
	case b := <-u.free:
		return b, nil
	case <-u.ctx.Done():
		return nil, createError(holdfast.Aborted, u.ctx.Err())
	}
}

// place allocates the blocks of a segment of n bytes and adds them to the record.
func (u *upload) place(n int64) ([]pool.Addr, error) {
	first := len(u.record.Blocks)
	for _, class := range pool.Cut(nil, n) {
		runs, err := u.e.alloc(class, 1, nil)
		if err != nil {
			return nil, err
		}
		u.record.Blocks = append(u.record.Blocks, runs[0].Addr)
	}
	return u.record.Blocks[first:len(u.record.Blocks):len(u.record.Blocks)], nil
}

// send sums up a buffer whose only place has its data, spreads it over the blocks from offset at of the segment, and
// gives it to the writer.
func (u *upload) send(j job, blocks []pool.Addr, at int64) {
	data := j.places[0].data
	j.places = j.places[:0]
	for _, a := range blocks {
		size := a.Class.Size()
		if at >= size {
			at -= size
			continue
		}
		n := min(int64(len(data)), size-at)
		if n == 0 {
			break
		}
		for from := int64(0); from < n; from += pool.SubBlock {
			u.record.Sums = append(u.record.Sums, crc.Sum(data[from:min(n, from+pool.SubBlock)]))
		}
		j.places = append(j.places, place{a, at, padded(data[:n], int64(len(data)) > n)})
		data, at = data[n:], 0
	}
	u.jobs <- j
}

// padded extends the last part of a buffer with zeros to the end of its page. Parts before the last fill their blocks.
func padded(data []byte, more bool) []byte {
	rest := len(data) % storage.DirectAlign
	if more || rest == 0 {
		return data
	}
	used := len(data)
	data = data[:used+storage.DirectAlign-rest]
	clear(data[used:])
	return data
}

// write is the second goroutine. After an error it only gives buffers back.
func (u *upload) write() {
	var first error
	for j := range u.jobs {
		for _, p := range j.places {
			if first != nil {
				break
			}
			if first = u.e.set.WriteData(p.addr, p.off, p.data, true); first != nil && !holdfast.Is(first, holdfast.NoSpace) {
				u.poison = append(u.poison, p.addr)
			}
		}
		u.free <- j.buf[:cap(j.buf)]
	}
	u.failed <- first
}
