package volume_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
)

func openFor(t *testing.T, s volume.Services) *volume.Volume {
	t.Helper()
	v, err := volume.Open(volume.Options{Services: s, RetryFor: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

func TestRecords(t *testing.T) {
	v := openFor(t, newCluster(2, 1))
	ctx := t.Context()
	none, err := v.ReadRecord(ctx, "c/x")
	if err != nil || none != (volume.Record{}) {
		t.Fatalf("got %+v, %v", none, err)
	}
	first, err := v.WriteRecord(ctx, "c/x", "1", holdfast.ETag{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.WriteRecord(ctx, "c/x", "2", holdfast.ETag{}); !holdfast.Is(err, holdfast.Precondition) {
		t.Errorf("made twice: got %v", err)
	}
	second, err := v.WriteRecord(ctx, "c/x", "1", first)
	if err != nil || second == first {
		t.Errorf("got %v, %v; want another tag", second, err)
	}
	if _, err := v.WriteRecord(ctx, "c/x", "3", first); !holdfast.Is(err, holdfast.Precondition) {
		t.Errorf("over an older tag: got %v", err)
	}
	if err := v.DropRecord(ctx, "c/x", first); !holdfast.Is(err, holdfast.Precondition) {
		t.Errorf("drop by an older tag: got %v", err)
	}
	if got, err := v.ReadRecord(ctx, "c/x"); err != nil || got != (volume.Record{Value: "1", Tag: second}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := v.DropRecord(ctx, "c/x", second); err != nil {
		t.Error(err)
	}
	if err := v.DropRecord(ctx, "c/x", second); err != nil {
		t.Errorf("drop again: %v", err)
	}
	if _, err := v.WriteRecord(ctx, "c/x", "3", second); !holdfast.Is(err, holdfast.Precondition) {
		t.Errorf("over what is gone: got %v", err)
	}
	if _, err := v.WriteRecord(ctx, "c/x", string(make([]byte, volume.MaxRecord+1)), holdfast.ETag{}); !holdfast.Is(err, holdfast.TooLarge) {
		t.Errorf("too large: got %v", err)
	}
	if page, err := v.Buckets(ctx, volume.BucketsOptions{Limit: 10}); err != nil || len(page.Buckets) != 0 {
		t.Errorf("the service bucket is listed: %+v, %v", page, err)
	}
}

// TestExclusive runs a task in several processes: one works at a time, and when it leaves another takes over.
func TestExclusive(t *testing.T) {
	services := newCluster(2, 1)
	const turn = 300 * time.Millisecond
	var working, most atomic.Int32
	began := make(chan int, 16)
	var all sync.WaitGroup
	stops := make([]context.CancelFunc, 3)
	for i := range stops {
		v := openFor(t, services)
		ctx, cancel := context.WithCancel(t.Context())
		stops[i] = cancel
		all.Go(func() {
			v.Exclusive(ctx, "task", turn, func(ctx context.Context) {
				most.Store(max(most.Load(), working.Add(1)))
				began <- i
				<-ctx.Done()
				working.Add(-1)
			})
		})
	}
	seen := map[int]bool{}
	for range stops {
		select {
		case i := <-began:
			if seen[i] {
				t.Errorf("process %d works again after it left", i)
			}
			seen[i] = true
			stops[i]()
		case <-time.After(20 * turn):
			t.Fatal("nobody took over")
		}
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d worked at once", most.Load())
	}
}

// TestExclusiveTakeover lets the record of a process that vanished stand: another takes over after a turn.
func TestExclusiveTakeover(t *testing.T) {
	v := openFor(t, newCluster(1, 1))
	if _, err := v.WriteRecord(t.Context(), "c/lease/task", "vanished", holdfast.ETag{}); err != nil {
		t.Fatal(err)
	}
	const turn = 200 * time.Millisecond
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 20*turn)
	defer cancel()
	var took time.Duration
	v.Exclusive(ctx, "task", turn, func(context.Context) {
		took = time.Since(begun)
		cancel()
	})
	if took < turn {
		t.Errorf("took over after %v, want at least %v", took, turn)
	}
}

// TestExclusiveAfterCrash has a process that crashed come back: it goes on at once with what it had, and another one waits for its turn.
func TestExclusiveAfterCrash(t *testing.T) {
	services := newCluster(1, 1)
	crashed := openAs(t, services, "one")
	ctx, cancel := context.WithCancel(t.Context())
	working := make(chan string, 2)
	var wg sync.WaitGroup
	exclusive := func(v *volume.Volume, name string) {
		wg.Go(func() {
			v.Exclusive(ctx, "task", time.Hour, func(ctx context.Context) { working <- name; <-ctx.Done() })
		})
	}
	exclusive(crashed, "crashed") // and holds the lease from now on, as one that crashed does
	if got := <-working; got != "crashed" {
		t.Fatalf("got %s", got)
	}
	exclusive(openAs(t, services, "another"), "another")
	exclusive(crashed, "the same again") // another task of the same run, not an earlier run
	exclusive(openAs(t, services, "one"), "back")
	select {
	case got := <-working:
		if got != "back" {
			t.Errorf("%s works, want the one that came back", got)
		}
	case <-time.After(20 * time.Second):
		t.Error("nobody took over")
	}
	cancel()
	wg.Wait()
}

func openAs(t *testing.T, s volume.Services, process string) *volume.Volume {
	t.Helper()
	v, err := volume.Open(volume.Options{Services: s, RetryFor: time.Second, Process: process})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}
