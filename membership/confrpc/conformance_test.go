package confrpc_test

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"holdfast"
	"holdfast/membership/confrpc"
	"holdfast/membership/confrpc/conftest"
	"holdfast/wire"
)

func TestConformanceOfMemory(t *testing.T) {
	conftest.Suite(t, func(_ *testing.T, m *confrpc.Memory) confrpc.Service { return m })
}

func TestConformanceOverTheWire(t *testing.T) {
	conftest.Suite(t, func(t *testing.T, m *confrpc.Memory) confrpc.Service { c, _ := serve(t, m); return c })
}

// serve serves m over a pipe in memory and returns a client of it, and what stops the server.
func serve(t *testing.T, m confrpc.Service) (*confrpc.Client, func()) {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	server := grpc.NewServer(wire.ServerOptions()...)
	confrpc.NewServer(m).Register(server)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(lis) // ends by stop
	}()
	stop := func() { server.Stop(); <-done }
	t.Cleanup(stop)
	conn, err := grpc.NewClient("passthrough:bufconn", append(wire.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return confrpc.NewClient(conn), stop
}

// A node that is gone is Unavailable; of a release it is not known whether it was carried out, if it was sent.
func TestNodeThatIsGone(t *testing.T) {
	c, stop := serve(t, &confrpc.Memory{})
	stop()
	if _, err := c.Status(t.Context()); !holdfast.Is(err, holdfast.Unavailable) {
		t.Errorf("status: %v, want Unavailable", err)
	}
	if err := c.Release(t.Context(), 1, 1, 1); !holdfast.Is(err, holdfast.Unavailable) && !holdfast.Is(err, holdfast.Unknown) {
		t.Errorf("release: %v, want Unavailable or Unknown", err)
	}
}

// lost is a service whose answers to a release never come.
type lost struct {
	*confrpc.Memory
	stop func()
}

func (l *lost) Release(ctx context.Context, _ holdfast.ServiceID, _ holdfast.Epoch, _ holdfast.HostID) error {
	go l.stop()
	<-ctx.Done()
	return ctx.Err()
}

func TestLostAnswerOfARelease(t *testing.T) {
	l := &lost{Memory: &confrpc.Memory{}}
	c, stop := serve(t, l)
	l.stop = stop
	if err := c.Release(t.Context(), 1, 1, 1); !holdfast.Is(err, holdfast.Unknown) {
		t.Errorf("got %v, want Unknown", err)
	}
}
