package takeover_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/membership/layout"
	"holdfast/membership/takeover"
	"holdfast/storage"
	"holdfast/storage/kv"
	"holdfast/storage/storagetest"
)

const (
	root = layout.Root("/r")
	svc  = holdfast.ServiceID(0x1000000000000001)
)

type always struct{}

func (always) Held() error { return nil }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// claimant is the number-th process of a host. All processes of a host here have the same lock, so each later one
// knows that the earlier ones are gone.
func claimant(t testing.TB, fs storage.FS, host holdfast.HostID, number uint64) *takeover.Claimant {
	inc := layout.Incarnation{
		Number: number, ID: holdfast.Incarnation{byte(host), byte(number)},
		Boot: "boot", Lock: "lock-of-" + host.String(), Address: "-",
	}
	if err := storage.MakeDir(fs, root.Host(host)); err == nil {
		_, _, _ = storage.CreateExclusive(fs, root.Host(host), layout.IncarnationName(number), inc.Encode())
	}
	return &takeover.Claimant{
		FS: fs, Root: root, Host: host, Incarnation: inc, Lease: always{}, T: 50 * time.Millisecond, Parallel: 1,
	}
}

// write commits keys to an owned service and acknowledges each by rule R1. It returns what was acknowledged, and no
// error if the store was lost on the way.
func write(fs storage.FS, o *takeover.Ownership, keys ...string) (acked []string) {
	s, err := kv.Open(fs, o.StoreDir, kv.Options{Fence: o.Fence})
	if err != nil {
		return nil
	}
	defer s.Close()
	for _, key := range keys {
		done := make(chan error, 1)
		go func() { done <- s.Set([]byte(key), []byte("v"), pebble.Sync) }()
		select {
		case err := <-done:
			if err != nil || o.Fence.Confirm() != nil {
				return acked
			}
			acked = append(acked, key)
		case <-s.Lost():
			return acked
		}
	}
	return acked
}

func checkKeys(t *testing.T, fs storage.FS, o *takeover.Ownership, keys []string, context string) {
	t.Helper()
	s, err := kv.Open(fs, o.StoreDir, kv.Options{})
	if err != nil {
		t.Fatalf("%s: %v", context, err)
	}
	defer s.Close()
	for _, key := range keys {
		_, closer, err := s.Get([]byte(key))
		if err != nil {
			t.Fatalf("%s: key %s was acknowledged: %v", context, key, err)
		}
		_ = closer.Close()
	}
}

// openAndUnfenced returns the epochs that are open and whose fence is as their owner made it.
func openAndUnfenced(t *testing.T, fs storage.FS) (epochs []holdfast.Epoch) {
	t.Helper()
	dir := root.Service(svc)
	claims, err := layout.ListClaims(fs, dir)
	must(t, err)
	for _, e := range claims {
		b, err := storage.ReadFile(fs, dir.Claims()+"/"+layout.OutcomeName(e), layout.MaxFile)
		if holdfast.Is(err, holdfast.NotFound) {
			continue
		}
		must(t, err)
		o, err := layout.ParseOutcome(b)
		must(t, err)
		fence, err := storage.ReadFile(fs, dir.Fence(e), layout.MaxFile)
		if o.Open && err == nil && string(fence) == string(layout.EncodeFence(e)) {
			epochs = append(epochs, e)
		}
	}
	return epochs
}

func newService(t *testing.T) *storagetest.CrashFS {
	t.Helper()
	disk := storagetest.NewCrash()
	must(t, takeover.CreateService(disk, root, svc))
	return disk
}

func take(t *testing.T, c *takeover.Claimant, force bool) *takeover.Ownership {
	t.Helper()
	o, err := c.Take(t.Context(), takeover.Request{Service: svc, Force: force})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestRestartInPlaceKeepsDataAndDrains(t *testing.T) {
	disk := newService(t)
	first := take(t, claimant(t, disk, 1, 1), false)
	if first.Epoch != 1 || !first.Created || first.Undrained != nil {
		t.Errorf("first: %+v", first)
	}
	acked := write(disk, first, "a", "b")
	must(t, storage.WriteFile(disk, first.PoolsDir+"/4096.1", []byte("pool")))

	second := take(t, claimant(t, disk, 1, 2), false) // the first process was killed
	if second.Epoch != 2 || second.Created || second.Undrained != nil {
		t.Errorf("second: epoch %d, created %v, undrained %v", second.Epoch, second.Created, second.Undrained)
	}
	if err := first.Fence.Confirm(); !holdfast.Is(err, holdfast.NotOwner) {
		t.Errorf("first owner: got %v, want NotOwner", err)
	}
	if err := first.Fence.Held(); !holdfast.Is(err, holdfast.NotOwner) {
		t.Errorf("first owner: got %v, want NotOwner", err)
	}
	checkKeys(t, disk, second, acked, "second owner")
	if stores, _ := layout.ListStores(disk, root.Service(svc)); fmt.Sprint(stores) != "[2]" {
		t.Errorf("stores: %v, want the old one gone", stores)
	}
	owner, err := storage.ReadFile(disk, root.Service(svc).OwnerFile(), layout.MaxFile)
	must(t, err)
	if got, err := layout.ParseOwner(owner); err != nil || got.Epoch != 2 || got.Host != 1 {
		t.Errorf("owner: %+v, %v", got, err)
	}
}

func TestReleasedServiceIsTakenAtOnceAndDrained(t *testing.T) {
	disk := newService(t)
	first := take(t, claimant(t, disk, 1, 1), false)
	acked := write(disk, first, "a")
	must(t, first.Release())
	second := take(t, claimant(t, disk, 2, 1), false) // another host, no heartbeat to wait for
	if second.Undrained != nil {
		t.Errorf("undrained: %v", second.Undrained)
	}
	checkKeys(t, disk, second, acked, "second owner")
}

// An epoch may have written to the holes of older pool files, so those are synced too before it is called drained.
func TestDrainingSyncsOlderPoolFiles(t *testing.T) {
	disk := newService(t)
	first := take(t, claimant(t, disk, 1, 1), false)
	must(t, storage.WriteFile(disk, first.PoolsDir+"/4096.1", []byte("pool")))
	must(t, first.Release())
	fs := storagetest.NewFault(disk)
	second := take(t, claimant(t, fs, 2, 1), false)
	must(t, second.Release())
	if !slices.ContainsFunc(fs.Calls(), func(c storagetest.Call) bool {
		return c.Op == storagetest.OpSync && strings.HasSuffix(c.Path, "/4096.1")
	}) {
		t.Error("the pool file of epoch 1 was not synced before epoch 2 was called drained")
	}
}

func TestForcedMoveLeavesTheOldEpochUndrained(t *testing.T) {
	disk := newService(t)
	take(t, claimant(t, disk, 1, 1), false)
	second := take(t, claimant(t, disk, 2, 1), true)
	if fmt.Sprint(second.Undrained) != "[1]" {
		t.Errorf("undrained: %v, want [1]", second.Undrained)
	}
	third := take(t, claimant(t, disk, 2, 2), false) // host 2 restarts: its own epoch is drained, that of host 1 is not
	if fmt.Sprint(third.Undrained) != "[1]" {
		t.Errorf("undrained: %v, want [1]", third.Undrained)
	}
	fourth := take(t, claimant(t, disk, 1, 2), true) // a new process of host 1 proves the old one gone
	if fmt.Sprint(fourth.Undrained) != "[3]" {
		t.Errorf("undrained: %v, want [3]", fourth.Undrained)
	}
}

func TestLiveOwnerIsNotDisturbed(t *testing.T) {
	disk := newService(t)
	owner := claimant(t, disk, 1, 1)
	o := take(t, owner, false)
	beat := layout.Heartbeat{Number: 1, T: 100 * time.Millisecond, Incarnation: owner.Incarnation.ID}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			beat.Counter++
			_ = storage.ReplaceFile(disk, root.Host(1), layout.HeartbeatFile, beat.Encode())
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	_, err := claimant(t, disk, 2, 1).Take(t.Context(), takeover.Request{Service: svc})
	if !holdfast.Is(err, holdfast.Unavailable) {
		t.Errorf("got %v, want Unavailable", err)
	}
	must(t, o.Fence.Confirm())
	close(stop)
	<-done
	second := take(t, claimant(t, disk, 2, 1), false) // the heart stopped
	if second.Epoch != 2 {
		t.Errorf("epoch %d", second.Epoch)
	}
}

// Power fails at every call of create, write, takeover and restart. Afterwards the next takeover succeeds, no older
// epoch's acknowledged data is lost, and exactly one epoch is open.
func TestCrashAtEveryCall(t *testing.T) {
	for n := 0; ; n++ {
		disk := storagetest.NewCrash()
		fs := storagetest.NewFault(disk, storagetest.TearAt(n))
		acked, created := life(t, fs)
		for _, seed := range []uint64{0, uint64(n) + 2} {
			name := fmt.Sprintf("stop at call %d, seed %d", n, seed)
			after := disk.Crash(seed)
			if !created {
				must(t, takeover.CreateService(after, root, svc))
			}
			o := take(t, claimant(t, after, 1, 9), false)
			checkKeys(t, after, o, acked, name)
			if open := openAndUnfenced(t, after); len(open) != 1 || open[0] != o.Epoch {
				t.Fatalf("%s: open epochs %v, want [%d]", name, open, o.Epoch)
			}
			if o.Undrained != nil {
				t.Fatalf("%s: undrained %v after a restart in place", name, o.Undrained)
			}
		}
		// The same without a power failure: the process is killed, and what it wrote stays in the page cache.
		if created {
			checkKeys(t, disk, take(t, claimant(t, disk, 1, 9), false), acked, fmt.Sprintf("killed at call %d", n))
		}
		if !fs.Triggered() {
			if len(acked) != 4 {
				t.Fatalf("acknowledged %v without a fault", acked)
			}
			t.Logf("%d calls", n)
			return
		}
	}
}

// life is two processes of one host, one after the other, on a new service. It returns the keys that were acknowledged.
func life(t *testing.T, fs *storagetest.FaultFS) (acked []string, created bool) {
	if takeover.CreateService(fs, root, svc) != nil {
		return nil, false
	}
	for number := range uint64(2) {
		o, err := claimant(t, fs, 1, number+1).Take(context.Background(), takeover.Request{Service: svc})
		if err != nil {
			if !fs.Stopped() {
				t.Fatalf("process %d: %v", number+1, err)
			}
			return acked, true
		}
		acked = append(acked, write(fs, o, fmt.Sprint(number, "x"), fmt.Sprint(number, "y"))...)
		if number == 1 {
			_ = o.Release() // may be stopped
		}
	}
	return acked, true
}

// A call fails, done or not done, but the process goes on: the takeover fails cleanly or succeeds, and the next one
// succeeds with everything that was acknowledged.
func TestErrorAtEveryCall(t *testing.T) {
	for _, rule := range []func(int) storagetest.Rule{
		func(n int) storagetest.Rule { return storagetest.FailAt(n, unix.EIO) },
		func(n int) storagetest.Rule { return storagetest.FailAfterAt(n, unix.EIO) },
	} {
		for n := 0; ; n++ {
			disk := newService(t)
			acked := write(disk, take(t, claimant(t, disk, 1, 1), false), "a", "b")
			fs := storagetest.NewFault(disk)
			c := claimant(t, fs, 1, 2)
			fs.Add(rule(n))
			o, err := c.Take(t.Context(), takeover.Request{Service: svc})
			if err == nil {
				acked = append(acked, write(disk, o, "c")...)
			} else if !fs.Triggered() {
				t.Fatal(err)
			}
			next := take(t, claimant(t, disk, 1, 3), false)
			checkKeys(t, disk, next, acked, fmt.Sprintf("error at call %d", n))
			if open := openAndUnfenced(t, disk); len(open) != 1 || open[0] != next.Epoch {
				t.Fatalf("error at call %d: open epochs %v, want [%d]", n, open, next.Epoch)
			}
			if !fs.Triggered() {
				break
			}
		}
	}
}

func TestRacingClaimantsHaveOneWinner(t *testing.T) {
	for round := range 20 {
		disk := newService(t)
		acked := write(disk, take(t, claimant(t, disk, 9, 1), false), "a")
		const racers = 4
		owned := make([]*takeover.Ownership, racers)
		var wg sync.WaitGroup
		for i := range racers {
			c := claimant(t, disk, holdfast.HostID(i+1), 1)
			wg.Go(func() {
				o, err := c.Take(context.Background(), takeover.Request{Service: svc, Force: true})
				switch {
				case err == nil:
					owned[i] = o
				case !holdfast.Is(err, holdfast.Conflict):
					t.Errorf("loser: %v", err)
				}
			})
		}
		wg.Wait()
		var holders []*takeover.Ownership
		for _, o := range owned {
			if o != nil && o.Fence.Confirm() == nil {
				holders = append(holders, o)
			}
		}
		if len(holders) > 1 {
			t.Fatalf("round %d: %d owners", round, len(holders))
		}
		if open := openAndUnfenced(t, disk); len(open) != len(holders) {
			t.Fatalf("round %d: open epochs %v, %d owners", round, open, len(holders))
		}
		last := take(t, claimant(t, disk, 8, 1), true)
		checkKeys(t, disk, last, acked, fmt.Sprintf("round %d", round))
	}
}

// The old owner goes on writing while its store is copied. Whatever it acknowledged is in the copy.
func TestTakeoverUnderAWritingZombie(t *testing.T) {
	for round := range 10 {
		disk := newService(t)
		first := take(t, claimant(t, disk, 1, 1), false)
		started, result := make(chan struct{}), make(chan []string)
		go func() {
			var keys []string
			for i := range 10_000 {
				keys = append(keys, fmt.Sprintf("k%06d", i))
			}
			result <- writeFast(disk, first, keys, started)
		}()
		<-started
		second := take(t, claimant(t, disk, 2, 1), true)
		acked := <-result
		if len(acked) == 10_000 {
			t.Log("the old owner was through before the takeover")
		}
		checkKeys(t, disk, second, acked, fmt.Sprintf("round %d", round))
	}
}

func writeFast(fs storage.FS, o *takeover.Ownership, keys []string, started chan<- struct{}) (acked []string) {
	s, err := kv.Open(fs, o.StoreDir, kv.Options{MemTableBytes: 256 << 10})
	if err != nil {
		close(started)
		return nil
	}
	defer s.Close()
	for i, key := range keys {
		if i == 50 {
			close(started)
		}
		if err := s.Set([]byte(key), make([]byte, 200), pebble.Sync); err != nil || o.Fence.Confirm() != nil {
			return acked
		}
		acked = append(acked, key)
	}
	return acked
}

func TestTakeErrors(t *testing.T) {
	disk := newService(t)
	c := claimant(t, disk, 1, 1)
	if _, err := c.Take(t.Context(), takeover.Request{Service: svc + 1}); !holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("no such service: %v", err)
	}
	boom := errors.New("boom")
	_, err := c.Take(t.Context(), takeover.Request{Service: svc, Prepare: func(string, bool) error { return boom }})
	if !errors.Is(err, boom) {
		t.Errorf("prepare fails: %v", err)
	}
	o := take(t, c, false)
	if o.Epoch != 2 || !o.Created {
		t.Errorf("after a failed one: epoch %d, created %v", o.Epoch, o.Created)
	}
	if stores, _ := layout.ListStores(disk, root.Service(svc)); fmt.Sprint(stores) != "[2]" {
		t.Errorf("stores: %v", stores)
	}
}
