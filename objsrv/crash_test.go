package objsrv_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/objsrv"
	"holdfast/objsrv/objtest"
	"holdfast/objsrv/pool"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

// names answers a sweep: what is in keep is committed, all else is doomed.
type names struct{ keep map[holdfast.ObjectID]bool }

func (n names) Settle(_ context.Context, _ holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	fates := make([]holdfast.Fate, len(objects))
	for i, o := range objects {
		if fates[i] = holdfast.FateDoomed; n.keep[o.Object] {
			fates[i] = holdfast.FateCommitted
		}
	}
	return fates, nil
}

// clock is a time that only tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_700_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// smallPools makes regions of few blocks, so that little data goes through many of them.
func smallPools(o *objsrv.Options) {
	o.RegionBlocks = func(pool.Class) uint32 { return 8 }
	o.Granule = func(pool.Class) uint32 { return 4 }
	o.NoBackground = true
	o.MinFree = 1
}

func crashOptions(fs storage.FS, epoch holdfast.Epoch, c *clock, create bool) objsrv.Options {
	o := objsrv.Options{
		Self: self, FS: fs, Dir: "/os", StoreDir: "/os/e1", Create: create,
		Fence: objtest.NewFence(epoch), Now: c.Now,
	}
	smallPools(&o)
	return o
}

// history is what a run was told and what it may not assume.
type history struct {
	opened  bool
	moved   int64                        // bytes, by defragmentation
	objects map[holdfast.ObjectID][]byte // created, acknowledged, and not asked to be freed
	freed   map[holdfast.ObjectID]bool   // freed, acknowledged
}

func newHistory() *history {
	return &history{objects: map[holdfast.ObjectID][]byte{}, freed: map[holdfast.ObjectID]bool{}}
}

// script does everything an engine does to the mount: small and big creates, several in one group, frees,
// defragmentation, a sweep, reuse of freed space. It goes on after errors, as clients do.
func script(fs storage.FS, epoch holdfast.Epoch, c *clock, h *history) {
	ctx := context.Background()
	opt := crashOptions(fs, epoch, c, true)
	keep := names{map[holdfast.ObjectID]bool{}}
	opt.Names = keep
	e, err := objsrv.Open(ctx, opt)
	if err != nil {
		return
	}
	h.opened = true
	var mu sync.Mutex
	create := func(seed uint64, n int, size int64) {
		data := objtest.Content(seed, n)
		link, err := e.Create(ctx, holdfast.CreateRequest{Home: 3, Size: size}, bytes.NewReader(data))
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			h.objects[link.Object] = data
			keep.keep[link.Object] = true
		}
	}
	free := func(least int) {
		var ids []holdfast.ObjectID
		for i, id := range sorted(h.objects) {
			if len(h.objects[id]) >= least && i%5 != 1 { // some stay everywhere, to be moved
				ids = append(ids, id)
			}
		}
		for _, id := range ids { // from now on either answer is right
			delete(h.objects, id)
		}
		if e.Free(ctx, ids) == nil {
			for _, id := range ids {
				h.freed[id] = true
			}
		}
	}
	var wg sync.WaitGroup
	for i := range 28 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			create(uint64(i), 3000+i*10, int64(3000+i*10))
		}()
	}
	wg.Wait()
	create(101, 300<<10, 300<<10)
	create(102, 1<<20+5000, -1)
	create(103, 9000, 9000)
	c.Add(holdfast.MaxPin + holdfast.GuardPeriod)
	_, _ = e.Sweep(ctx)
	free(0)
	result, _ := e.Defragment(ctx, 0)
	h.moved = result.Moved
	for i := range 6 {
		create(uint64(200+i), 4096, 4096)
	}
	free(200 << 10)
	create(300, 300<<10, 300<<10)
	end(e)
}

// ended counts engines that are being closed beside the tests: closing a lost one takes a while.
var ended sync.WaitGroup

func end(e *objsrv.Engine) {
	ended.Add(1)
	go func() {
		defer ended.Done()
		_ = e.Close(context.Background()) // a lost one says so
	}()
}

func sorted(m map[holdfast.ObjectID][]byte) []holdfast.ObjectID {
	return slices.SortedFunc(maps.Keys(m), func(a, b holdfast.ObjectID) int {
		if a.Less(b) {
			return -1
		}
		return 1
	})
}

// recoverAndCheck opens what a crash left and holds it against the history.
func recoverAndCheck(t *testing.T, fs storage.FS, epoch holdfast.Epoch, c *clock, h *history) {
	t.Helper()
	ctx := context.Background()
	opt := crashOptions(fs, epoch, c, false)
	keep := names{map[holdfast.ObjectID]bool{}}
	opt.Names = keep
	e, err := objsrv.Open(ctx, opt)
	if err != nil {
		if h.opened {
			t.Fatalf("Open after the crash: %v", err)
		}
		return // the store was never finished: nothing was promised
	}
	defer end(e)
	wantSound(t, e, false)
	for id, data := range h.objects {
		keep.keep[id] = true
		objtest.MustRead(t, e, holdfast.Link{Object: id, Size: int64(len(data))}, data)
	}
	for id := range h.freed {
		if infos, err := e.Stat(ctx, []holdfast.ObjectID{id}); err != nil || infos[0].Size != -1 {
			t.Errorf("Stat of freed object %v = %+v, %v, want none", id, infos, err)
		}
	}
	// Use space again, then have everything doomed freed: only what was acknowledged may remain, and it must be whole.
	c.Add(holdfast.MaxPin + time.Second)
	extra := objtest.MustCreate(t, e, objtest.Content(77, 100_000))
	keep.keep[extra.Object] = true
	h.objects[extra.Object] = objtest.Content(77, 100_000)
	defer delete(h.objects, extra.Object)
	c.Add(holdfast.GuardPeriod + time.Second)
	if _, err := e.Sweep(ctx); err != nil {
		t.Fatalf("Sweep: %v", err)
	}
	if _, err := e.Defragment(ctx, 0); err != nil {
		t.Fatalf("Defragment: %v", err)
	}
	wantSound(t, e, true)
	for id, data := range h.objects {
		objtest.MustRead(t, e, holdfast.Link{Object: id, Size: int64(len(data))}, data)
	}
}

func wantSound(t *testing.T, e *objsrv.Engine, data bool) {
	t.Helper()
	report, err := e.Check(context.Background(), data)
	if err != nil {
		t.Fatalf("Check: %v", err)
	}
	for _, p := range report.Problems {
		t.Errorf("Check: %s", p)
	}
}

// stride makes the crash tests visit every n-th I/O only, in -short runs.
func stride() int {
	if testing.Short() {
		return 5
	}
	return 1
}

// newDisk returns a disk with an empty service directory.
func newDisk(t *testing.T) *storagetest.CrashFS {
	t.Helper()
	disk := storagetest.NewCrash()
	if err := disk.MkdirAll("/os", 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := disk.OpenDir("/")
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Sync(); err != nil {
		t.Fatal(err)
	}
	return disk
}

func TestPowerLossAtEveryIO(t *testing.T) {
	defer ended.Wait()
	for n := 0; ; n += stride() {
		disk := newDisk(t)
		disk.DirectIO = n%2 == 0
		rule := storagetest.StopAt(n)
		if n%3 == 0 {
			rule = storagetest.TearAt(n)
		}
		fs := storagetest.NewFault(disk, rule)
		c, h := newClock(), newHistory()
		script(fs, 1, c, h)
		fs.Stop()
		for _, seed := range []uint64{0, 1, uint64(n) + 2} {
			epoch := holdfast.Epoch(2)
			if seed == 0 {
				epoch = 1 // the same owner, back under the same epoch
			}
			recoverAndCheck(t, disk.Crash(seed), epoch, c, h)
			if t.Failed() {
				t.Fatalf("stopped at I/O %d, crash seed %d", n, seed)
			}
		}
		if !fs.Triggered() {
			t.Logf("%d I/Os", n)
			if h.moved == 0 {
				t.Error("defragmentation moved nothing: the test does not test it")
			}
			return
		}
	}
}

// TestFailureAtEveryIO lets each I/O in turn fail while the rest works: the process lives on, and so may the engine. At its end
// the power goes.
func TestFailureAtEveryIO(t *testing.T) {
	defer ended.Wait()
	for _, failure := range []error{unix.EIO, unix.ENOSPC} {
		for n := 0; ; n += 2 * stride() {
			disk := newDisk(t)
			rule := storagetest.FailAt(n, failure)
			if n%4 == 0 {
				rule = storagetest.FailAfterAt(n, failure)
			}
			fs := storagetest.NewFault(disk, rule)
			c, h := newClock(), newHistory()
			script(fs, 1, c, h)
			triggered := fs.Triggered()
			fs.Stop()
			recoverAndCheck(t, disk.Crash(uint64(n)), 2, c, h)
			if t.Failed() {
				t.Fatalf("%v at I/O %d", failure, n)
			}
			if !triggered {
				break
			}
		}
	}
}
