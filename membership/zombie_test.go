package membership_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/membership"
	"holdfast/membership/heartbeat"
	"holdfast/membership/layout"
	"holdfast/membership/takeover"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

// The mount of host 1 hangs. Host 2 waits for the lease and takes the service. When the mount of host 1 comes back, it has
// not answered a read since its lease lapsed, and does not after.
func TestCutOffHostStopsBeforeItsSuccessorStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewCrash()
		cut := storagetest.NewFault(disk)
		one := open(t, membership.Options{FS: cut, Root: "/r", Host: 1, Machine: machine("boot1", "lock1", false)})
		if err := one.CreateService(svc); err != nil {
			t.Fatal(err)
		}
		first := take(t, one)
		cut.Add(storagetest.HangAt(0).Every().On(storagetest.OpWrite, storagetest.OpSync, storagetest.OpForcedStat))

		two := open(t, membership.Options{FS: disk, Root: "/r", Host: 2, Machine: machine("boot2", "lock2", false)})
		began := time.Now()
		second := take(t, two)
		if waited := time.Since(began); waited < heartbeat.DefaultT || waited > 2*heartbeat.DefaultT {
			t.Errorf("host 2 waited %v", waited)
		}
		if err := first.Fence.Held(); !holdfast.Is(err, holdfast.Unavailable) {
			t.Errorf("host 1 when host 2 begins: got %v, want Unavailable", err)
		}
		if second.Epoch != 2 || fmt.Sprint(second.Undrained) != "[1]" {
			t.Errorf("epoch %d, undrained %v", second.Epoch, second.Undrained)
		}
		cut.Release()
		time.Sleep(heartbeat.DefaultT)
		synctest.Wait()
		if err := one.Held(); err != nil {
			t.Errorf("host 1 has a lease again, only not this service: %v", err)
		}
		if err := first.Fence.Held(); !holdfast.Is(err, holdfast.NotOwner) {
			t.Errorf("host 1 after the mount came back: got %v, want NotOwner", err)
		}
		if err := second.Fence.Held(); err != nil {
			t.Errorf("host 2: %v", err)
		}
		_, _ = one.Close(), two.Close()
	})
}

// A service is taken by force from an owner that is well. When the new owner begins, the old one has stopped to answer reads: else
// what the new one acknowledges could be missing from them. The simulation found that it went on until its next write.
func TestForcedTakeBeginsWhenTheOwnerHasStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewCrash()
		one := open(t, membership.Options{FS: disk, Root: "/r", Host: 1, Machine: machine("boot1", "lock1", false)})
		if err := one.CreateService(svc); err != nil {
			t.Fatal(err)
		}
		first := take(t, one)
		two := open(t, membership.Options{FS: disk, Root: "/r", Host: 2, Machine: machine("boot2", "lock2", false)})
		began := time.Now()
		second, err := two.Take(t.Context(), takeover.Request{Service: svc, Force: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Fence.Held(); !holdfast.Is(err, holdfast.NotOwner) {
			t.Errorf("the old owner when the new one begins: got %v, want NotOwner", err)
		}
		if waited := time.Since(began); waited > heartbeat.DefaultT {
			t.Errorf("waited %v, longer than for a dead host", waited)
		}
		if err := second.Fence.Held(); err != nil {
			t.Error(err)
		}
		_, _ = one.Close(), two.Close()
	})
}

// The hints are wrong, because writing them failed or a former owner's came late. The owner puts them right: gateways
// would ask the wrong host for ever.
func TestOwnerPutsItsHintsRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewCrash()
		h := open(t, membership.Options{FS: disk, Root: "/r", Host: 1, Machine: machine("boot1", "lock1", false)})
		if err := h.CreateService(svc); err != nil {
			t.Fatal(err)
		}
		o := take(t, h)
		dir := h.Root().Service(svc)
		wrong := layout.Owner{Epoch: 7, Host: 9, Address: "-"}
		for _, err := range []error{
			storage.ReplaceFile(disk, string(dir), layout.OwnerFile, wrong.Encode()), disk.Remove(dir.HostFile()),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if o.Published() {
			t.Error("wrong hints are taken for right")
		}
		time.Sleep(heartbeat.DefaultT + time.Second)
		synctest.Wait()
		if !o.Published() {
			t.Error("the hints are still wrong")
		}
		_ = h.Close()
	})
}

// A host is stopped at every call from its first start to its clean end; the next process starts at once and owns everything.
func TestHostCrashAtEveryCall(t *testing.T) {
	for n := 0; ; n++ {
		disk := storagetest.NewCrash()
		fs := storagetest.NewFault(disk, storagetest.TearAt(n))
		hostLife(fs)
		for _, after := range []*storagetest.CrashFS{disk, disk.Crash(0), disk.Crash(uint64(n) + 2)} {
			h := open(t, membership.Options{FS: after, Root: "/r", Host: 1, Machine: machine("boot1", "lock1", false)})
			if err := h.CreateService(svc); err != nil {
				t.Fatal(err)
			}
			o := take(t, h)
			if o.Undrained != nil {
				t.Fatalf("stop at call %d: undrained %v", n, o.Undrained)
			}
			if err := o.Release(); err != nil {
				t.Fatal(err)
			}
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if !fs.Triggered() {
			return
		}
	}
}

func hostLife(fs *storagetest.FaultFS) {
	h, err := membership.Open(membership.Options{FS: fs, Root: "/r", Host: 1, Machine: machine("boot1", "lock1", false)})
	if err != nil {
		return
	}
	defer h.Close()
	if h.CreateService(svc) != nil {
		return
	}
	if o, err := h.Take(context.Background(), takeover.Request{Service: svc}); err == nil {
		_ = o.Release() // may be stopped
	}
}
