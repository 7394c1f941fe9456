package volume_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv"
	"holdfast/objsrv"
	"holdfast/objsrv/objtest"
	"holdfast/storage"
	"holdfast/storage/storagetest"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// freer carries what name servers free to the object servers.
type freer map[holdfast.ServiceID]holdfast.ObjectService

func (f freer) Free(ctx context.Context, os holdfast.ServiceID, ids []holdfast.ObjectID) error {
	return f[os].Free(ctx, ids)
}

// settler carries what object servers ask to the name servers.
type settler struct{ volume.Services }

func (s settler) Settle(ctx context.Context, os holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	fates := make([]holdfast.Fate, len(objects))
	for i, o := range objects {
		names, err := s.NameServer(ctx, s.SlotMap()[o.Home])
		if err != nil {
			return nil, err
		}
		one, err := names.Settle(ctx, os, []holdfast.GuardedObject{o})
		if err != nil {
			return nil, err
		}
		fates[i] = one[0]
	}
	return fates, nil
}

// openEngines opens name server engines on stores in memory, and object servers in memory.
func openEngines(t testing.TB, names, objects int) *volume.Direct {
	t.Helper()
	return openOn(t, names, objects, func() (storage.FS, string) { return storagetest.NewCrash(), "" },
		func(id holdfast.ServiceID, _ settler) holdfast.ObjectService { return objtest.NewMemory(id, nil) })
}

// openDisk opens both kinds of engines on the machine's files.
func openDisk(t testing.TB, names, objects int) *volume.Direct {
	t.Helper()
	return openOn(t, names, objects, func() (storage.FS, string) { return storage.OS(), t.TempDir() + "/" },
		func(id holdfast.ServiceID, s settler) holdfast.ObjectService {
			dir := t.TempDir()
			e, err := objsrv.Open(t.Context(), objsrv.Options{
				Self: id, FS: storage.OS(), Dir: dir, StoreDir: dir + "/e1", Create: true, Fence: objtest.NewFence(1), Names: s,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := e.Close(context.Background()); err != nil {
					t.Error(err)
				}
			})
			return e
		})
}

func openOn(t testing.TB, names, objects int, newFS func() (storage.FS, string), newObjects func(holdfast.ServiceID, settler) holdfast.ObjectService) *volume.Direct {
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
		stores[id] = newObjects(id, settler{direct})
		direct.SetObject(id, stores[id])
	}
	for i, id := range ids {
		fs, dir := newFS()
		dir += fmt.Sprint("e", i)
		if err := fs.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		e, err := namesrv.Open(t.Context(), namesrv.Options{
			Self: id, FS: fs, StoreDir: dir, Fence: objtest.NewFence(1), Create: true, InitialSlots: slots.Held(id), Objects: stores,
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

func TestSuiteOnDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("the suite on the machine's files takes seconds")
	}
	volumetest.Suite(t, func(t testing.TB, names, objects int) volume.Services { return openDisk(t, names, objects) })
}

func TestSuiteOnEngines(t *testing.T) {
	volumetest.Suite(t, func(t testing.TB, names, objects int) volume.Services { return openEngines(t, names, objects) })
}
