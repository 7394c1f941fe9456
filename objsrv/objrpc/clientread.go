package objrpc

import (
	"context"
	"io"

	"google.golang.org/grpc"

	"holdfast"
	"holdfast/objsrv/objrpc/objectpb"
)

// Read implements holdfast.ObjectService. The bytes are written to w from where the transport left them, in pieces of
// at most 16 KiB; a writer for which small writes are dear should gather them.
func (c *Client) Read(ctx context.Context, req holdfast.ReadRequest, w io.Writer) (int64, error) {
	wire := &objectpb.ReadRequest{
		Service: uint64(c.id),
		Epoch:   uint64(req.Object.Epoch),
		Counter: req.Object.Counter,
		Offset:  req.Offset,
		Length:  req.Length,
	}
	if req.Length <= FrameData {
		return c.readWhole(ctx, wire, w)
	}
	return c.readStream(ctx, wire, w)
}

const opRead = "objrpc.read"

// readWhole asks for a range of one frame: one message each way.
func (c *Client) readWhole(ctx context.Context, req *objectpb.ReadRequest, w io.Writer) (int64, error) {
	var f readFrame
	if err := c.conn.Invoke(ctx, objectpb.ObjectService_ReadWhole_FullMethodName, req, &f, c.framed...); err != nil {
		return 0, c.lost(ctx, opRead, err, false)
	}
	defer f.free()
	n, err := f.WriteTo(w)
	if err != nil {
		return n, err
	}
	if !f.last {
		return n, c.garbled(opRead, errNoEnd)
	}
	return n, c.outcome(&f, req, n)
}

// readStream asks for a longer range. Returning cancels the stream unless it is finished.
func (c *Client) readStream(ctx context.Context, req *objectpb.ReadRequest, w io.Writer) (int64, error) {
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	desc := &grpc.StreamDesc{StreamName: "Read", ServerStreams: true}
	stream, err := c.conn.NewStream(stop, desc, objectpb.ObjectService_Read_FullMethodName, c.framed...)
	if err != nil {
		return 0, c.lost(ctx, opRead, err, false)
	}
	if err := stream.SendMsg(req); err != nil && err != io.EOF { // io.EOF: RecvMsg tells why
		return 0, c.lost(ctx, opRead, err, false)
	}
	_ = stream.CloseSend() // never fails; RecvMsg has the outcome
	var total int64
	for {
		var f readFrame
		if err := stream.RecvMsg(&f); err == io.EOF {
			return total, c.garbled(opRead, errNoEnd)
		} else if err != nil {
			return total, c.lost(ctx, opRead, err, false)
		}
		n, err := f.WriteTo(w)
		f.free()
		total += n
		if err != nil {
			return total, err
		}
		if f.last {
			_ = stream.RecvMsg(&f) // takes in the trailer: nothing is left to be cancelled
			return total, c.outcome(&f, req, total)
		}
	}
}

// outcome judges how the last frame says that a read of n bytes ended.
func (c *Client) outcome(f *readFrame, req *objectpb.ReadRequest, n int64) error {
	if f.err != nil {
		return f.err
	}
	if f.total != n || n != req.GetLength() {
		return c.garbled(opRead, errMiscount)
	}
	return nil
}
