package robustness

import (
	"fmt"
	"os"
	"testing"
	"time"

	"holdfast/storage/storagetest"
)

// long says whether every call is tried and not only some.
func long() bool { return os.Getenv("HOLDFAST_LONG") != "" }

// points returns the calls at which something goes wrong: of the first n, about so many in the short run, all in the long.
// The short run takes others for each salt.
func points(n, about, salt int) (at []int) {
	step := 1
	if !long() {
		step = max(1, n/about)
	}
	for i := salt % step; i <= n; i += step {
		at = append(at, i)
	}
	return at
}

// count runs a script without a fault and returns how many calls it made that change something.
func count(t *testing.T, im *image, s script) int {
	t.Helper()
	r := im.start(t, callsWithin/2)
	before := r.changes()
	for i, do := range s.steps {
		if err := do(r.client); err != nil {
			t.Fatalf("step %d without a fault: %v", i, err)
		}
	}
	n := r.changes() - before
	r.check(t)
	r.store.settle(t)
	r.empty(t)
	if err := r.store.close(); err != nil {
		t.Errorf("close: %v", err)
	}
	return n
}

// TestPowerLossAtEveryIO takes the power away at each call of each script in turn, in the long run; the short run takes samples.
func TestPowerLossAtEveryIO(t *testing.T) {
	t.Parallel()
	for i, s := range scripts() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			im := newImage(t, s.prepare)
			n := count(t, im, s)
			t.Logf("%d calls", n)
			for _, at := range points(n, 9, i) {
				t.Run(fmt.Sprint(at), func(t *testing.T) {
					t.Parallel()
					losePower(t, im, s, at)
				})
			}
		})
	}
}

// losePower stops the world at a call, looks at several disks that a power failure may leave, and goes on with each.
func losePower(t *testing.T, im *image, s script, at int) {
	rule := storagetest.StopAt(at)
	if at%2 == 1 {
		rule = storagetest.TearAt(at)
	}
	r := im.start(t, time.Millisecond)
	r.faults.Add(rule)
	var answer error
	for _, do := range s.steps {
		if answer = do(r.client); answer != nil {
			break
		}
	}
	r.faults.Stop()
	for _, seed := range []uint64{uint64(at % 2), uint64(at) + 2} {
		if !t.Run(fmt.Sprintf("seed%d", seed), func(t *testing.T) { r.comeBack(t, r.disk.Crash(seed)) }) {
			t.Logf("the last answer: %v; the node wrote:\n%s", answer, r.store.log)
		}
	}
	r.store.closeBeside(r.disk)
}

// comeBack opens a disk after a power loss and holds it against what users were told. Then life goes on.
func (r *run) comeBack(t *testing.T, disk *storagetest.CrashFS) {
	l := r.ledger.clone()
	c := &client{store: mustOpen(t, disk, "boot2", r.store.clock, young), ledger: l, uploads: l.ids}
	c.check(t)
	if t.Failed() {
		t.Fatalf("the node wrote:\n%s", c.store.log)
	}
	c.store.settle(t)
	c.check(t)
	if err := put("life/goes/on", 99, 50_000)(c); err != nil {
		t.Errorf("put after the crash: %v", err)
	}
	c.check(t)
	c.empty(t)
	if err := c.store.close(); err != nil {
		t.Errorf("close after the crash: %v", err)
	}
}
