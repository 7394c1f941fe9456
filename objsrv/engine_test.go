package objsrv_test

import (
	"context"
	"testing"

	"holdfast"
	"holdfast/objsrv"
	"holdfast/objsrv/objtest"
	"holdfast/storage"
)

var self = holdfast.NewServiceID(holdfast.TypeObjectStore, 1)

// openNew opens a new engine in a directory of the machine.
func openNew(t testing.TB, change func(*objsrv.Options)) *objsrv.Engine {
	t.Helper()
	dir := t.TempDir()
	opt := objsrv.Options{
		Self: self, FS: storage.OS(), Dir: dir, StoreDir: dir + "/e1", Create: true,
		Fence: objtest.NewFence(1), NoBackground: true,
	}
	if change != nil {
		change(&opt)
	}
	e, err := objsrv.Open(t.Context(), opt)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

func TestEngineKeepsTheContract(t *testing.T) {
	objtest.Suite(t, func(t *testing.T) holdfast.ObjectService { return openNew(t, nil) })
}

func TestEngineKeepsTheContractThroughThePageCache(t *testing.T) {
	objtest.Suite(t, func(t *testing.T) holdfast.ObjectService {
		return openNew(t, func(o *objsrv.Options) { o.NoDirect = true })
	})
}
