package volumetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"holdfast"
	"holdfast/volume"
)

// testBucketRaces has several gateways create, fill and delete the same bucket.
func testBucketRaces(t *testing.T, open Open) {
	s := open(t, 2, 1)
	volumes := []*volume.Volume{Start(t, s), Start(t, s), Start(t, s)}
	ctx := t.Context()
	for round := range 10 {
		var wg sync.WaitGroup
		var won atomic.Int64
		for w, v := range volumes {
			wg.Go(func() {
				info, err := v.CreateBucket(ctx, holdfast.BucketInfo{Name: "contended", Owner: fmt.Sprint(w)})
				switch {
				case err == nil:
					won.Add(1)
				case !holdfast.Is(err, holdfast.Exists):
					t.Errorf("create: %v", err)
				}
				if info.Owner == "" || info.Root.IsZero() {
					t.Errorf("round %d: the record is %+v", round, info)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d creators won", won.Load())
		}
		var kept atomic.Int64
		for w, v := range volumes {
			wg.Go(func() {
				if w == 0 {
					if err := v.DeleteBucket(ctx, "contended"); err != nil && !holdfast.Is(err, holdfast.NotEmpty) {
						t.Errorf("delete: %v", err)
					}
					return
				}
				b, err := v.Bucket(ctx, "contended")
				if err == nil {
					_, err = put(ctx, b, fmt.Sprintf("a/b/%d", w), []byte("x"))
				}
				if err == nil {
					kept.Add(1)
				} else if !holdfast.Is(err, holdfast.NotFound) {
					t.Errorf("put: %v", err)
				}
			})
		}
		wg.Wait()
		b, err := volumes[1].Bucket(ctx, "contended")
		if kept.Load() > 0 && err != nil {
			t.Fatalf("round %d: a key was put and the bucket is gone: %v", round, err)
		}
		if err != nil {
			continue
		}
		page, err := b.List(ctx, volume.ListOptions{Limit: 10})
		if err != nil || int64(len(page.Items)) != kept.Load() {
			t.Fatalf("round %d: %d keys are listed, %v; want %d", round, len(page.Items), err, kept.Load())
		}
		for _, it := range page.Items {
			b.Delete(ctx, []volume.DeleteRequest{{Key: it.Key}})
		}
		if err := volumes[2].DeleteBucket(ctx, "contended"); err != nil {
			t.Fatalf("round %d: delete of the emptied bucket: %v", round, err)
		}
	}
}

// testVersioningWhileWriting switches versioning on under load: what is put after that is never replaced.
func testVersioningWhileWriting(t *testing.T, open Open) {
	for round := range 4 {
		v := Start(t, open(t, 2, 1))
		MakeBucket(t, v, "bucket")
		var enabled, stop atomic.Bool
		var mu sync.Mutex
		versions := make(map[holdfast.VersionID]bool)
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := 0; i < 300 && !stop.Load(); i++ {
					after := enabled.Load()
					b := GetBucket(t, v, "bucket")
					res, err := put(t.Context(), b, fmt.Sprintf("%d/key", round), []byte{byte(w), byte(i)})
					if err != nil {
						t.Error(err)
						return
					}
					if after {
						mu.Lock()
						versions[res.Entry.Version] = true
						if len(versions) >= 20 {
							stop.Store(true)
						}
						mu.Unlock()
					}
				}
			})
		}
		on := holdfast.VersioningEnabled
		if _, err := v.UpdateBucket(t.Context(), "bucket", volume.BucketChange{Versioning: &on}); err != nil {
			t.Fatal(err)
		}
		enabled.Store(true)
		wg.Wait()
		page, err := GetBucket(t, v, "bucket").List(t.Context(), volume.ListOptions{What: holdfast.ListVersions, Limit: holdfast.MaxList})
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			delete(versions, it.Entry.Version)
		}
		if len(versions) > 0 {
			t.Fatalf("%d versions that were put after versioning was on are gone", len(versions))
		}
	}
}
