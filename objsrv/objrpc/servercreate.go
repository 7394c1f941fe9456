package objrpc

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"holdfast"
	"holdfast/objsrv/objrpc/objectpb"
)

var (
	errCutShort = errors.New("stream ended before the end of the body")
	errNotWhole = errors.New("a whole body must end with its only frame")
)

// createWhole answers CreateWhole.
func (s *Server) createWhole(ctx context.Context, first *createFrame) *objectpb.CreateReply {
	if !first.last {
		return createReply(holdfast.Link{}, invalid(errNotWhole))
	}
	return s.create(ctx, first, nil)
}

// create runs a create of which the first frame has arrived; the others come from stream, which may be nil.
func (s *Server) create(ctx context.Context, first *createFrame, stream grpc.ServerStream) *objectpb.CreateReply {
	svc, err := s.service(uint64(first.service))
	if err != nil {
		return createReply(holdfast.Link{}, err)
	}
	link, err := svc.Create(ctx, first.req, &frameBody{stream: stream, frame: first})
	return createReply(link, err)
}

func createReply(link holdfast.Link, err error) *objectpb.CreateReply {
	if err != nil {
		return &objectpb.CreateReply{Error: errorToWire(err)}
	}
	return &objectpb.CreateReply{Link: linkToWire(link)}
}

// createStream answers Create. It may answer before all frames came: the rest is not wanted then.
func (s *Server) createStream(stream grpc.ServerStream) error {
	first := new(createFrame)
	defer first.free()
	if err := stream.RecvMsg(first); err != nil {
		if err == io.EOF { // not even a service is named
			return stream.SendMsg(createReply(holdfast.Link{}, invalid(errCutShort)))
		}
		return err
	}
	return stream.SendMsg(s.create(stream.Context(), first, stream))
}

// frameBody is the body of a create as a reader over its frames. Only a frame with the end-of-data flag ends it
// with io.EOF: the end of the stream, which is also what a broken connection looks like, is an error, so that an
// implementation of the contract stores nothing.
type frameBody struct {
	stream grpc.ServerStream
	frame  *createFrame
	err    error // sticky
}

func (b *frameBody) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, b.err
	}
	for b.err == nil {
		if n, err := b.frame.Read(p); err == nil {
			return n, nil
		}
		b.err = b.next()
	}
	return 0, b.err
}

// next replaces the frame, which is used up, by the one after it.
func (b *frameBody) next() error {
	if b.frame.last {
		return io.EOF
	}
	b.frame.free()
	err := b.stream.RecvMsg(b.frame)
	if err == io.EOF {
		err = errCutShort
	}
	if err != nil {
		return holdfast.E("objrpc.create", holdfast.Aborted, err)
	}
	return nil
}
