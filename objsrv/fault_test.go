package objsrv_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
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

// R6: a failed fsync loses the service; whoever waits is told Unknown, and nothing is tried again.
func TestFailedFsyncLosesTheService(t *testing.T) {
	for _, path := range []string{"pools", "e1"} {
		fs := storagetest.NewFault(newDisk(t))
		opt := crashOptions(fs, 1, newClock(), true)
		lost := make(chan error, 10)
		opt.Events.Lost = func(err error) { lost <- err }
		e := mustOpen(t, opt)
		if _, err := create(e, []byte("before")); err != nil {
			t.Fatal(err)
		}
		fs.Add(storagetest.FailAt(0, unix.EIO).On(storagetest.OpSync).Path(path))
		_, err := create(e, []byte("during"))
		wantKind(t, "Create while fsync fails in "+path, err, holdfast.Unknown)
		if err := opt.Fence.Held(); !holdfast.Is(err, holdfast.NotOwner) {
			t.Errorf("the fence was not told: Held = %v", err)
		}
		_, err = create(e, []byte("after"))
		wantKind(t, "Create after the loss", err, holdfast.NotOwner)
		_, err = e.Read(context.Background(), holdfast.ReadRequest{}, io.Discard)
		wantKind(t, "Read after the loss", err, holdfast.NotOwner)
		if err := <-lost; err == nil {
			t.Error("Lost was told without a reason")
		}
		end(e)
	}
	ended.Wait()
}

// R1: nothing is acknowledged when the fence's forced read fails after the flush.
func TestNothingIsAcknowledgedWithoutTheFence(t *testing.T) {
	disk, c := newDisk(t), newClock()
	opt := crashOptions(disk, 1, c, true)
	fence := objtest.NewFence(1)
	opt.Fence = fence
	e := mustOpen(t, opt)
	kept, err := create(e, []byte("kept"))
	if err != nil {
		t.Fatal(err)
	}
	fence.SetConfirm(holdfast.E("test", holdfast.Unavailable, nil))
	_, err = create(e, []byte("fenced"))
	wantKind(t, "Create", err, holdfast.Unavailable)
	wantKind(t, "Free", e.Free(context.Background(), []holdfast.ObjectID{kept.Object}), holdfast.Unavailable)
	fence.SetConfirm(nil)
	if err := e.Free(context.Background(), []holdfast.ObjectID{kept.Object}); err != nil {
		t.Errorf("Free again: %v", err)
	}
	c.Add(holdfast.GuardPeriod * 2)
	wantSound(t, e, true)
	end(e)
	ended.Wait()
}

// R1: the fence is asked after the flush, not before.
func TestFenceIsAskedAfterTheFlush(t *testing.T) {
	fs := storagetest.NewFault(newDisk(t))
	opt := crashOptions(fs, 1, newClock(), true)
	fence := objtest.NewFence(1)
	opt.Fence = fence
	e := mustOpen(t, opt)
	if _, err := create(e, []byte("first")); err != nil {
		t.Fatal(err)
	}
	before := len(fs.Calls())
	var pools, logs int
	fence.OnConfirm(func() {
		for _, call := range fs.Calls()[before:] {
			if call.Op == storagetest.OpSync && strings.Contains(call.Path, "pools") {
				pools++
			} else if call.Op == storagetest.OpSync {
				logs++
			}
		}
	})
	if _, err := create(e, []byte("second")); err != nil {
		t.Fatal(err)
	}
	if pools == 0 || logs == 0 {
		t.Errorf("before the fence was asked there were %d syncs of pools and %d of the log, want both", pools, logs)
	}
	fence.OnConfirm(nil)
	end(e)
	ended.Wait()
}

// R2: while the lease has lapsed nothing is written or read; when it is back, all goes on.
func TestLapsedLease(t *testing.T) {
	fs := storagetest.NewFault(newDisk(t))
	opt := crashOptions(fs, 1, newClock(), true)
	fence := objtest.NewFence(1)
	opt.Fence = fence
	e := mustOpen(t, opt)
	link, err := create(e, []byte("here"))
	if err != nil {
		t.Fatal(err)
	}
	fence.Set(holdfast.E("test", holdfast.Unavailable, nil))
	calls := len(fs.Calls())
	_, err = create(e, []byte("no"))
	wantKind(t, "Create", err, holdfast.Unavailable)
	_, err = objtest.ReadAll(context.Background(), e, link)
	wantKind(t, "Read", err, holdfast.Unavailable)
	wantKind(t, "Free", e.Free(context.Background(), []holdfast.ObjectID{link.Object}), holdfast.Unavailable)
	for _, call := range fs.Calls()[calls:] {
		if call.Op == storagetest.OpWrite {
			t.Errorf("%v without a lease", call)
		}
	}
	fence.Set(nil)
	objtest.MustRead(t, e, link, []byte("here"))
	end(e)
	ended.Wait()
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

// No space on the mount: NoSpace, nothing half done, and reads, frees and creates after a free go on.
func TestNoSpace(t *testing.T) {
	fs := storagetest.NewFault(newDisk(t))
	c := newClock()
	e := mustOpen(t, crashOptions(fs, 1, c, true))
	first, err := create(e, objtest.Content(1, 300_000))
	if err != nil {
		t.Fatal(err)
	}
	full := storagetest.FailAt(0, unix.ENOSPC).Every().On(storagetest.OpWrite).Path("pools")
	fs.Add(full)
	for _, n := range []int{4096, 300_000, 3 << 20} {
		_, err := create(e, objtest.Content(2, n))
		wantKind(t, "Create on a full disk", err, holdfast.NoSpace)
	}
	objtest.MustRead(t, e, first, objtest.Content(1, 300_000))
	if err := e.Free(context.Background(), []holdfast.ObjectID{first.Object}); err != nil {
		t.Errorf("Free on a full disk: %v", err)
	}
	wantSound(t, e, true)
	st, err := e.Status(context.Background())
	if err != nil || st.Objects != 0 || st.Allocated != 0 {
		t.Errorf("Status = %+v, %v, want nothing", st, err)
	}
	end(e)
	ended.Wait()
}

// With little left on the filesystem creates are refused before it is full, so that frees still work; under this
// pressure the oldest pins go.
func TestMinFreeAndPressureOnPins(t *testing.T) {
	disk, c := newDisk(t), newClock()
	opt := crashOptions(disk, 1, c, true)
	opt.MinFree = 1 << 20
	broken := 0
	opt.Events.PinsBroken = func(n int) { broken += n }
	e := mustOpen(t, opt)
	var links []holdfast.Link
	for i := range 4 {
		link, err := create(e, objtest.Content(uint64(i), 4096))
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, link)
	}
	ctx := context.Background()
	if err := e.Pin(ctx, []holdfast.ObjectID{links[0].Object}, holdfast.MaxPin); err != nil {
		t.Fatal(err)
	}
	if err := e.Free(ctx, []holdfast.ObjectID{links[0].Object}); err != nil {
		t.Fatal(err)
	}
	objtest.MustRead(t, e, links[0], objtest.Content(0, 4096))
	disk.SetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20, TotalBytes: 1 << 30})
	c.Add(2 * time.Second) // the old answer of the mount is stale
	made := 0
	for ; made < 100; made++ {
		if _, err := create(e, objtest.Content(9, 4096)); err != nil {
			wantKind(t, "Create", err, holdfast.NoSpace)
			break
		}
	}
	if made == 100 || broken != 1 {
		t.Errorf("%d objects went in and %d pins were broken, want NoSpace and 1", made, broken)
	}
	_, err := objtest.ReadAll(ctx, e, links[0])
	wantKind(t, "Read after the pin was broken", err, holdfast.NotFound)
	end(e)
	ended.Wait()
}

// Freed blocks of pinned objects come back when the pin ends, and not before.
func TestFreeWaitsForPins(t *testing.T) {
	c := newClock()
	e := mustOpen(t, crashOptions(newDisk(t), 1, c, true))
	ctx := context.Background()
	data := objtest.Content(1, 4096)
	link := objtest.MustCreate(t, e, data)
	if err := e.Pin(ctx, []holdfast.ObjectID{link.Object}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := e.Free(ctx, []holdfast.ObjectID{link.Object}); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		objtest.MustCreate(t, e, objtest.Content(uint64(i+2), 4096))
	}
	objtest.MustRead(t, e, link, data)
	c.Add(time.Minute)
	e.ExpirePins()
	_, err := objtest.ReadAll(ctx, e, link)
	wantKind(t, "Read after the pin ended", err, holdfast.NotFound)
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

type allCommitted struct{}

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

// A home that does not answer leaves only its own objects in doubt.
func TestSweepWithADeadHome(t *testing.T) {
	c := newClock()
	opt := crashOptions(newDisk(t), 1, c, true)
	n := &deadHome{dead: 5}
	opt.Names = n
	e := mustOpen(t, opt)
	ctx := context.Background()
	var ids []holdfast.ObjectID
	for i := range 10 {
		link, err := e.Create(ctx, holdfast.CreateRequest{Home: holdfast.Slot(i), Size: 3}, strings.NewReader("abc"))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, link.Object)
	}
	if r, err := e.Sweep(ctx); err != nil || r.Asked != 0 {
		t.Errorf("Sweep before the guard period = %+v, %v", r, err)
	}
	c.Add(holdfast.GuardPeriod + time.Second)
	r, err := e.Sweep(ctx)
	if err != nil || r.Asked != 10 || r.Doubtful != 1 || r.Freed != 4 {
		t.Errorf("Sweep = %+v, %v, want 10 asked, 4 freed, 1 doubtful", r, err)
	}
	infos, err := e.Stat(ctx, ids)
	if err != nil {
		t.Fatal(err)
	}
	for i, in := range infos {
		gone, settled := i%2 == 1 && i != 5, i%2 == 0
		if (in.Size < 0) != gone || in.Settled != settled {
			t.Errorf("object of home %d: %+v, want gone %v, settled %v", i, in, gone, settled)
		}
	}
	n.dead = 9999
	if r, err := e.Sweep(ctx); err != nil || r.Asked != 1 || r.Freed != 1 {
		t.Errorf("Sweep when the home is back = %+v, %v, want 1 asked and freed", r, err)
	}
	if r, err := e.Sweep(ctx); err != nil || r.Asked != 0 {
		t.Errorf("one more Sweep = %+v, %v, want nothing asked", r, err)
	}
	wantSound(t, e, true)
	end(e)
	ended.Wait()
}

// deadHome dooms odd homes, and does not answer for one.
type deadHome struct{ dead holdfast.Slot }

func (d *deadHome) Settle(_ context.Context, _ holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	fates := make([]holdfast.Fate, len(objects))
	for i, o := range objects {
		if o.Home == d.dead {
			return nil, errors.New("no answer")
		}
		if fates[i] = holdfast.FateCommitted; o.Home%2 == 1 {
			fates[i] = holdfast.FateDoomed
		}
	}
	return fates, nil
}

// Old files are read-only while their epoch may have a writer (R4), used after it is drained, and removed when empty.
func TestOldFiles(t *testing.T) {
	disk, c := newDisk(t), newClock()
	e := mustOpen(t, crashOptions(disk, 1, c, true))
	ctx := context.Background()
	var ids []holdfast.ObjectID
	for i := range 6 {
		ids = append(ids, objtest.MustCreate(t, e, objtest.Content(uint64(i), 4096)).Object)
	}
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}
	fs := storagetest.NewFault(disk)
	opt := crashOptions(fs, 2, c, false)
	opt.Undrained = []holdfast.Epoch{1}
	e = mustOpen(t, opt)
	c.Add(2 * holdfast.MaxPin)
	if err := e.Free(ctx, ids[:3]); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		objtest.MustCreate(t, e, objtest.Content(uint64(i), 4096))
	}
	if _, err := e.Defragment(ctx, 0); err != nil {
		t.Fatal(err)
	}
	wrote := func() bool {
		for _, call := range fs.Calls() {
			if strings.HasSuffix(call.Path, "/4096.1") && call.Op.Changes() && call.Op != storagetest.OpOpenData {
				return true
			}
		}
		return false
	}
	if wrote() {
		t.Error("R4: a file of an epoch that is not drained was changed")
	}
	e.Drained(1)
	objtest.MustCreate(t, e, objtest.Content(1, 4096))
	if !wrote() {
		t.Error("the holes of a drained file are not used")
	}
	infos, err := e.Objects(ctx, holdfast.ObjectID{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var all []holdfast.ObjectID
	for _, in := range infos {
		all = append(all, in.Object)
	}
	if err := e.Free(ctx, all); err != nil {
		t.Fatal(err)
	}
	if r, err := e.Defragment(ctx, 0); err != nil || r.Files != 1 {
		t.Errorf("Defragment = %+v, %v, want one old file removed", r, err)
	}
	if _, err := disk.Stat("/os/pools/4096.1"); err == nil {
		t.Error("the old file is still there")
	}
	objtest.MustCreate(t, e, objtest.Content(1, 4096))
	wantSound(t, e, true)
	end(e)
	ended.Wait()
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
