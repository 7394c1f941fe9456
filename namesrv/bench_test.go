package namesrv_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"

	"holdfast"
	"holdfast/namesrv"
	"holdfast/storage"
)

// benchServer returns a server on a real directory with n names of 4 KiB objects in one directory of a bucket.
func benchServer(b *testing.B, n int) (*namesrv.Engine, holdfast.DirID) {
	b.Helper()
	opt := options(storage.OS(), true)
	opt.StoreDir = b.TempDir()
	opt.Limits.CacheBytes = 256 << 20
	e := open(b, opt)
	one(b, e, script()[0]...)
	root := holdfast.NewDirID(1, [16]byte{5: 1})
	for i := 0; i < n; i += holdfast.MaxTxs {
		txs := make([]holdfast.Tx, min(holdfast.MaxTxs, n-i))
		for j := range txs {
			txs[j].Ops = []holdfast.Op{benchPut(root, uint64(i+j))}
		}
		if _, err := e.Apply(context.Background(), txs); err != nil {
			b.Fatal(err)
		}
	}
	warm(b, e, root)
	return e, root
}

// warm lists everything once, so that the cache holds what it can.
func warm(b *testing.B, e *namesrv.Engine, root holdfast.DirID) {
	b.Helper()
	for r := (holdfast.ListRequest{Dir: root, Limit: holdfast.MaxList}); ; r.After = true {
		ps, err := e.List(context.Background(), []holdfast.ListRequest{r})
		if err != nil || ps[0].Err != nil {
			b.Fatal(err, ps)
		}
		if !ps[0].More {
			return
		}
		r.From = ps[0].Items[len(ps[0].Items)-1].Name
	}
}

// cpuTime is what the process used, in all its threads, in nanoseconds.
func cpuTime() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail
	return u.Utime.Nano() + u.Stime.Nano()
}

func benchName(i uint64) string { return fmt.Sprintf("object-%08d", i) }

func benchPut(root holdfast.DirID, i uint64) holdfast.Op {
	h := (i + 1) * 0x9e3779b97f4a7c15
	var digest [16]byte
	for k := range digest {
		digest[k] = byte(h >> (k % 8 * 8))
		h = h*0x2545f4914f6cdd1d + 1
	}
	return holdfast.PutEntry{Dir: root, Name: benchName(i), Entry: holdfast.Entry{
		Size: 4096, ETag: holdfast.ETag{Digest: digest}, Owner: "0123456789abcdef",
		Headers: []holdfast.Header{{Name: "content-type", Value: "application/octet-stream"}},
		Content: holdfast.Content{Link: holdfast.Link{
			OS: holdfast.NewServiceID(holdfast.TypeObjectStore, 1), Object: holdfast.ObjectID{Epoch: 1, Counter: i + 1},
			Home: 1, Size: 4096, CRC: uint32(h),
		}},
	}}
}

// The sizes at which an operation is measured: its cost must not grow with the number of names.
var benchSizes = []int{100_000, 1_000_000}

func forSizes(b *testing.B, f func(b *testing.B, e *namesrv.Engine, root holdfast.DirID, n int)) {
	for _, n := range benchSizes {
		if testing.Short() && n > 100_000 {
			continue
		}
		e, root := benchServer(b, n) // once, not for each b.N
		b.Run(fmt.Sprintf("names=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.ResetTimer()
			start := cpuTime()
			f(b, e, root, n)
			b.ReportMetric(float64(cpuTime()-start)/1e3/float64(b.N), "cpu-µs/op")
			b.ReportMetric(float64(e.DiskUsage())/float64(n), "diskB/name")
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	forSizes(b, func(b *testing.B, e *namesrv.Engine, root holdfast.DirID, n int) {
		q := make([]holdfast.Lookup, 1)
		for i := range b.N {
			q[0] = holdfast.Lookup{Dir: root, Name: benchName(uint64(i*7919) % uint64(n))}
			as, err := e.Lookup(context.Background(), q)
			if err != nil || as[0].Err != nil {
				b.Fatal(err, as)
			}
		}
	})
}

func BenchmarkPut16(b *testing.B) {
	var next atomic.Uint64
	next.Store(1 << 32)
	forSizes(b, func(b *testing.B, e *namesrv.Engine, root holdfast.DirID, n int) {
		b.SetParallelism(8) // of 2 processors: 16 callers
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				rs, err := e.Apply(context.Background(), []holdfast.Tx{{Ops: []holdfast.Op{benchPut(root, next.Add(1))}}})
				if err != nil || rs[0].Err != nil {
					b.Error(err, rs)
				}
			}
		})
	})
}

func BenchmarkDelete1000(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		e, root := benchServer(b, 10_000)
		var calls [10][]holdfast.Tx
		for i := range 10_000 {
			calls[i/1000] = append(calls[i/1000], holdfast.Tx{Ops: []holdfast.Op{holdfast.DeleteEntry{Dir: root, Name: benchName(uint64(i))}}})
		}
		b.StartTimer()
		for _, txs := range calls {
			if _, err := e.Apply(context.Background(), txs); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		shut(b, e)
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "names/s")
}

func BenchmarkList(b *testing.B) {
	forSizes(b, func(b *testing.B, e *namesrv.Engine, root holdfast.DirID, _ int) {
		items := 0
		r := holdfast.ListRequest{Dir: root, Limit: 1000}
		for range b.N {
			ps, err := e.List(context.Background(), []holdfast.ListRequest{r})
			if err != nil || ps[0].Err != nil {
				b.Fatal(err, ps)
			}
			items += len(ps[0].Items)
			r.From, r.After = "", false
			if ps[0].More {
				r.From, r.After = ps[0].Items[len(ps[0].Items)-1].Name, true
			}
		}
		b.ReportMetric(float64(items)/b.Elapsed().Seconds(), "items/s")
	})
}
