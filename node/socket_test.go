package node

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/storage"
	"holdfast/volume/volumetest"
)

// closeWithinTest bounds what a test waits for a node to close.
const closeWithinTest = 20 * time.Second

func startNode(t *testing.T, data string) *Node {
	t.Helper()
	config := Config{Data: data, S3Address: "127.0.0.1:0", MetricsAddress: "127.0.0.1:0"}.WithDefaults()
	n, err := Start(t.Context(), config, Environment{Getenv: func(string) string { return "" }, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeNode(t, n) })
	return n
}

func closeNode(t *testing.T, n *Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), closeWithinTest)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Error(err)
	}
}

// TestAttachReachesARunningServer writes through the socket what the server then has.
func TestAttachReachesARunningServer(t *testing.T) {
	data := filepath.Join(t.TempDir(), "store")
	if _, err := Attach(t.Context(), data); !holdfast.Is(err, holdfast.NotFound) {
		t.Fatalf("attach before there is a store: %v, want not found", err)
	}
	n := startNode(t, data)
	a, err := Attach(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	v := volumetest.Start(t, a.Services())
	b := volumetest.MakeBucket(t, v, "bucket")
	volumetest.MustPut(t, b, "key", volumetest.Data(1, 3<<20))
	for _, id := range a.Services().ObjectServers() {
		s, err := n.Services().ObjectServer(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		own, err := s.Objects(t.Context(), holdfast.ObjectID{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		if s, err = a.Services().ObjectServer(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		far, err := s.Objects(t.Context(), holdfast.ObjectID{}, 10)
		if err != nil || len(far) != len(own) {
			t.Errorf("%s: %d objects through the socket, %v; want %d", id, len(far), err, len(own))
		}
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	closeNode(t, n)
	status, err := a.Services().NameServer(t.Context(), a.Services().SlotMap()[0])
	if err == nil {
		_, err = status.Status(t.Context())
	}
	if !holdfast.Is(err, holdfast.Unavailable) {
		t.Errorf("after the server closed: %v, want unavailable", err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := Attach(t.Context(), data); !holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("attach after the server closed: %v, want not found", err)
	}
}

// TestSocketOfADeadServerIsReplaced leaves a socket behind as a killed process does.
func TestSocketOfADeadServerIsReplaced(t *testing.T) {
	data := filepath.Join(t.TempDir(), "store")
	closeNode(t, startNode(t, data))
	path, err := storage.SocketPath(data)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Attach(t.Context(), data); !holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("attach to a dead server: %v, want not found", err)
	}
	startNode(t, data)
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("the socket has mode %v, %v; want 0600", info.Mode(), err)
	}
	a, err := Attach(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestSocketRefusesStrangers connects as another user, which only root can try.
func TestSocketRefusesStrangers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir, err := os.MkdirTemp("/tmp", "holdfast-socket-") // where strangers can go
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	inner, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	for name, mode := range map[string]os.FileMode{dir: 0o755, path: 0o777} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	stranger := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread that became another user ends with the goroutine
		stranger <- connectAs(65534, path)
	}()
	if err := <-stranger; err != nil {
		t.Fatal(err)
	}
	friend, err := dialSocket(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer friend.Close()
	conn, err := sameUser{inner}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := friend.Write([]byte("f")); err != nil {
		t.Fatal(err)
	}
	var got [1]byte
	if _, err := conn.Read(got[:]); err != nil || got[0] != 'f' {
		t.Errorf("let in one who says %q, %v; want the friend, who came second", got, err)
	}
}

// connectAs connects to a socket as another user, which the thread stays for ever, and leaves the connection open.
func connectAs(uid uintptr, path string) error {
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uid, uid, uid); errno != 0 {
		return errno
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return unix.Connect(fd, &unix.SockaddrUnix{Name: path})
}

// TestBooksOfANewStoreAreInOrder has the engines check themselves.
func TestBooksOfANewStoreAreInOrder(t *testing.T) {
	data := filepath.Join(t.TempDir(), "store")
	n := startNode(t, data)
	v := volumetest.Start(t, n.Services())
	b := volumetest.MakeBucket(t, v, "bucket")
	volumetest.MustPut(t, b, "a/b/key", volumetest.Data(1, 1<<20))
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	closeNode(t, n)
	n, err := OpenServices(t.Context(), Config{Data: data}.WithDefaults(), Environment{Getenv: func(string) string { return "" }, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer closeNode(t, n)
	if err := n.CheckBooks(t.Context(), func(id holdfast.ServiceID, what string) { t.Errorf("%s: %s", id, what) }); err != nil {
		t.Error(err)
	}
	if _, err := Attach(t.Context(), data); !holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("attach to a store that a tool has opened: %v, want not found", err)
	}
}
