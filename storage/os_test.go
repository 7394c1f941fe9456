package storage_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

func TestDataFileOfTheMachine(t *testing.T) {
	for _, mode := range []storage.DataMode{storage.Buffered, storage.Direct} {
		fs := storage.OS()
		f, err := fs.OpenData(filepath.Join(t.TempDir(), "pool"), mode)
		must(t, err)
		defer f.Close()
		if mode == storage.Direct && !f.Direct() {
			t.Log("this filesystem has no O_DIRECT: tested buffered")
		}
		buf := storage.AlignedBuffer(3 * storage.DirectAlign)
		copy(buf, bytes.Repeat([]byte("x"), len(buf)))
		_, err = f.WriteAt(buf, 1<<20)
		must(t, err)
		must(t, f.SyncData())
		attr, err := fs.ForcedStat(f)
		must(t, err)
		if want := int64(1<<20 + len(buf)); attr.Size != want || attr.Links != 1 {
			t.Errorf("got %+v, want size %d and 1 link", attr, want)
		}
		used, err := f.Allocated()
		must(t, err)
		if used < int64(len(buf)) || used > 1<<20 {
			t.Errorf("allocated %d for %d bytes", used, len(buf))
		}
		err = f.PunchHole(1<<20, storage.DirectAlign)
		if holdfast.Is(err, holdfast.Unsupported) {
			t.Log("this filesystem punches no holes")
			continue
		}
		must(t, err)
		got := storage.AlignedBuffer(2 * storage.DirectAlign)
		_, err = f.ReadAt(got, 1<<20)
		must(t, err)
		if n := bytes.Count(got, []byte{0}); n != storage.DirectAlign || got[len(got)-1] != 'x' {
			t.Errorf("%d zeros after the punch, want %d", n, storage.DirectAlign)
		}
	}
}

func TestAlignedBuffer(t *testing.T) {
	for _, n := range []int{1, 512, 4096, 100_000} {
		b := storage.AlignedBuffer(n)
		if len(b) != n || cap(b) != n || uintptr(unsafe.Pointer(&b[0]))%storage.DirectAlign != 0 {
			t.Errorf("%d: length %d, capacity %d, address %p", n, len(b), cap(b), &b[0])
		}
	}
}

// The test binary runs itself as the other process.
func TestMain(m *testing.M) {
	if path := os.Getenv("HOLDFAST_TEST_LOCK"); path != "" {
		l, err := storage.LockHost(path)
		if err != nil {
			os.Stdout.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Stdout.WriteString(l.Token() + "\n")
		_, _ = os.Stdin.Read(make([]byte, 1)) // until the test closes it
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func otherProcess(path string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "HOLDFAST_TEST_LOCK="+path)
	return cmd
}

func TestLockHostAmongProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	l, err := storage.LockHost(path)
	must(t, err)
	if _, err := storage.LockHost(path); !holdfast.Is(err, holdfast.Conflict) {
		t.Errorf("same process: got %v, want Conflict", err)
	}
	out, err := otherProcess(path).Output()
	if err == nil || !strings.Contains(string(out), "process ") {
		t.Errorf("other process: %q, %v", out, err)
	}
	must(t, l.Close())

	// A killed holder leaves the lock, with the same token.
	cmd := otherProcess(path)
	stdin, err := cmd.StdinPipe()
	must(t, err)
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	line := make([]byte, 200)
	n, err := stdout.Read(line)
	must(t, err)
	if got := strings.TrimSpace(string(line[:n])); got != l.Token() {
		t.Errorf("token %q, want %q", got, l.Token())
	}
	if _, err := storage.LockHost(path); !holdfast.Is(err, holdfast.Conflict) {
		t.Errorf("held by another: got %v, want Conflict", err)
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait() // killed
	again, err := storage.LockHost(path)
	must(t, err)
	defer again.Close()
	if again.Token() != l.Token() {
		t.Error("the token changed")
	}
}

// lossFence counts how often the service was lost.
type lossFence struct{ lost chan error }

func (lossFence) Epoch() holdfast.Epoch { return 1 }
func (lossFence) Held() error           { return nil }
func (lossFence) Confirm() error        { return nil }
func (f lossFence) Lose(reason error)   { f.lost <- reason }

func TestParkingNeverShowsAFailedSync(t *testing.T) {
	disk := newDisk(t)
	fault := storagetest.NewFault(disk, storagetest.FailAt(0, unix.EIO).On(storagetest.OpSync))
	fence := lossFence{make(chan error, 2)}
	fs := storage.Parking(fault, fence)
	f, err := fs.Create("/d/f", vfs.WriteCategoryUnspecified)
	must(t, err)
	returned := make(chan string, 2)
	go func() { // parked for ever
		_ = f.Sync()
		returned <- "sync"
	}()
	<-fs.Lost()
	if err := <-fence.lost; !holdfast.Is(err, holdfast.Unknown) {
		t.Errorf("reason: %v", err)
	}
	entered := make(chan struct{})
	go func() { // so is who comes later
		close(entered)
		_ = fs.Remove("/d/f")
		returned <- "remove"
	}()
	<-entered
	if _, err := fs.Stat("/d/f"); err != nil {
		t.Errorf("reads go on: %v", err)
	}
	select {
	case who := <-returned:
		t.Errorf("%s returned", who)
	default:
	}
}

func TestParkingShowsFacts(t *testing.T) {
	fs := storage.Parking(newDisk(t), nil)
	if err := fs.Remove("/d/none"); err == nil {
		t.Error("removed what is not there")
	}
	full := storage.Parking(storagetest.NewFault(newDisk(t), storagetest.FailAt(0, unix.ENOSPC).On(storagetest.OpWrite)), nil)
	f, err := full.Create("/d/000001.sst", vfs.WriteCategoryUnspecified)
	must(t, err)
	if _, err := f.Write([]byte("x")); !storage.IsNoSpace(err) {
		t.Errorf("table on a full disk: %v", err)
	}
	if fs.Reason() != nil || full.Reason() != nil {
		t.Errorf("lost: %v, %v", fs.Reason(), full.Reason())
	}
}
