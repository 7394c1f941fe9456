package volume_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv"
	"holdfast/objsrv/objtest"
	"holdfast/storage/storagetest"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// freer carries what name servers free to the object servers.
type freer map[holdfast.ServiceID]holdfast.ObjectService

func (f freer) Free(ctx context.Context, os holdfast.ServiceID, ids []holdfast.ObjectID) error {
	return f[os].Free(ctx, ids)
}

// openEngines opens name server engines on stores in memory, and object servers in memory.
func openEngines(t testing.TB, names, objects int) *volume.Direct {
	t.Helper()
	ids := make([]holdfast.ServiceID, names)
	for i := range ids {
		ids[i] = holdfast.NewServiceID(holdfast.TypeNameServer, uint64(i+1))
	}
	slots := volume.NewSlotMap(ids...)
	direct := volume.NewDirect(slots)
	stores := make(freer)
	for i := range objects {
		id := holdfast.NewServiceID(holdfast.TypeObjectStore, uint64(i+1))
		stores[id] = objtest.NewMemory(id, nil)
		direct.SetObject(id, stores[id])
	}
	for i, id := range ids {
		fs := storagetest.NewCrash()
		dir := fmt.Sprint("e", i)
		if err := fs.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		var held []holdfast.Slot
		for s := range holdfast.Slot(holdfast.Slots) {
			if slots[s] == id {
				held = append(held, s)
			}
		}
		e, err := namesrv.Open(t.Context(), namesrv.Options{
			Self: id, FS: fs, StoreDir: dir, Fence: objtest.NewFence(1), Create: true, InitialSlots: held, Objects: stores,
			Limits: namesrv.Limits{CacheBytes: 8 << 20},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := e.Close(ctx); err != nil {
				t.Error(err)
			}
		})
		direct.SetName(id, e)
	}
	return direct
}

func TestSuiteOnEngines(t *testing.T) {
	volumetest.Suite(t, func(t testing.TB, names, objects int) volume.Services { return openEngines(t, names, objects) })
}
