package membership_test

import (
	"io"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
	"holdfast/membership"
	"holdfast/membership/heartbeat"
	"holdfast/membership/layout"
	"holdfast/membership/takeover"
	"holdfast/storage"
	"holdfast/storage/kv"
	"holdfast/storage/storagetest"
)

const svc = holdfast.ServiceID(0x0800000000000001)

func open(t *testing.T, opt membership.Options) *membership.Host {
	t.Helper()
	h, err := membership.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func take(t *testing.T, h *membership.Host) *takeover.Ownership {
	t.Helper()
	o, err := h.Take(t.Context(), takeover.Request{Service: svc})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// A host on a real directory: first start, clean restart, and a second process in between.
func TestHostOnADirectory(t *testing.T) {
	opt := membership.Options{FS: storage.OS(), Root: t.TempDir()}
	h := open(t, opt)
	if _, err := membership.Open(opt); !holdfast.Is(err, holdfast.Conflict) || !strings.Contains(err.Error(), "in use by process") {
		t.Errorf("second process: %v", err)
	}
	if err := h.CreateService(svc); err != nil {
		t.Fatal(err)
	}
	o := take(t, h)
	s, err := kv.Open(opt.FS, o.StoreDir, kv.Options{Fence: o.Fence})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Set([]byte("k"), []byte("v"), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{o.Fence.Confirm(), o.Fence.Held(), s.Close(), o.Release(), h.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	beat, err := heartbeat.Read(opt.FS, layout.Root(opt.Root), h.ID())
	if err != nil || !beat.Released {
		t.Errorf("heartbeat: %+v, %v; want released", beat, err)
	}

	again := open(t, opt)
	defer again.Close()
	if again.ID() != h.ID() || again.Incarnation().Number != 2 {
		t.Errorf("host %s number %d, want %s number 2", again.ID(), again.Incarnation().Number, h.ID())
	}
	ids, err := again.Services()
	if err != nil || len(ids) != 1 || ids[0] != svc {
		t.Errorf("services: %v, %v", ids, err)
	}
	o = take(t, again)
	if o.Epoch != 2 || o.Undrained != nil || o.Created {
		t.Errorf("epoch %d, undrained %v, created %v", o.Epoch, o.Undrained, o.Created)
	}
	s, err = kv.Open(opt.FS, o.StoreDir, kv.Options{Fence: o.Fence})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, closer, err := s.Get([]byte("k")); err != nil {
		t.Error(err)
	} else {
		_ = closer.Close()
	}
}

type noLock struct{}

func (noLock) Close() error { return nil }

// machine is one whose lock does not hold anybody back, as if the former process were dead.
func machine(boot, token string, local bool) membership.Machine {
	return membership.Machine{Boot: boot, LocalDisk: local,
		Lock: func(string) (io.Closer, string, error) { return noLock{}, token, nil }}
}

// After a crash of the process or of the machine nobody waits, and the old epoch is drained.
func TestRestartAfterACrashIsInstant(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after membership.Machine
	}{
		{"process killed", machine("boot1", "lock1", false), machine("boot1", "lock1", false)},
		{"machine rebooted, own disk", machine("boot1", "lock1", true), machine("boot2", "lock2", true)},
	} {
		disk := storagetest.NewCrash()
		h := open(t, membership.Options{FS: disk, Root: "/r", Machine: c.before})
		if err := h.CreateService(svc); err != nil {
			t.Fatal(err)
		}
		take(t, h)
		again := open(t, membership.Options{FS: disk.Crash(0), Root: "/r", Machine: c.after})
		if o := take(t, again); o.Epoch != 2 || o.Undrained != nil {
			t.Errorf("%s: epoch %d, undrained %v", c.name, o.Epoch, o.Undrained)
		}
		_, _ = h.Close(), again.Close()
	}
}

// A service that was lost (rule R6) is taken again by the same process under a new epoch, and its files stay quarantined.
func TestLostServiceComesBackUnderANewEpoch(t *testing.T) {
	disk := storagetest.NewCrash()
	h := open(t, membership.Options{FS: disk, Root: "/r", Machine: machine("boot1", "lock1", false)})
	defer h.Close()
	if err := h.CreateService(svc); err != nil {
		t.Fatal(err)
	}
	first := take(t, h)
	first.Fence.Lose(io.ErrUnexpectedEOF)
	<-first.Fence.Lost()
	if err := first.Release(); !holdfast.Is(err, holdfast.NotOwner) {
		t.Errorf("release of a lost service: got %v, want NotOwner", err)
	}
	second := take(t, h)
	if second.Epoch != 2 || len(second.Undrained) != 1 || second.Undrained[0] != 1 {
		t.Errorf("epoch %d, undrained %v; want 2 with [1]", second.Epoch, second.Undrained)
	}
}
