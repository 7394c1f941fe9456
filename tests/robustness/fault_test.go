package robustness

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/storage/storagetest"
	"holdfast/volume"
)

// fault is a way in which one call to the mount goes wrong while all others work.
type fault struct {
	name string
	rule func(n int) storagetest.Rule
	hits func(storagetest.Op) bool
}

func faults() []fault {
	return []fault{
		{"EIO", func(n int) storagetest.Rule { return storagetest.FailAt(n, unix.EIO) }, storagetest.Op.Changes},
		{"EIO-after", func(n int) storagetest.Rule { return storagetest.FailAfterAt(n, unix.EIO) }, storagetest.Op.Changes},
		{"ENOSPC", func(n int) storagetest.Rule { return storagetest.FailAt(n, unix.ENOSPC) }, storagetest.Op.Changes},
		{"failed-sync", func(n int) storagetest.Rule { return storagetest.FailAt(n, unix.EIO) },
			func(op storagetest.Op) bool { return op == storagetest.OpSync }},
	}
}

// arm puts the fault at its n-th call in force, until it is disarmed.
func (f fault) arm(fs *storagetest.FaultFS, n int) (disarm func()) {
	var armed atomic.Bool
	armed.Store(true)
	fs.Add(f.rule(n).Only(func(c storagetest.Call) bool { return armed.Load() && f.hits(c.Op) }))
	return func() { armed.Store(false) }
}

// TestFaultAtEveryIO lets each call of each script fail in turn; the short run takes samples. The service that met the fault
// is lost and comes back under a new epoch while the script goes on.
func TestFaultAtEveryIO(t *testing.T) {
	t.Parallel()
	for i, s := range scripts() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			im := newImage(t, s.prepare)
			n := count(t, im, s)
			for j, f := range faults() {
				for _, at := range points(n, 3, i+3*j) {
					t.Run(fmt.Sprintf("%s-%d", f.name, at), func(t *testing.T) {
						t.Parallel()
						goWrong(t, im, s, f, at)
					})
				}
			}
		})
	}
}

// triesOfUsers is how often clients try a request: SDKs do so three times by default.
const triesOfUsers = 3

// harmless reports whether an error is the answer to a retry of a request that had been done: the bucket is there already, or
// is gone.
func harmless(err error) bool {
	return holdfast.Is(err, holdfast.Exists) || errors.Is(err, volume.ErrNoBucket)
}

// goWrong runs a script over a fault. Requests succeed, because they are tried again, or fail in a way that tells the user to
// try again. Afterwards the store is checked as it runs, and again after a power loss.
func goWrong(t *testing.T, im *image, s script, f fault, at int) {
	r := im.start(t, callsWithin/2)
	r.ledger.repeats = true
	disarm := f.arm(r.faults, at)
	for i, do := range s.steps {
		begun := time.Now()
		err := do(r.client)
		for tries := 1; err != nil && retryable(err) && tries < triesOfUsers; tries++ {
			t.Logf("step %d: %v", i, err)
			err = do(r.client)
		}
		if err != nil && !harmless(err) {
			t.Errorf("step %d: %v", i, err)
		}
		if took := time.Since(begun); took > callsWithin/2 {
			t.Errorf("step %d took %v", i, took)
		}
	}
	disarm()
	r.store.awaitServices(t)
	r.check(t)
	if t.Failed() {
		t.Fatalf("the node wrote:\n%s", r.store.log)
	}
	r.store.settle(t)
	r.check(t)
	r.faults.Stop()
	r.comeBack(t, r.disk.Crash(2))
	if t.Failed() {
		t.Logf("the node wrote, before the power loss:\n%s", r.store.log)
	}
	r.store.closeBeside(r.disk)
}
