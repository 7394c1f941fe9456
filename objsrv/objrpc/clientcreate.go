package objrpc

import (
	"context"
	"errors"
	"hash/crc32"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/peer"

	"holdfast"
	"holdfast/objsrv/objrpc/objectpb"
	"holdfast/wire"
)

// maxEmptyReads is how many times in a row a body may return neither bytes nor an error.
const maxEmptyReads = 100

var (
	errShortBody = errors.New("body ended before its size")
	errLongBody  = errors.New("body is longer than its size")

	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// Create implements holdfast.ObjectService. A body that fails or ends at the wrong place breaks the call off before the
// end-of-data flag is sent, so the service stores nothing. The link that comes back is compared with what was sent
// (size and CRC32C): if it differs, the error is holdfast.Corrupt and the object is left to its guard.
func (c *Client) Create(ctx context.Context, req holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
	const op = "objrpc.create"
	if req.Size > holdfast.MaxObjectSize {
		return holdfast.Link{}, &holdfast.Error{Op: op, Kind: holdfast.TooLarge, ID: c.id.String()}
	}
	if err := ctx.Err(); err != nil {
		return holdfast.Link{}, c.lost(ctx, op, err, false)
	}
	src := &frameSource{body: body, size: req.Size, pool: c.pool}
	data, last, err := src.next()
	if err != nil {
		return holdfast.Link{}, err
	}
	reply := new(objectpb.CreateReply)
	first := newCreateFrame(c.id, &req, last, data)
	if last {
		err = c.createWhole(ctx, op, first, reply)
	} else {
		err = c.createStream(ctx, op, first, src, reply)
	}
	if err != nil {
		return holdfast.Link{}, err
	}
	if reply.GetError() != nil {
		return holdfast.Link{}, errorFromWire(reply.GetError())
	}
	link, err := linkFromWire(reply.GetLink())
	if err != nil {
		return holdfast.Link{}, c.garbled(op, err)
	}
	if link.Size != src.total || link.CRC != src.crc {
		return holdfast.Link{}, &holdfast.Error{Op: op, Kind: holdfast.Corrupt, ID: link.Object.String(), Err: errDigest}
	}
	return link, nil
}

// createWhole sends a body of one frame: one message each way.
func (c *Client) createWhole(ctx context.Context, op string, f *outFrame, reply *objectpb.CreateReply) error {
	var asked peer.Peer
	opts := append(c.framed[:len(c.framed):len(c.framed)], grpc.Peer(&asked))
	err := c.conn.Invoke(ctx, objectpb.ObjectService_CreateWhole_FullMethodName, f, reply, opts...)
	if err != nil {
		return c.lost(ctx, op, err, wire.Reached(&asked))
	}
	return nil
}

// createStream sends the first frame and the rest of the body. Returning cancels the stream unless it is finished.
func (c *Client) createStream(ctx context.Context, op string, f *outFrame, src *frameSource, reply *objectpb.CreateReply) error {
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	desc := &grpc.StreamDesc{StreamName: "Create", ClientStreams: true}
	stream, err := c.conn.NewStream(stop, desc, objectpb.ObjectService_Create_FullMethodName, c.framed...)
	if err != nil {
		return c.lost(ctx, op, err, false)
	}
	for last := false; ; {
		// io.EOF: the stream is over already, by an early reply or an error; RecvMsg tells which.
		if err := stream.SendMsg(f); err == io.EOF {
			break
		} else if err != nil {
			return c.lost(ctx, op, err, last)
		}
		if last {
			break
		}
		var data mem.Buffer
		if data, last, err = src.next(); err != nil {
			return err
		}
		f = newCreateFrame(c.id, nil, last, data)
	}
	_ = stream.CloseSend() // never fails; RecvMsg has the outcome
	if err := stream.RecvMsg(reply); err != nil {
		return c.lost(ctx, op, err, src.ended)
	}
	return nil
}

// frameSource cuts a body into frames, with a look at its end.
type frameSource struct {
	body io.Reader
	size int64 // what the body must yield; negative: any number
	pool *framePool

	total int64
	crc   uint32
	ended bool    // the last frame was handed out
	probe [1]byte // to see that a body ends at its size
}

// next returns the next frame's data, and whether the body ends with it. An error of the body is returned as it is.
func (s *frameSource) next() (data mem.Buffer, last bool, err error) {
	want := int64(FrameData)
	if s.size >= 0 {
		want = min(want, s.size-s.total)
	}
	buf := s.pool.Get(int(want))
	n, err := s.fill(*buf)
	*buf = (*buf)[:n]
	s.total += int64(n)
	switch {
	case err == nil && s.total == s.size:
		err = s.atEnd()
	case err == io.EOF && s.total < s.size:
		err = holdfast.E("objrpc.create", holdfast.Aborted, errShortBody)
	}
	if err != nil && err != io.EOF {
		s.pool.Put(buf)
		return nil, false, err
	}
	s.crc = crc32.Update(s.crc, castagnoli, *buf)
	s.ended = err == io.EOF
	return mem.NewBuffer(buf, s.pool), s.ended, nil
}

// atEnd looks whether the body, which has yielded its size, ends there: io.EOF.
func (s *frameSource) atEnd() error {
	n, err := s.fill(s.probe[:])
	if n > 0 {
		return holdfast.E("objrpc.create", holdfast.Aborted, errLongBody)
	}
	return err
}

// fill reads until b is full or the body ends, which is io.EOF. Unlike io.ReadFull it tells the end of the body from a
// body that fails with io.ErrUnexpectedEOF, as that of an HTTP request does when the client goes away.
func (s *frameSource) fill(b []byte) (n int, err error) {
	for empty := 0; n < len(b) && err == nil; empty++ {
		var got int
		got, err = s.body.Read(b[n:])
		n += got
		if got > 0 {
			empty = 0
		} else if err == nil && empty == maxEmptyReads {
			err = io.ErrNoProgress
		}
	}
	return n, err
}
