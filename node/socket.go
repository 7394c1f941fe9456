package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"holdfast"
	"holdfast/namesrv/namerpc"
	"holdfast/objsrv/objrpc"
	"holdfast/storage"
)

// doors are the RPC servers of this node's services, kept in step with what is published to the volume.
type doors struct {
	names   *namerpc.Server
	objects *objrpc.Server
}

func newDoors() doors { return doors{namerpc.NewServer(), objrpc.NewServer()} }

// SetName implements roster.
func (d doors) SetName(id holdfast.ServiceID, s holdfast.NameService) {
	if s == nil {
		d.names.Remove(id)
		return
	}
	d.names.Add(id, s)
}

// SetObject implements roster.
func (d doors) SetObject(id holdfast.ServiceID, s holdfast.ObjectService) {
	if s == nil {
		d.objects.Remove(id)
		return
	}
	d.objects.Add(id, s)
}

// register puts the doors on a server that was made with objrpc.ServerOptions.
func (d doors) register(g grpc.ServiceRegistrar) {
	d.names.Register(g)
	d.objects.Register(g)
}

// socket serves the doors to other processes of the same user on this machine: to tools that look at a running store. It is
// a unix socket next to the machine-wide lock and not on the mount, where sockets may not work.
type socket struct {
	server *grpc.Server
	done   chan struct{} // closed when it serves no more
}

// openSocket serves on the store's socket. The caller holds the store's machine-wide lock, so a socket that is there
// already was left by a process that is gone.
func openSocket(data string, d doors) (*socket, error) {
	path, err := storage.SocketPath(data)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil { // nobody else can enter its directory anyway
		return nil, errors.Join(err, l.Close())
	}
	s := &socket{server: grpc.NewServer(objrpc.ServerOptions()...), done: make(chan struct{})}
	d.register(s.server)
	go func() {
		defer close(s.done)
		_ = s.server.Serve(sameUser{l}) // it ends with close; should it end before, only tools miss it
	}()
	return s, nil
}

// close cuts the callers off and returns when none is inside an engine any more, or with ctx.
func (s *socket) close(ctx context.Context) error {
	stopped := make(chan struct{})
	go func() {
		s.server.Stop()
		<-s.done
		close(stopped)
	}()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("calls on the local socket do not end: %w", ctx.Err())
	}
}

// sameUser is a listener that lets in only processes of the user this one runs as.
type sameUser struct{ net.Listener }

// Accept returns the next connection of the same user; others are closed unheard.
func (l sameUser) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if err := checkPeer(conn); err == nil {
			return conn, nil
		}
		_ = conn.Close() // there is nothing to tell a stranger
	}
}

// checkPeer asks the kernel who is at the other end: holdfast.Denied if it is not this process's user.
func checkPeer(conn net.Conn) error {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return holdfast.E("node.socket", holdfast.Denied, errors.New("not a unix socket"))
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var asked error
	err = raw.Control(func(fd uintptr) { cred, asked = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err := errors.Join(err, asked); err != nil {
		return err
	}
	if int(cred.Uid) != os.Geteuid() {
		return holdfast.E("node.socket", holdfast.Denied, fmt.Errorf("the process at the other end is of user %d", cred.Uid))
	}
	return nil
}
