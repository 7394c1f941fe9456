package volume

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"holdfast"
)

// What is read ahead of an object of several parts: the beginnings of the next parts, while the one before is being written out.
const (
	aheadParts = 4
	aheadBytes = 256 << 10 // of each
)

// piece is a range of one stored object; a zero link stands for zeros.
type piece struct {
	link   holdfast.Link
	off, n int64
}

// cut returns the pieces that hold the bytes [off, off+n) of a content.
func cut(c holdfast.Content, off, n int64) []piece {
	if n == 0 {
		return nil
	}
	if len(c.Parts) == 0 {
		return []piece{{c.Link, off, n}}
	}
	first, found := slices.BinarySearchFunc(c.Parts, off, func(p holdfast.Part, off int64) int {
		switch {
		case p.Offset+p.Size <= off:
			return -1
		case p.Offset > off:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	var pieces []piece
	for _, p := range c.Parts[first:] {
		if n == 0 {
			break
		}
		skip := off - p.Offset
		take := min(n, p.Size-skip)
		if take <= 0 {
			continue
		}
		pieces = append(pieces, piece{p.Link, p.From + skip, take})
		off, n = off+take, n-take
	}
	return pieces
}

// sink is where bytes go: it counts them and keeps the error of the writer behind it.
type sink struct {
	w   io.Writer
	n   int64
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.n += int64(n)
	if err != nil {
		s.err = err
	}
	return n, err
}

// write writes pieces to out, in order.
func (v *Volume) write(ctx context.Context, out *sink, pieces []piece) error {
	if len(pieces) <= 1 {
		for _, p := range pieces {
			return v.writePiece(ctx, out, p)
		}
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	if err := v.pin(ctx, pieces); err != nil {
		return err
	}
	wg.Go(func() { v.keepPinned(ctx, pieces) })

	heads := make([]*head, len(pieces))
	for i, p := range pieces {
		for j := i + 1; j < min(len(pieces), i+1+aheadParts); j++ {
			if heads[j] == nil {
				heads[j] = v.fetchHead(ctx, &wg, pieces[j])
			}
		}
		if h := heads[i]; h != nil {
			heads[i] = nil
			n, err := h.writeTo(out)
			if err != nil {
				return err
			}
			p.off, p.n = p.off+n, p.n-n
		}
		if err := v.writePiece(ctx, out, p); err != nil {
			return err
		}
	}
	return nil
}

// writePiece writes the bytes of one piece, going on where it stopped if its server fails in between.
func (v *Volume) writePiece(ctx context.Context, out *sink, p piece) error {
	if p.link.IsZero() {
		return writeZeros(out, p.n)
	}
	var pace pacer
	for p.n > 0 {
		s, err := v.router.services.ObjectServer(ctx, p.link.OS)
		if err == nil {
			var n int64
			n, err = s.Read(ctx, holdfast.ReadRequest{Object: p.link.Object, Offset: p.off, Length: p.n}, out)
			p.off, p.n = p.off+n, p.n-n
		}
		if err == nil && p.n > 0 {
			err = fail("read", holdfast.Corrupt, p.link.Object.String())
		}
		if err != nil && (out.err != nil || !pace.again(ctx, v.router, err)) {
			return err
		}
	}
	return nil
}

var zeros [32 << 10]byte

func writeZeros(w io.Writer, n int64) error {
	for n > 0 {
		m, err := w.Write(zeros[:min(n, int64(len(zeros)))])
		if err != nil {
			return err
		}
		n -= int64(m)
	}
	return nil
}

// head is the beginning of a piece on its way into memory.
type head struct {
	buf  *[aheadBytes]byte
	n    int
	done chan struct{}
}

var headBuffers = sync.Pool{New: func() any { return new([aheadBytes]byte) }}

// fetchHead begins to read the beginning of a piece.
func (v *Volume) fetchHead(ctx context.Context, wg *sync.WaitGroup, p piece) *head {
	h := &head{done: make(chan struct{})}
	p.n = min(p.n, aheadBytes)
	wg.Go(func() {
		defer close(h.done)
		if p.link.IsZero() || ctx.Err() != nil {
			return
		}
		h.buf = headBuffers.Get().(*[aheadBytes]byte)
		// What fails here is read again, with retries, when its turn comes.
		if s, err := v.router.services.ObjectServer(ctx, p.link.OS); err == nil {
			_, _ = s.Read(ctx, holdfast.ReadRequest{Object: p.link.Object, Offset: p.off, Length: p.n}, h)
		}
	})
	return h
}

// Write takes bytes of the piece.
func (h *head) Write(p []byte) (int, error) {
	n := copy(h.buf[h.n:], p)
	h.n += n
	if n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// writeTo waits for the bytes and writes them out.
func (h *head) writeTo(w io.Writer) (int64, error) {
	<-h.done
	if h.buf == nil {
		return 0, nil
	}
	defer headBuffers.Put(h.buf)
	n, err := w.Write(h.buf[:h.n])
	return int64(n), err
}

// pin keeps the objects of several pieces from going away while the earlier ones are written out.
func (v *Volume) pin(ctx context.Context, pieces []piece) error {
	byServer := make(map[holdfast.ServiceID][]holdfast.ObjectID)
	for _, p := range pieces {
		if !p.link.IsZero() {
			byServer[p.link.OS] = append(byServer[p.link.OS], p.link.Object)
		}
	}
	for id, objects := range byServer {
		for part := range slices.Chunk(objects, holdfast.MaxObjectIDs) {
			if err := v.pinOn(ctx, id, part); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *Volume) pinOn(ctx context.Context, id holdfast.ServiceID, objects []holdfast.ObjectID) error {
	var pace pacer
	for {
		s, err := v.router.services.ObjectServer(ctx, id)
		if err == nil {
			err = s.Pin(ctx, objects, holdfast.MaxPin)
		}
		if err == nil || !pace.again(ctx, v.router, err) {
			return err
		}
	}
}

// keepPinned renews the pins until ctx ends.
func (v *Volume) keepPinned(ctx context.Context, pieces []piece) {
	ticker := time.NewTicker(holdfast.MaxPin / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = v.pin(ctx, pieces) // a pin that cannot be renewed shows when its object is read
		}
	}
}

// piped turns something that writes into something to read from.
type piped struct {
	*io.PipeReader
	cancel context.CancelFunc
	done   chan struct{}
}

// newPiped runs write on a goroutine of its own until it ends or the reader is closed.
func newPiped(ctx context.Context, write func(context.Context, io.Writer) error) *piped {
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(ctx)
	p := &piped{PipeReader: r, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		w.CloseWithError(write(ctx, w)) // nil becomes io.EOF
	}()
	return p
}

// Close ends the writer and waits for it.
func (p *piped) Close() error {
	p.cancel()
	err := p.PipeReader.Close()
	<-p.done
	return err
}

// reader returns a reader of stored bytes whose name may not exist yet.
func (v *Volume) reader(ctx context.Context, c holdfast.Content, off, n int64) io.ReadCloser {
	return newPiped(ctx, func(ctx context.Context, w io.Writer) error {
		return v.write(ctx, &sink{w: w}, cut(c, off, n))
	})
}
