package objrpc

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"holdfast"
	"holdfast/wire"
)

const testID = holdfast.ServiceID(0x10_00000000000007)

// TestMain fails the package if tests leave goroutines behind. gRPC ends its own a moment after Close returned.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && !eventually(5*time.Second, func() bool { return leaked() == "" }) {
		fmt.Fprintf(os.Stderr, "goroutines left:\n%s", leaked())
		code = 1
	}
	os.Exit(code)
}

// leaked returns the stacks of the goroutines that are in our packages or in gRPC.
func leaked() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var left []string
	for i, g := range bytes.Split(buf, []byte("\n\n")) {
		if s := string(g); i > 0 && (strings.Contains(s, "holdfast/") || strings.Contains(s, "grpc")) {
			left = append(left, s)
		}
	}
	return strings.Join(left, "\n\n")
}

// eventually polls until ok holds.
func eventually(patience time.Duration, ok func() bool) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// running is a gRPC server with its registry of services.
type running struct {
	*Server
	grpc *grpc.Server
	lis  net.Listener
	done chan struct{}
}

// stop ends the server as a crash would: connections break at once.
func (r *running) stop() {
	r.grpc.Stop()
	<-r.done
}

func serve(t testing.TB, lis net.Listener) *running {
	t.Helper()
	r := &running{Server: NewServer(), grpc: grpc.NewServer(ServerOptions()...), lis: lis, done: make(chan struct{})}
	r.Register(r.grpc)
	go func() {
		defer close(r.done)
		_ = r.grpc.Serve(lis) // ends by stop
	}()
	t.Cleanup(r.stop)
	return r
}

func listen(t testing.TB, addr string) net.Listener {
	t.Helper()
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return lis
}

func dial(t testing.TB, target string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append(append(wire.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials())), opts...)
	conn, err := grpc.NewClient(target, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// overTCP serves svc on a loopback socket and returns a client of it.
func overTCP(t testing.TB, svc holdfast.ObjectService) (*Client, *running) {
	t.Helper()
	r := serve(t, listen(t, "127.0.0.1:0"))
	r.Add(testID, svc)
	return NewClient(dial(t, r.lis.Addr().String()), testID), r
}

// inProcess serves svc over a pipe in memory and returns a client of it.
func inProcess(t testing.TB, svc holdfast.ObjectService) (*Client, *running) {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	r := serve(t, lis)
	r.Add(testID, svc)
	dialer := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) })
	return NewClient(dial(t, "passthrough:bufconn", dialer), testID), r
}

// wires are the two ways that tests of behaviour run over.
var wires = map[string]func(testing.TB, holdfast.ObjectService) (*Client, *running){
	"tcp":     overTCP,
	"bufconn": inProcess,
}

// overWires runs test with a client of a fresh memStore over each wire.
func overWires(t *testing.T, test func(t *testing.T, c *Client, m *memStore)) {
	for name, connect := range wires {
		t.Run(name, func(t *testing.T) {
			m := newMemStore(testID)
			c, _ := connect(t, m)
			test(t, c, m)
		})
	}
}
