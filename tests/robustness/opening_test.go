package robustness

import (
	"fmt"
	"testing"
	"time"

	"holdfast/storage/storagetest"
)

// TestPowerLossWhileOpening takes the power away while a store is made, opened for the first time and given its first object. The
// next start must find a store, or make one, and keep what was acknowledged.
func TestPowerLossWhileOpening(t *testing.T) {
	t.Parallel()
	n := count(t, &image{disk: storagetest.NewCrash(), ledger: newLedger()}, script{steps: firstSteps()})
	whole := storagetest.NewFault(storagetest.NewCrash())
	if s, err := open(whole, "boot0", &clock{}, time.Millisecond, patient); err != nil {
		t.Fatal(err)
	} else if err := s.close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range whole.Calls() {
		if c.Op.Changes() {
			n++
		}
	}
	t.Logf("%d calls", n)
	for _, at := range points(n, 20, 1) {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			disk := storagetest.NewCrash()
			fs := storagetest.NewFault(disk, storagetest.StopAt(at))
			l := newLedger()
			if s, err := open(fs, "boot1", &clock{}, time.Millisecond, patient); err == nil {
				c := &client{store: s, ledger: l, uploads: l.ids}
				for _, do := range firstSteps() {
					if do(c) != nil {
						break
					}
				}
				defer s.closeBeside(disk)
			}
			fs.Stop()
			for _, seed := range []uint64{0, uint64(at) + 2} {
				after := l.clone()
				c := &client{store: mustOpen(t, disk.Crash(seed), "boot2", &clock{}, young), ledger: after, uploads: after.ids}
				c.checkBuckets(t)
				if !after.buckets[bucketThere(after)][0] {
					if err := makeBucket(bucketName)(c); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}
				c.check(t)
				c.empty(t)
				if err := c.store.close(); err != nil {
					t.Errorf("seed %d: close: %v", seed, err)
				}
			}
		})
	}
}

func firstSteps() []step { return []step{makeBucket(bucketName), put("first", 7, 20_000)} }

// bucketThere returns the name of the scripts' bucket, known to the ledger even if nobody asked for it yet.
func bucketThere(l *ledger) string {
	if len(l.buckets[bucketName]) == 0 {
		l.buckets[bucketName] = []bool{false}
	}
	return bucketName
}
