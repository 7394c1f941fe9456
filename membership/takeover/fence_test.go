package takeover_test

import (
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/membership/takeover"
	"holdfast/storage/storagetest"
)

func TestFenceConfirm(t *testing.T) {
	for _, c := range []struct {
		name string
		rule storagetest.Rule
		want holdfast.Kind
		lost bool
	}{
		{"the mount does not answer", storagetest.FailAt(0, unix.EIO), holdfast.Unknown, false},
		{"the file is gone", storagetest.FailAt(0, unix.ESTALE), holdfast.NotOwner, true},
	} {
		disk := newService(t)
		fs := storagetest.NewFault(disk)
		o := take(t, claimant(t, fs, 1, 1), false)
		fs.Add(c.rule.On(storagetest.OpForcedStat))
		if err := o.Fence.Confirm(); !holdfast.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if lost := o.Fence.Reason() != nil; lost != c.lost {
			t.Errorf("%s: lost %v, want %v", c.name, lost, c.lost)
		}
		if err := o.Fence.Confirm(); (err != nil) != c.lost {
			t.Errorf("%s: the next one: %v", c.name, err)
		}
	}
}

func TestFenceLoseKeepsTheFirstReason(t *testing.T) {
	o := take(t, claimant(t, newService(t), 1, 1), false)
	if o.Fence.Epoch() != 1 || o.Fence.Reason() != nil {
		t.Errorf("epoch %d, reason %v", o.Fence.Epoch(), o.Fence.Reason())
	}
	first := errors.New("first")
	o.Fence.Lose(first)
	o.Fence.Lose(errors.New("second"))
	<-o.Fence.Lost()
	if !errors.Is(o.Fence.Reason(), first) || !errors.Is(o.Fence.Confirm(), first) {
		t.Errorf("reason %v, confirm %v", o.Fence.Reason(), o.Fence.Confirm())
	}
	o.Abandon()
	o.Abandon()
}

// expired is a lease that has lapsed.
type expired struct{}

func (expired) Held() error { return holdfast.E("lease", holdfast.Unavailable, nil) }

// A write that was durable before anybody fenced the epoch counts, even if the lease has lapsed meanwhile; reads do not.
func TestConfirmDoesNotNeedTheLease(t *testing.T) {
	c := claimant(t, newService(t), 1, 1)
	c.Lease = expired{}
	o, err := c.Take(t.Context(), takeover.Request{Service: svc})
	must(t, err)
	must(t, o.Fence.Confirm())
	if err := o.Fence.Held(); !holdfast.Is(err, holdfast.Unavailable) {
		t.Errorf("held: %v", err)
	}
}

// Whoever fenced the epoch may be waiting only for this process to have looked, so one look that fails parks the service until
// one that began later succeeds.
func TestReadsWaitWhileTheFenceCannotBeRead(t *testing.T) {
	fs := storagetest.NewFault(newService(t))
	o := take(t, claimant(t, fs, 1, 1), false)
	must(t, o.Fence.Held())
	fs.Add(storagetest.FailAt(0, unix.EIO).On(storagetest.OpForcedStat))
	if err := o.Fence.Confirm(); !holdfast.Is(err, holdfast.Unknown) {
		t.Errorf("confirm: got %v, want Unknown", err)
	}
	if err := o.Fence.Held(); !holdfast.Is(err, holdfast.Unavailable) {
		t.Errorf("held after a look that failed: got %v, want Unavailable", err)
	}
	must(t, o.Fence.Confirm())
	must(t, o.Fence.Held())
}

func BenchmarkHeld(b *testing.B) {
	disk := storagetest.NewCrash()
	if err := takeover.CreateService(disk, root, svc); err != nil {
		b.Fatal(err)
	}
	o, err := claimant(b, disk, 1, 1).Take(b.Context(), takeover.Request{Service: svc})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_ = o.Fence.Held()
	}
}

// A service that is lost must be given up at once, though a look at its fence hangs with the mount.
func TestAbandonDoesNotWaitForAHangingMount(t *testing.T) {
	fs := storagetest.NewFault(newService(t))
	o := take(t, claimant(t, fs, 1, 1), false)
	fs.Add(storagetest.HangAt(0).On(storagetest.OpForcedStat))
	confirmed := make(chan error, 1)
	go func() { confirmed <- o.Fence.Confirm() }()
	for hung := false; !hung; { // until the call is in the mount
		for _, c := range fs.Calls() {
			hung = hung || c.Op == storagetest.OpForcedStat
		}
		runtime.Gosched()
	}
	o.Abandon() // deadlocked when it waited for the call
	fs.Release()
	if err := <-confirmed; err != nil {
		t.Errorf("the look that hung: got %v, want nil: the fence was unchanged", err)
	}
	if err := o.Fence.Confirm(); !holdfast.Is(err, holdfast.NotOwner) {
		t.Errorf("given up: got %v, want NotOwner", err)
	}
}
