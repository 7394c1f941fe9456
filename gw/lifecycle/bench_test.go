package lifecycle

import (
	"context"
	"fmt"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv"
	"holdfast/objsrv/objtest"
	"holdfast/storage"
	"holdfast/volume"
)

// benchNames is how many names the bucket of BenchmarkScan has, in directories of 1000.
const benchNames = 100_000

// BenchmarkScan goes through a bucket on a real name server, of which nothing is due. An operation is one name.
func BenchmarkScan(b *testing.B) {
	for _, versioning := range []holdfast.Versioning{holdfast.VersioningOff, holdfast.VersioningEnabled} {
		b.Run(fmt.Sprint("versioning=", versioning), func(b *testing.B) { benchScan(b, versioning) })
	}
}

func benchScan(b *testing.B, versioning holdfast.Versioning) {
	id := holdfast.NewServiceID(holdfast.TypeNameServer, 1)
	slots := volume.NewSlotMap(id)
	dir := b.TempDir() + "/e1"
	if err := storage.OS().MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	e, err := namesrv.Open(b.Context(), namesrv.Options{
		Self: id, FS: storage.OS(), StoreDir: dir, Fence: objtest.NewFence(1), Create: true, InitialSlots: slots.Held(id),
		Limits: namesrv.Limits{CacheBytes: 64 << 20},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close(context.Background())
	services := volume.NewDirect(slots)
	services.SetName(id, e)
	os := holdfast.NewServiceID(holdfast.TypeObjectStore, 1)
	services.SetObject(os, objtest.NewMemory(os, nil))
	v, err := volume.Open(volume.Options{Services: services})
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	info := holdfast.BucketInfo{Name: "bucket", Versioning: versioning, Settings: map[string][]byte{Setting: document(tenDays)}}
	if info, err = v.CreateBucket(b.Context(), info); err != nil {
		b.Fatal(err)
	}
	fill(b, v, e, info)
	r := newRunner(Options{Volume: v, Rate: 1 << 30})
	b.ResetTimer()
	for done := 0; done < b.N; {
		s, err := r.scan(b.Context(), &info)
		if err != nil || s.names != benchNames {
			b.Fatalf("%d names, %v", s.names, err)
		}
		done += s.names
		if err := r.save(b.Context(), &info, progress{}); err != nil { // begin anew
			b.Fatal(err)
		}
		b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "names/s")
	}
}

// fill makes the names without their bytes, which nobody looks at.
func fill(b *testing.B, v *volume.Volume, e *namesrv.Engine, info holdfast.BucketInfo) {
	const perDir = 1000
	for d := range benchNames / perDir {
		dir := holdfast.NewDirID(holdfast.Slot(d), [16]byte{8: byte(d), 9: byte(d >> 8), 10: 1})
		name := fmt.Sprintf("%06d/", d)
		ops := []holdfast.Op{
			holdfast.MakeDir{Dir: dir, Parent: info.Root, Name: name, Root: info.Root},
			holdfast.LinkDir{Parent: info.Root, Name: name, Child: dir},
		}
		txs := make([]holdfast.Tx, perDir)
		for i := range txs {
			entry := holdfast.Entry{Owner: "owner", Headers: []holdfast.Header{{Name: "content-type", Value: "image/jpeg"}}, Modified: time.Now()}
			txs[i].Ops = []holdfast.Op{holdfast.PutEntry{Dir: dir, Name: fmt.Sprintf("photo-%08d.jpg", i), Entry: entry, Versioning: info.Versioning}}
		}
		for _, part := range [][]holdfast.Tx{{{Ops: ops}}, txs} {
			results, err := e.Apply(b.Context(), part)
			if err != nil || results[0].Err != nil {
				b.Fatalf("%v, %v", err, results)
			}
		}
	}
}
