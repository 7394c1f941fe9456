package objrpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"holdfast"
	"holdfast/objsrv/objrpc/objectpb"
	"holdfast/wire"
)

// cutter makes connections that break after a number of bytes in a direction, or at once.
type cutter struct {
	written, read atomic.Int64 // budgets

	mu    sync.Mutex
	conns []net.Conn // guarded by mu
}

func newCutter(written, read int64) *cutter {
	c := new(cutter)
	c.written.Store(written)
	c.read.Store(read)
	return c
}

const unlimited = 1 << 50

func (c *cutter) dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
	return &cutConn{Conn: conn, by: c}, nil
}

// cut breaks all connections of now.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

type cutConn struct {
	net.Conn
	by *cutter
}

var errCut = errors.New("connection is cut")

func (c *cutConn) Write(p []byte) (int, error) {
	if c.by.written.Add(-int64(len(p))) < 0 {
		_ = c.Close()
		return 0, errCut
	}
	return c.Conn.Write(p)
}

func (c *cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.by.read.Add(-int64(n)) < 0 {
		_ = c.Close()
		return 0, errCut
	}
	return n, err
}

// overCutter serves svc on a loopback socket behind a cutter.
func overCutter(t *testing.T, svc holdfast.ObjectService, cut *cutter) (*Client, *running) {
	r := serve(t, listen(t, "127.0.0.1:0"))
	r.Add(testID, svc)
	return NewClient(dial(t, r.lis.Addr().String(), grpc.WithContextDialer(cut.dial)), testID), r
}

func TestConnectionCutInTheMiddleOfACreate(t *testing.T) {
	data := content(8 << 20)
	for _, budget := range []int64{10, 1000, FrameData / 2, 1 << 20, 7 << 20} {
		stored := newMemStore(testID)
		ended := make(chan error, 1)
		hooked := newMemStore(testID)
		hooked.createFunc = func(ctx context.Context, req holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
			link, err := stored.Create(ctx, req, body)
			ended <- err
			return link, err
		}
		cut := newCutter(budget, unlimited)
		c, r := overCutter(t, hooked, cut)
		_, err := c.Create(t.Context(), holdfast.CreateRequest{Size: int64(len(data))}, bytes.NewReader(data))
		if !holdfast.Is(err, holdfast.Unavailable) {
			t.Errorf("create cut after %d bytes: %v, want unavailable", budget, err)
		}
		cut.written.Store(unlimited)
		if !eventually(5*time.Second, func() bool { _, err := c.Status(t.Context()); return err == nil }) {
			t.Errorf("the client did not connect again")
		}
		r.stop() // waits until the service has seen the end of it
		select {
		case err := <-ended:
			if !holdfast.Is(err, holdfast.Aborted) {
				t.Errorf("the service saw %v at the end of a cut body, want aborted", err)
			}
		default: // cut before the first frame was whole
		}
		if stored.count() != 0 {
			t.Errorf("create cut after %d bytes stored an object", budget)
		}
	}
}

func TestReplyOfACreateIsLost(t *testing.T) {
	for _, size := range []int{0, 100, 3 * FrameData} {
		m := newMemStore(testID)
		cut := newCutter(unlimited, unlimited)
		m.createFunc = func(ctx context.Context, _ holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
			_, err := io.Copy(io.Discard, body)
			cut.cut()
			<-ctx.Done() // the server has seen it, too
			return holdfast.Link{}, err
		}
		c, _ := overCutter(t, m, cut)
		_, err := c.Create(t.Context(), holdfast.CreateRequest{Size: int64(size)}, bytes.NewReader(content(size)))
		if !holdfast.Is(err, holdfast.Unknown) {
			t.Errorf("create of %d with the reply lost: %v, want unknown", size, err)
		}
	}
}

func TestReplyOfAFreeIsLost(t *testing.T) {
	m := newMemStore(testID)
	cut := newCutter(unlimited, unlimited)
	m.freeFunc = func(ctx context.Context, _ []holdfast.ObjectID) error { cut.cut(); <-ctx.Done(); return nil }
	c, _ := overCutter(t, m, cut)
	if err := c.Free(t.Context(), []holdfast.ObjectID{{Epoch: 1}}); !holdfast.Is(err, holdfast.Unknown) {
		t.Errorf("free with the reply lost: %v, want unknown", err)
	}
}

func TestConnectionCutInTheMiddleOfARead(t *testing.T) {
	data := content(8 << 20)
	m := newMemStore(testID)
	link, err := m.Create(t.Context(), holdfast.CreateRequest{Size: -1}, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, budget := range []int64{200, FrameData / 2, 1 << 20, 7 << 20} {
		c, _ := overCutter(t, m, newCutter(unlimited, budget))
		var got bytes.Buffer
		n, err := c.Read(t.Context(), holdfast.ReadRequest{Object: link.Object, Length: int64(len(data))}, &got)
		if !holdfast.Is(err, holdfast.Unavailable) {
			t.Errorf("read cut after %d bytes: %v, want unavailable", budget, err)
		}
		if n != int64(got.Len()) || !bytes.HasPrefix(data, got.Bytes()) {
			t.Errorf("read cut after %d bytes: %d reported, %d written, right ones: %v", budget, n, got.Len(), bytes.HasPrefix(data, got.Bytes()))
		}
	}
}

func TestNobodyListens(t *testing.T) {
	lis := listen(t, "127.0.0.1:0")
	addr := lis.Addr().String()
	_ = lis.Close()
	c := NewClient(dial(t, addr), testID)
	_, errWhole := c.Create(t.Context(), holdfast.CreateRequest{Size: 1}, strings.NewReader("a"))
	_, errStream := c.Create(t.Context(), holdfast.CreateRequest{Size: -1}, io.LimitReader(zeros{}, 1<<20))
	_, errRead := c.Read(t.Context(), holdfast.ReadRequest{Length: 1}, io.Discard)
	for name, err := range map[string]error{"create": errWhole, "create stream": errStream, "read": errRead,
		"free": c.Free(t.Context(), nil), "pin": c.Pin(t.Context(), nil, 0)} {
		if !holdfast.Is(err, holdfast.Unavailable) {
			t.Errorf("%s: %v, want unavailable", name, err)
		}
	}
}

func TestServerRestarts(t *testing.T) {
	m := newMemStore(testID)
	c, r := overTCP(t, m)
	if _, err := c.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	addr := r.lis.Addr().String()
	r.stop()
	if _, err := c.Status(t.Context()); !holdfast.Is(err, holdfast.Unavailable) {
		t.Errorf("status while the server is down: %v, want unavailable", err)
	}
	serve(t, listen(t, addr)).Add(testID, m)
	if !eventually(2*wire.MaxReconnect, func() bool { _, err := c.Status(t.Context()); return err == nil }) {
		t.Errorf("no answer %v after the restart", 2*wire.MaxReconnect)
	}
}

// inFlight is the most that a stream may hold between the two ends: the window, a frame in the hands of each side,
// and one being filled.
const inFlight = wire.StreamWindow + 4*FrameData

func TestSlowReaderHoldsTheServerBack(t *testing.T) {
	const size = 32 << 20
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		var sent, got, most atomic.Int64
		m.readFunc = func(_ context.Context, req holdfast.ReadRequest, w io.Writer) (int64, error) {
			piece := make([]byte, 64<<10)
			for sent.Load() < req.Length {
				n, err := w.Write(piece)
				most.Store(max(most.Load(), sent.Add(int64(n))-got.Load()))
				if err != nil {
					return sent.Load(), err
				}
			}
			return sent.Load(), nil
		}
		n, err := c.Read(t.Context(), holdfast.ReadRequest{Length: size}, writerFunc(func(p []byte) (int, error) {
			if got.Add(int64(len(p))) == int64(len(p)) { // the first piece: other calls get through while it is held
				for range 20 {
					if _, err := c.Status(t.Context()); err != nil {
						return 0, err
					}
				}
			}
			return len(p), nil
		}))
		if n != size || err != nil {
			t.Errorf("read: %d, %v", n, err)
		}
		if most.Load() > inFlight {
			t.Errorf("up to %d bytes were under way, want at most %d", most.Load(), inFlight)
		}
	})
}

func TestSlowServerHoldsTheBodyBack(t *testing.T) {
	const size = 32 << 20
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		var sent, got, most atomic.Int64
		m.createFunc = func(_ context.Context, _ holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
			piece := make([]byte, 10_000)
			for {
				n, err := body.Read(piece)
				got.Add(int64(n))
				if err != nil {
					return holdfast.Link{}, &holdfast.Error{Op: "mem.create", Kind: holdfast.NoSpace}
				}
			}
		}
		body := readerFunc(func(p []byte) (int, error) {
			if sent.Load() >= size {
				return 0, io.EOF
			}
			most.Store(max(most.Load(), sent.Add(int64(len(p)))-got.Load()))
			return len(p), nil
		})
		if _, err := c.Create(t.Context(), holdfast.CreateRequest{Size: -1}, body); !holdfast.Is(err, holdfast.NoSpace) {
			t.Errorf("create: %v", err)
		}
		if got.Load() != sent.Load() || most.Load() > inFlight {
			t.Errorf("%d of %d bytes arrived; up to %d were under way, want at most %d", got.Load(), sent.Load(), most.Load(), inFlight)
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestDeadlineReachesTheService(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var left time.Duration
		m.freeFunc = func(ctx context.Context, _ []holdfast.ObjectID) error {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
			return nil
		}
		if err := c.Free(ctx, nil); err != nil || left > time.Hour || left < 50*time.Minute {
			t.Errorf("free: %v; the service has %v left, want an hour", err, left)
		}
	})
}

func TestContextEndsInTheMiddle(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		m.freeFunc = func(ctx context.Context, _ []holdfast.ObjectID) error {
			cancel()
			<-ctx.Done() // the cancellation crosses the wire
			close(stopped)
			return ctx.Err()
		}
		err := c.Free(ctx, nil)
		if !holdfast.Is(err, holdfast.Unknown) || !errors.Is(err, context.Canceled) {
			t.Errorf("free cancelled after it was sent: %v, want unknown because cancelled", err)
		}
		<-stopped
		if err := c.Free(ctx, nil); !holdfast.Is(err, holdfast.Aborted) || !errors.Is(err, context.Canceled) {
			t.Errorf("free cancelled before it was sent: %v, want aborted", err)
		}
		if _, err := c.Create(ctx, holdfast.CreateRequest{Size: 1}, strings.NewReader("a")); !holdfast.Is(err, holdfast.Aborted) {
			t.Errorf("create cancelled before it was sent: %v, want aborted", err)
		}
		if _, err := c.Read(ctx, holdfast.ReadRequest{Length: 1 << 20}, io.Discard); !holdfast.Is(err, holdfast.Aborted) {
			t.Errorf("read cancelled: %v, want aborted", err)
		}
	})
}

func TestContextEndsInTheMiddleOfABody(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		sent := 0
		body := readerFunc(func(p []byte) (int, error) {
			if sent += len(p); sent > 4<<20 {
				cancel()
			}
			return len(p), nil
		})
		if _, err := c.Create(ctx, holdfast.CreateRequest{Size: -1}, body); !holdfast.Is(err, holdfast.Aborted) {
			t.Errorf("create: %v, want aborted", err)
		}
		if m.count() != 0 {
			t.Error("an object was stored")
		}
	})
}

// sendFrames runs a raw create of frames, without the end-of-data flag that the client takes care of.
func sendFrames(t *testing.T, c *Client, frames ...*outFrame) (*objectpb.CreateReply, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := c.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, objectpb.ObjectService_Create_FullMethodName, c.framed...)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := stream.SendMsg(f); err != nil && err != io.EOF {
			t.Fatal(err)
		}
	}
	_ = stream.CloseSend()
	reply := new(objectpb.CreateReply)
	return reply, stream.RecvMsg(reply)
}

func TestStreamWithoutEndFlagStoresNothing(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		req := &holdfast.CreateRequest{Size: -1}
		part := func() mem.Buffer { return mem.SliceBuffer(content(1000)) }
		for name, frames := range map[string][]*outFrame{
			"one":  {newCreateFrame(testID, req, false, part())},
			"some": {newCreateFrame(testID, req, false, part()), newCreateFrame(0, nil, false, part())},
		} {
			reply, err := sendFrames(t, c, frames...)
			if got := errorFromWire(reply.GetError()); err != nil || !holdfast.Is(got, holdfast.Aborted) {
				t.Errorf("%s: %v, %v, want aborted", name, got, err)
			}
		}
		reply, err := sendFrames(t, c)
		if got := errorFromWire(reply.GetError()); err != nil || !holdfast.Is(got, holdfast.Invalid) {
			t.Errorf("none: %v, %v, want invalid", got, err)
		}
		if m.count() != 0 {
			t.Error("an object was stored")
		}
	})
}

func TestOversizeMessages(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		req := &holdfast.CreateRequest{Size: -1}
		_, err := sendFrames(t, c, newCreateFrame(testID, req, true, mem.SliceBuffer(content(FrameData+1))))
		if status.Code(err) != codes.Internal {
			t.Errorf("frame of too much data: %v, want a refusal", err)
		}
		huge := &outFrame{head: make([]byte, wire.MaxMessage+1)}
		opts := append([]grpc.CallOption{grpc.MaxCallSendMsgSize(2 * wire.MaxMessage)}, c.framed...)
		err = c.conn.Invoke(t.Context(), objectpb.ObjectService_Free_FullMethodName, huge, new(objectpb.FreeReply), opts...)
		if status.Code(err) != codes.ResourceExhausted {
			t.Errorf("message over the limit: %v, want a refusal", err)
		}
		if m.count() != 0 {
			t.Error("an object was stored")
		}
		if _, err := c.Status(t.Context()); err != nil {
			t.Errorf("status afterwards: %v", err)
		}
	})
}
