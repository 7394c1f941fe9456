package account

import (
	"context"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv"
	"holdfast/objsrv/objtest"
	"holdfast/storage/storagetest"
	"holdfast/volume"
)

// freer carries what the name server frees to the object server.
type freer struct{ holdfast.ObjectService }

func (f freer) Free(ctx context.Context, _ holdfast.ServiceID, ids []holdfast.ObjectID) error {
	return f.ObjectService.Free(ctx, ids)
}

// openEngine opens a volume on a name server engine with its store in memory.
func openEngine(t testing.TB) *volume.Volume {
	t.Helper()
	id := holdfast.NewServiceID(holdfast.TypeNameServer, 1)
	slots := volume.NewSlotMap(id)
	direct := volume.NewDirect(slots)
	os := holdfast.NewServiceID(holdfast.TypeObjectStore, 1)
	objects := objtest.NewMemory(os, nil)
	direct.SetObject(os, objects)
	fs := storagetest.NewCrash()
	if err := fs.MkdirAll("e1", 0o755); err != nil {
		t.Fatal(err)
	}
	e, err := namesrv.Open(t.Context(), namesrv.Options{
		Self: id, FS: fs, StoreDir: "e1", Fence: objtest.NewFence(1), Create: true, InitialSlots: slots.Held(id), Objects: freer{objects},
		Limits: namesrv.Limits{CacheBytes: 8 << 20},
	})
	if err != nil {
		t.Fatal(err)
	}
	direct.SetName(id, e)
	v, err := volume.Open(volume.Options{Services: direct})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return v
}

// TestEngine does on a real name server what the other tests do on those in memory: one user's whole life.
func TestEngine(t *testing.T) {
	v := openEngine(t)
	o := Options{Volume: v, Keys: newRing(t), Root: testRoot}
	p := &pair{v, New(o), New(o)}
	ctx := t.Context()
	u := must[User](t)(p.here.Create(ctx, "a@b", false))
	a := must[Service](t)(p.here.CreateService(ctx, u.ID, "app", []byte("{}")))
	signs(t, p.there, u.Keys[0].AccessKey, true)
	signs(t, p.there, a.AccessKey, true)
	if err := p.here.SetEnabled(ctx, u.ID, false); err != nil {
		t.Fatal(err)
	}
	signs(t, p.there, u.Keys[0].AccessKey, false)
	signs(t, p.there, a.AccessKey, false)
	if err := p.here.Delete(ctx, u.ID); err != nil {
		t.Fatal(err)
	}
	p.leavesNothing(t)
	if page, err := v.Buckets(ctx, volume.BucketsOptions{Limit: 10}); err != nil || len(page.Buckets) != 0 {
		t.Errorf("the service bucket is listed: %v, %v", page.Buckets, err)
	}
}

// BenchmarkIdentity measures what a request pays for a key that is in the cache.
func BenchmarkIdentity(b *testing.B) {
	s := New(Options{Volume: openEngine(b), Keys: newRing(b), Root: testRoot})
	key := must[User](b)(s.Create(b.Context(), "a@b", false)).Keys[0].AccessKey
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := s.Identity(b.Context(), key); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkIdentityMiss measures the first request of a key in an epoch.
func BenchmarkIdentityMiss(b *testing.B) {
	s := New(Options{Volume: openEngine(b), Keys: newRing(b), Root: testRoot})
	key := must[User](b)(s.Create(b.Context(), "a@b", false)).Keys[0].AccessKey
	b.ReportAllocs()
	for b.Loop() {
		s.identities = cache[Identity]{}
		if _, ok, err := s.Identity(b.Context(), key); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
