package objsrv_test

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/objsrv"
	"holdfast/objsrv/objtest"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

// mustOpen opens an engine in the test's service directory.
func mustOpen(t *testing.T, opt objsrv.Options) *objsrv.Engine {
	t.Helper()
	e, err := objsrv.Open(context.Background(), opt)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return e
}

func create(e *objsrv.Engine, data []byte) (holdfast.Link, error) {
	return e.Create(context.Background(), holdfast.CreateRequest{Home: 77, Size: int64(len(data))}, bytes.NewReader(data))
}

func wantKind(t *testing.T, what string, err error, kinds ...holdfast.Kind) {
	t.Helper()
	for _, k := range kinds {
		if holdfast.Is(err, k) {
			return
		}
	}
	t.Errorf("%s: error %v, want one of kinds %v", what, err, kinds)
}

// A block whose write failed is not used again (quarantine); the object is refused, others are not.
func TestFailedWriteIsQuarantined(t *testing.T) {
	disk := newDisk(t)
	fs := storagetest.NewFault(disk)
	e := mustOpen(t, crashOptions(fs, 1, newClock(), true))
	first, err := create(e, []byte("makes the file"))
	if err != nil {
		t.Fatal(err)
	}
	before, err := e.Blocks(first.Object)
	if err != nil {
		t.Fatal(err)
	}
	poisoned := before[0]
	poisoned.Block++ // the next one
	fs.Add(storagetest.FailAt(0, unix.EIO).On(storagetest.OpWrite).Path("pools"))
	_, err = create(e, bytes.Repeat([]byte("x"), 4096))
	wantKind(t, "Create while a write fails", err, holdfast.Unavailable)
	var links []holdfast.Link
	for i := range 20 {
		link, err := create(e, objtest.Content(uint64(i), 4096))
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, link)
	}
	for i, l := range links {
		objtest.MustRead(t, e, l, objtest.Content(uint64(i), 4096))
		blocks, err := e.Blocks(l.Object)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(blocks, poisoned) {
			t.Errorf("object %v is in block %+v, whose write failed", l.Object, poisoned)
		}
	}
	wantSound(t, e, true)
	end(e)
	ended.Wait()
}

// Flipped bits on disk: Corrupt, for that object, from that sub-block on, and nothing bad is ever written out.
func TestFlippedBits(t *testing.T) {
	disk := newDisk(t)
	opt := crashOptions(disk, 1, newClock(), true)
	opt.Names = allCommitted{}
	var told []objsrv.CorruptInfo
	opt.Events.Corrupt = func(i objsrv.CorruptInfo) { told = append(told, i) }
	c := newClock()
	opt.Now = c.Now
	e := mustOpen(t, opt)
	ctx := context.Background()
	good := objtest.MustCreate(t, e, objtest.Content(1, 4096))
	data := objtest.Content(2, 200_000)
	bad := objtest.MustCreate(t, e, data)
	flip(t, disk, data[70_000:70_100])

	var b bytes.Buffer
	n, err := e.Read(ctx, holdfast.ReadRequest{Object: bad.Object, Length: 200_000}, &b)
	wantKind(t, "Read over the bad sub-block", err, holdfast.Corrupt)
	if n != 65536 || !bytes.Equal(b.Bytes(), data[:65536]) {
		t.Errorf("Read wrote %d bytes, want the 65536 good ones before the bad sub-block", n)
	}
	b.Reset()
	if _, err := e.Read(ctx, holdfast.ReadRequest{Object: bad.Object, Offset: 131_072, Length: 60_000}, &b); err != nil || !bytes.Equal(b.Bytes(), data[131_072:191_072]) {
		t.Errorf("Read behind the bad sub-block: %v", err)
	}
	objtest.MustRead(t, e, good, objtest.Content(1, 4096))

	if len(told) != 1 || told[0].Object != bad.Object || told[0].Offset != 65536 {
		t.Errorf("events = %+v, want one for offset 65536", told)
	}
	c.Add(2 * holdfast.GuardPeriod)
	if _, err := e.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	result, err := e.Scrub(ctx, 0)
	if err != nil || result.Objects != 2 || len(result.Corrupt) != 1 || result.Corrupt[0] != bad.Object {
		t.Errorf("Scrub = %+v, %v, want object %v corrupt of 2", result, err, bad.Object)
	}
	end(e)
	ended.Wait()
}

func (allCommitted) Settle(_ context.Context, _ holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	fates := make([]holdfast.Fate, len(objects))
	for i := range fates {
		fates[i] = holdfast.FateCommitted
	}
	return fates, nil
}

// flip inverts a bit of the bytes wherever they are in a pool file.
func flip(t *testing.T, fs storage.FS, what []byte) {
	t.Helper()
	names, err := fs.List("/os/pools")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := fs.OpenData("/os/pools/"+name, storage.Buffered)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		all := make([]byte, info.Size())
		if _, err := f.ReadAt(all, 0); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if i := bytes.Index(all, what); i >= 0 {
			if _, err := f.WriteAt([]byte{what[0] ^ 4}, int64(i)); err != nil {
				t.Fatal(err)
			}
			return
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the bytes are in no pool file")
}

// Close leaves no goroutine behind, whatever was going on.
func TestCloseEndsEveryGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	opt := crashOptions(newDisk(t), 1, newClock(), true)
	opt.NoBackground = false
	opt.Names = allCommitted{}
	e := mustOpen(t, opt)
	objtest.MustCreate(t, e, objtest.Content(1, 3<<20))
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(context.Background()); err != nil {
		t.Errorf("second Close: %v", err)
	}
	_, err := create(e, []byte("x"))
	wantKind(t, "Create after Close", err, holdfast.NotOwner)
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if got := runtime.NumGoroutine(); got > before {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines, %d before:\n%s", got, before, buf[:runtime.Stack(buf, true)])
	}
}
