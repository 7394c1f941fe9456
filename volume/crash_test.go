package volume_test

import (
	"bytes"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// TestStopAnywhere stops a gateway at its first, second, third … call to a server, for good. Another one must find nothing half
// visible, and complete or undo what was begun.
func TestStopAnywhere(t *testing.T) {
	data := volumetest.Data(1, 3000)
	for _, step := range []struct {
		name   string
		before func(*testing.T, *volume.Bucket)
		do     func(*testing.T, *volume.Bucket) error
	}{
		{"put", nil, func(t *testing.T, b *volume.Bucket) error { return putErr(t.Context(), b, "n/e/w/key", data) }},
		{
			"delete", func(t *testing.T, b *volume.Bucket) { volumetest.MustPut(t, b, "n/e/w/key", data) },
			func(t *testing.T, b *volume.Bucket) error {
				return b.Delete(t.Context(), []volume.DeleteRequest{{Key: "n/e/w/key"}})[0].Err
			},
		},
		{"upload", nil, func(t *testing.T, b *volume.Bucket) error {
			up, err := b.CreateUpload(t.Context(), "n/e/w/key", holdfast.Upload{})
			if err != nil {
				return err
			}
			_, err = b.PutPart(t.Context(), "n/e/w/key", up.ID, volume.PartRequest{Number: 1, Body: bytes.NewReader(data), Size: 3000})
			if err != nil {
				return err
			}
			return b.AbortUpload(t.Context(), "n/e/w/key", up.ID)
		}},
	} {
		t.Run(step.name, func(t *testing.T) {
			for n := 0; ; n++ {
				c := newCluster(3, 1)
				faults := &volumetest.Faults{Services: c.census}
				first := volumetest.Start(t, faults, quiet, func(o *volume.Options) { o.RetryFor = time.Millisecond })
				b := volumetest.MakeBucket(t, first, "bucket")
				if step.before != nil {
					step.before(t, b)
				}
				var calls atomic.Int64
				faults.Decide(func(string) volumetest.Fault {
					if calls.Add(1) > int64(n) {
						return volumetest.Lost
					}
					return volumetest.NoFault
				})
				err := step.do(t, b)
				stopped := calls.Load() > int64(n)
				second := volumetest.Start(t, c.census, func(o *volume.Options) {
					o.IntentEvery, o.IntentAge = time.Millisecond, time.Millisecond
				})
				checkOther(t, c, second, step.name, err, data)
				if !stopped {
					return
				}
				if n > 200 {
					t.Fatal("it does not end")
				}
			}
		})
	}
}

// checkOther looks at what a stopped gateway left with the eyes of another one.
func checkOther(t *testing.T, c *cluster, v *volume.Volume, step string, err error, data []byte) {
	t.Helper()
	b := volumetest.GetBucket(t, v, "bucket")
	got, readErr := readOrNil(t.Context(), b, "n/e/w/key")
	if readErr != nil || got != nil && !bytes.Equal(got, data) {
		t.Fatalf("the key holds %d bytes, %v", len(got), readErr)
	}
	if there := got != nil; err == nil && there != (step == "put") {
		t.Fatalf("%s succeeded; the key is there: %v", step, there)
	}
	var model volumetest.Model
	if got != nil {
		e, err := b.Head(t.Context(), "n/e/w/key", volume.Version{})
		if err != nil {
			t.Fatal(err)
		}
		model.Put("n/e/w/key", e.Version, got)
	}
	for _, delimiter := range []string{"", "/"} {
		o := volume.ListOptions{Delimiter: delimiter, Limit: 10}
		want, more := model.List(o)
		volumetest.WantList(t, b, o, want, more)
	}
	c.census.WantSettled(t)
	b.Delete(t.Context(), []volume.DeleteRequest{{Key: "n/e/w/key"}})
	if err := v.DeleteBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	c.census.WantSettled(t)
	if live, _ := c.census.Dirs(t); len(live) > 0 {
		t.Fatalf("%d directories outlive their bucket", len(live))
	}
}

// TestDeletesRemoveDirectories checks that the directories of a tree go once all its keys were deleted, also deep ones.
func TestDeletesRemoveDirectories(t *testing.T) {
	c, _, v := openFaulty(t, 2)
	b := volumetest.MakeBucket(t, v, "bucket")
	var reqs []volume.DeleteRequest
	for _, key := range volumetest.Zoo() {
		volumetest.MustPut(t, b, key, nil)
		reqs = append(reqs, volume.DeleteRequest{Key: key})
	}
	live, _ := c.census.Dirs(t)
	if len(live) < 1500 {
		t.Fatalf("the tree has %d directories; want 1024 and 511 and more", len(live))
	}
	for _, res := range b.Delete(t.Context(), reqs) {
		if res.Err != nil {
			t.Fatal(res.Err)
		}
	}
	volumetest.Eventually(t, "empty directories to go", func() bool {
		live, _ := c.census.Dirs(t)
		return len(live) == 1 // the bucket's root
	})
}

// TestStopAnywhereWithBuckets stops a gateway that creates or deletes a bucket. For another one the bucket is there or not, and it
// can be made and removed.
func TestStopAnywhereWithBuckets(t *testing.T) {
	for _, remove := range []bool{false, true} {
		for n, stopped := 0, true; stopped; n++ {
			c := newCluster(3, 1)
			faults := &volumetest.Faults{Services: c.census}
			first := volumetest.Start(t, faults, quiet, func(o *volume.Options) { o.RetryFor = time.Millisecond })
			if remove {
				b := volumetest.MakeBucket(t, first, "bucket")
				if _, err := b.CreateUpload(t.Context(), "a/b/c", holdfast.Upload{}); err != nil {
					t.Fatal(err)
				}
			}
			var calls atomic.Int64
			faults.Decide(func(string) volumetest.Fault {
				if calls.Add(1) > int64(n) {
					return volumetest.Lost
				}
				return volumetest.NoFault
			})
			var err error
			if remove {
				err = first.DeleteBucket(t.Context(), "bucket")
			} else {
				_, err = first.CreateBucket(t.Context(), holdfast.BucketInfo{Name: "bucket", Owner: "first"})
			}
			stopped = calls.Load() > int64(n)
			second := volumetest.Start(t, c.census, func(o *volume.Options) {
				o.IntentEvery, o.IntentAge = time.Millisecond, time.Millisecond
			})
			_, thereErr := second.Bucket(t.Context(), "bucket")
			if thereErr != nil && !holdfast.Is(thereErr, holdfast.NotFound) || err == nil && (thereErr == nil) == remove {
				t.Fatalf("remove %v, call %d: %v, then the bucket: %v", remove, n, err, thereErr)
			}
			_, err = second.CreateBucket(t.Context(), holdfast.BucketInfo{Name: "bucket", Owner: "second"})
			if err != nil && !(thereErr == nil && holdfast.Is(err, holdfast.Exists)) {
				t.Fatalf("remove %v, call %d: create: %v", remove, n, err)
			}
			b := volumetest.GetBucket(t, second, "bucket")
			volumetest.MustPut(t, b, "a/b/c", []byte("x"))
			b.Delete(t.Context(), []volume.DeleteRequest{{Key: "a/b/c"}})
			if err := second.DeleteBucket(t.Context(), "bucket"); err != nil {
				t.Fatalf("remove %v, call %d: delete: %v", remove, n, err)
			}
			c.census.WantSettled(t)
			if live, _ := c.census.Dirs(t); len(live) > 0 {
				t.Fatalf("remove %v, call %d: %d directories outlive their bucket", remove, n, len(live))
			}
		}
	}
}
