package objsrv_test

import (
	"context"
	"testing"

	"holdfast"
	"holdfast/objsrv"
	"holdfast/objsrv/objtest"
)

// TestRebuildFindsEveryObject loses the index of a store with objects of all sizes, freed and moved ones among them.
func TestRebuildFindsEveryObject(t *testing.T) {
	ctx, disk, c := context.Background(), newDisk(t), newClock()
	e, err := objsrv.Open(ctx, crashOptions(disk, 1, c, true))
	if err != nil {
		t.Fatal(err)
	}
	objects := map[holdfast.ObjectID][]byte{}
	var freed []holdfast.ObjectID
	for i := range 60 {
		data := objtest.Content(uint64(i), 3000+i)
		link := objtest.MustCreate(t, e, data)
		if i%8 != 0 {
			freed = append(freed, link.Object)
		} else {
			objects[link.Object] = data
		}
	}
	for i, n := range objtest.Sizes {
		data := objtest.Content(uint64(i), n)
		objects[objtest.MustCreate(t, e, data).Object] = data
	}
	if err := e.Free(ctx, freed); err != nil {
		t.Fatal(err)
	}
	c.Add(holdfast.MaxPin * 2)
	moved, err := e.Defragment(ctx, 0)
	if err != nil || moved.Moved == 0 {
		t.Fatalf("Defragment = %+v, %v, want something moved", moved, err)
	}
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}

	opt := crashOptions(disk, 2, c, true)
	opt.StoreDir = "/os/e2"
	report, err := objsrv.Rebuild(ctx, opt)
	if err != nil || report.Objects < int64(len(objects)) || report.BadHeaders != 0 {
		t.Fatalf("Rebuild = %+v, %v, want at least %d objects", report, err, len(objects))
	}
	opt.Create = false
	e, err = objsrv.Open(ctx, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer end(e)
	wantSound(t, e, false)
	for id, data := range objects {
		objtest.MustRead(t, e, holdfast.Link{Object: id, Size: int64(len(data))}, data)
	}
	infos, err := e.Objects(ctx, holdfast.ObjectID{}, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var unlinked []holdfast.ObjectID // what fsck would find
	for _, in := range infos {
		if objects[in.Object] == nil {
			unlinked = append(unlinked, in.Object)
		}
		if !in.Settled {
			t.Errorf("object %v is not settled after a rebuild", in.Object)
		}
	}
	if err := e.Free(ctx, unlinked); err != nil {
		t.Fatal(err)
	}
	wantSound(t, e, true)
	for id, data := range objects {
		objtest.MustRead(t, e, holdfast.Link{Object: id, Size: int64(len(data))}, data)
	}
}
