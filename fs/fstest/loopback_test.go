package fstest_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"holdfast/fs/fstest"
)

// loopbackEnv marks the process that serves a loopback mount: it holds the directory, the argument is the mount point.
const loopbackEnv = "HOLDFAST_FSTEST_LOOPBACK"

// loopback serves a directory through FUSE until its input ends.
func loopback(dir, point string) int {
	if err := serveLoopback(dir, point); err != nil {
		fmt.Fprintln(os.Stderr, "loopback:", err)
		return 1
	}
	return 0
}

func serveLoopback(dir, point string) error {
	below, err := gofs.NewLoopbackRoot(dir)
	if err != nil {
		return err
	}
	root := &node{below.(*gofs.LoopbackNode)}
	server, err := gofs.Mount(point, root, &gofs.Options{
		NullPermissions: true, // else mode 0 is shown as 0644
		MountOptions: fuse.MountOptions{
			AllowOther: true, DirectMountStrict: true, EnableLocks: true,
			FsName: "fstest", Name: "loopback", Options: []string{"default_permissions"},
		},
	})
	if err != nil {
		return err
	}
	fmt.Println("mounted")
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // whatever ends the input ends the mount
	if err := server.Unmount(); err != nil {
		_ = syscall.Unmount(point, syscall.MNT_DETACH) // leaves nothing mounted behind a test that failed
		return err
	}
	server.Wait()
	return nil
}

// node is a loopback node whose bytes go through the server. Left to itself the library hands the file below to the kernel, which
// then keeps it, and locks on it, as long as any handle of that file is open.
type node struct{ *gofs.LoopbackNode }

func (*node) WrapChild(_ context.Context, child gofs.InodeEmbedder) gofs.InodeEmbedder {
	return &node{child.(*gofs.LoopbackNode)}
}

type file struct{ *gofs.LoopbackFile }

func (file) PassthroughFd() (int, bool) { return 0, false }

func (n *node) Open(ctx context.Context, flags uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	h, how, errno := n.LoopbackNode.Open(ctx, flags)
	return wrapped(h), how, errno
}

func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (
	*gofs.Inode, gofs.FileHandle, uint32, syscall.Errno,
) {
	child, h, how, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	return child, wrapped(h), how, errno
}

func wrapped(h gofs.FileHandle) gofs.FileHandle {
	if f, ok := h.(*gofs.LoopbackFile); ok {
		return file{f}
	}
	return h
}

// mount serves a directory in another process until the test is over.
func mount(t *testing.T, dir, point string) {
	t.Helper()
	if err := os.Mkdir(point, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", point)
	cmd.Env = append(os.Environ(), loopbackEnv+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // the answer is in the exit code
		if err := cmd.Wait(); err != nil {
			t.Errorf("loopback server: %v", err)
		}
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "mounted\n" {
		t.Fatalf("the loopback server said %q: %v", line, err)
	}
}

// TestLoopback runs the suite through FUSE, on two loopback mounts of one directory, so that it is known to work there and that what
// a mount of our own lacks is its own fault.
func TestLoopback(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: two mounts and several seconds")
	}
	if os.Geteuid() != 0 {
		t.Skip("NEEDS ROOT: mounting")
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Fatalf("NEEDS FUSE, or -short to do without: %v", err)
	}
	top := open(t)
	backing, one, two := filepath.Join(top, "b"), filepath.Join(top, "mount1"), filepath.Join(top, "mount2")
	if err := os.Mkdir(backing, 0o755); err != nil {
		t.Fatal(err)
	}
	mount(t, backing, one)
	mount(t, backing, two)
	fstest.Run(t, one, fstest.Options{Other: two, Seed: *seed, Without: loopbackGaps()})
}

// loopbackGaps are what the loopback node of go-fuse does not do, whatever is below it.
func loopbackGaps() map[fstest.Promise]fstest.Gap {
	return map[fstest.Promise]fstest.Gap{
		fstest.Tmpfile:      {Reason: "a file without a name cannot be given one: link by handle is tried by path"},
		fstest.Nameless:     {Reason: "attributes are set by path"},
		fstest.SetGroup:     {Reason: "what is made is given to the caller's group afterwards"},
		fstest.ProcessLocks: {Reason: "locks are those of the server's open files, so they go with a handle and name no process"},
		fstest.SizeAtOnce:   {Reason: "while a write is under way, the kernel shows the server's size but reads up to the one it knows"},
		fstest.WholeReplace: {Reason: "a file that was looked up is opened by path, which the rename may have taken meanwhile"},
	}
}
