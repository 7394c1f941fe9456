package namesrv_test

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
)

// With little left on the filesystem new names are refused, while deletes and reads go on; when there is room again, so do
// puts.
func TestLittleSpaceRefusesWhatGrows(t *testing.T) {
	disk := newDisk(t)
	opt := options(disk, true)
	opt.Limits.Background = time.Millisecond
	e := open(t, opt)
	root := holdfast.NewDirID(1, [16]byte{5: 1})
	one(t, e, holdfast.MakeDir{Dir: root, Parent: holdfast.VolumeRoot, Name: "b/", Root: root, Bucket: &holdfast.BucketInfo{Name: "b"}},
		holdfast.PutEntry{Dir: root, Name: "there"})
	put := func() error {
		rs, err := e.Apply(context.Background(), []holdfast.Tx{{Ops: []holdfast.Op{holdfast.PutEntry{Dir: root, Name: "new"}}}})
		if err != nil {
			t.Fatal(err)
		}
		return rs[0].Err
	}
	until := func(kind holdfast.Kind, what string) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; {
			if err := put(); holdfast.Is(err, kind) || err == nil && kind == holdfast.Other {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: puts did not come to %v", what, kind)
			}
		}
	}
	disk.SetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20, TotalBytes: 1 << 30})
	until(holdfast.NoSpace, "little space")
	one(t, e, holdfast.DeleteEntry{Dir: root, Name: "there"})
	answers, err := e.Lookup(context.Background(), []holdfast.Lookup{{Dir: root, Name: "there"}})
	if err != nil || !holdfast.Is(answers[0].Err, holdfast.NotFound) {
		t.Errorf("lookup of what was deleted: got %v, %v, want not found", answers[0].Err, err)
	}
	disk.SetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30, TotalBytes: 1 << 30})
	until(holdfast.Other, "room again")
}
