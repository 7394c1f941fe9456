package objsrv_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/objsrv/objtest"
	"holdfast/storage/storagetest"
)

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
