package node

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/layout"
	"holdfast/namesrv/namerpc"
	"holdfast/objsrv/objrpc"
	"holdfast/storage"
	"holdfast/volume"
	"holdfast/wire"
)

// Attached is the way to the services of a server that runs on this machine. Close it.
type Attached struct {
	conn     *grpc.ClientConn
	services *volume.Direct
}

// Attach reaches the server that runs on the store in a directory, through its local socket; holdfast.NotFound if none
// runs here, holdfast.Denied if it is another user's. Which services there are is read from the store's configuration.
func Attach(ctx context.Context, data string) (*Attached, error) {
	path, err := storage.SocketPath(data)
	if errors.Is(err, fs.ErrNotExist) { // nobody ever locked a store here
		return nil, notRunning(err)
	}
	if err != nil {
		return nil, err
	}
	probe, err := dialSocket(ctx, path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, notRunning(err)
	}
	if err != nil {
		return nil, err
	}
	_ = probe.Close() // it has told all it can
	current, err := config.Open(storage.OS(), layout.Root(data)).Newest()
	if err != nil {
		return nil, err
	}
	p, err := newPlan(current)
	if err != nil {
		return nil, err
	}
	// The socket is the connection's identity: the kernel says whose it is, and nothing leaves the machine.
	options := append(wire.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dialSocket(ctx, path) }))
	conn, err := grpc.NewClient("passthrough:///holdfast", options...)
	if err != nil {
		return nil, err
	}
	a := &Attached{conn: conn, services: volume.NewDirect(p.slots)}
	for _, id := range p.names {
		a.services.SetName(id, namerpc.NewClient(conn, id))
	}
	for _, id := range p.objects {
		a.services.SetObject(id, objrpc.NewClient(conn, id))
	}
	return a, nil
}

func notRunning(err error) error { return holdfast.E("node.attach", holdfast.NotFound, err) }

func dialSocket(ctx context.Context, path string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := checkPeer(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// Services is the way to the services of the server.
func (a *Attached) Services() volume.Services { return a.services }

// Close ends the connection.
func (a *Attached) Close(context.Context) error { return a.conn.Close() }
