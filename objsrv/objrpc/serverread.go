package objrpc

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"

	"holdfast"
	"holdfast/objsrv/objrpc/objectpb"
)

var errNotOneFrame = errors.New("range is longer than a frame")

// read answers Read and ReadWhole: it runs the read into frames and returns the last one, or the error of the
// transport that broke the stream.
func (s *Server) read(ctx context.Context, r *objectpb.ReadRequest, stream grpc.ServerStream) (*outFrame, error) {
	svc, err := s.service(r.GetService())
	if err == nil && stream == nil && r.GetLength() > FrameData {
		err = invalid(errNotOneFrame)
	}
	if err != nil {
		return newLastReadFrame(0, err, nil), nil
	}
	w := &frameWriter{stream: stream, pool: &s.pool, left: r.GetLength()}
	_, err = svc.Read(ctx, holdfast.ReadRequest{
		Object: holdfast.ObjectID{Epoch: holdfast.Epoch(r.GetEpoch()), Counter: r.GetCounter()},
		Offset: r.GetOffset(),
		Length: r.GetLength(),
	}, w)
	if w.err != nil {
		w.drop()
		return nil, w.err
	}
	return newLastReadFrame(w.total, err, w.take()), nil
}

// readStream answers Read.
func (s *Server) readStream(stream grpc.ServerStream) error {
	r := new(objectpb.ReadRequest)
	if err := stream.RecvMsg(r); err != nil {
		return err
	}
	last, err := s.read(stream.Context(), r, stream)
	if err != nil {
		return err
	}
	return stream.SendMsg(last)
}

// frameWriter gathers what is written to it into frames and sends each that is full. The last, perhaps
// incomplete one stays for the caller to take, so that it can carry the outcome. SendMsg waits for the client's
// window, so a slow client slows the read down instead of filling memory.
type frameWriter struct {
	stream grpc.ServerStream // nil: there is only the last frame
	pool   *framePool
	left   int64 // bytes of the range still to come, to choose the size of the next buffer

	buf   *[]byte // the frame being filled, nil if nothing is in it
	total int64   // bytes accepted
	err   error   // of the stream; sticky
}

// Write copies p: the buffer is the writer's caller's again on return.
func (w *frameWriter) Write(p []byte) (int, error) {
	n := 0
	for n < len(p) && w.err == nil {
		if w.buf != nil && len(*w.buf) == cap(*w.buf) {
			w.flush()
			continue
		}
		if w.buf == nil {
			w.buf = w.pool.Get(int(max(1, min(w.left, FrameData))))
			*w.buf = (*w.buf)[:0]
		}
		step := min(cap(*w.buf)-len(*w.buf), len(p)-n)
		*w.buf = append(*w.buf, p[n:n+step]...)
		n += step
		w.left -= int64(step)
	}
	w.total += int64(n)
	return n, w.err
}

// flush sends the full frame.
func (w *frameWriter) flush() {
	if w.stream == nil {
		w.err = errNotOneFrame
		return
	}
	w.err = w.stream.SendMsg(newReadFrame(w.take()))
}

// take hands out what is gathered and not sent, nil if there is nothing.
func (w *frameWriter) take() mem.Buffer {
	if w.buf == nil {
		return nil
	}
	b := mem.NewBuffer(w.buf, w.pool)
	w.buf = nil
	return b
}

// drop gives back what will not be sent.
func (w *frameWriter) drop() {
	if b := w.take(); b != nil {
		b.Free()
	}
}
