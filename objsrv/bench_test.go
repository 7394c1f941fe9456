package objsrv_test

import (
	"bytes"
	"context"
	"holdfast/storage"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"holdfast"
	"holdfast/objsrv"
	"holdfast/objsrv/objtest"
)

// cpuTime returns the processor time this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// reportCPU adds the processor time per operation to the result.
func reportCPU(b *testing.B, start time.Duration) {
	b.ReportMetric(float64((cpuTime()-start).Microseconds())/float64(b.N), "cpu-µs/op")
}

// parallel runs f b.N times from a number of goroutines.
func parallel(b *testing.B, workers int, f func(worker int) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	start := cpuTime()
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for next.Add(1) <= int64(b.N) {
				if err := f(w); err != nil {
					b.Error(err)
					return
				}
			}
		}()
	}
	wg.Wait()
	reportCPU(b, start)
}

func BenchmarkCreate(b *testing.B) {
	for _, c := range []struct {
		name    string
		size    int
		workers int
	}{{"4KiB/1", 4 << 10, 1}, {"4KiB/16", 4 << 10, 16}, {"64KiB/16", 64 << 10, 16}, {"1MiB/4", 1 << 20, 4}, {"16MiB/4", 16 << 20, 4}} {
		b.Run(c.name, func(b *testing.B) {
			e := openNew(b, nil)
			data := objtest.Content(1, c.size)
			b.SetBytes(int64(c.size))
			b.ReportAllocs()
			parallel(b, c.workers, func(int) error {
				_, err := e.Create(context.Background(), holdfast.CreateRequest{Size: int64(c.size)}, bytes.NewReader(data))
				return err
			})
		})
	}
}

// BenchmarkRawWrite is what Create is measured against: the same bytes by pwrite and fdatasync of a file written before,
// each worker for itself.
func BenchmarkRawWrite(b *testing.B) {
	for _, c := range []struct {
		name    string
		size    int
		workers int
	}{{"4KiB/1", 4 << 10, 1}, {"4KiB/16", 4 << 10, 16}, {"1MiB/4", 1 << 20, 4}} {
		b.Run(c.name, func(b *testing.B) {
			f, err := os.Create(b.TempDir() + "/raw")
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			data := objtest.Content(1, c.size)
			const slots = 64
			for i := range slots {
				if _, err := f.WriteAt(data, int64(i*c.size)); err != nil {
					b.Fatal(err)
				}
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(c.size))
			parallel(b, c.workers, func(w int) error {
				if _, err := f.WriteAt(data, int64(w*c.size)); err != nil {
					return err
				}
				return syscall.Fdatasync(int(f.Fd()))
			})
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
	}{{"4KiB", 4 << 10}, {"64KiB", 64 << 10}, {"16MiB", 16 << 20}} {
		b.Run(c.name, func(b *testing.B) {
			e := openNew(b, nil)
			links := benchObjects(b, e, c.size, max(1, min(1000, (64<<20)/c.size)))
			b.SetBytes(int64(c.size))
			b.ReportAllocs()
			var n atomic.Int64
			parallel(b, 1, func(int) error {
				l := links[int(n.Add(1))%len(links)]
				_, err := e.Read(context.Background(), holdfast.ReadRequest{Object: l.Object, Length: l.Size}, sink{})
				return err
			})
		})
	}
}

// sink takes everything.
type sink struct{}

func (sink) Write(p []byte) (int, error) { return len(p), nil }

var _ io.Writer = sink{}

func benchObjects(b *testing.B, e *objsrv.Engine, size, n int) []holdfast.Link {
	b.Helper()
	links := make([]holdfast.Link, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				links[i] = objtest.MustCreate(b, e, objtest.Content(uint64(i), size))
			}
		}()
	}
	wg.Wait()
	return links
}

func BenchmarkFree(b *testing.B) {
	e := openNew(b, nil)
	const batch = 1000
	links := benchObjects(b, e, 4096, min(b.N, 200)*batch)
	ids := make([]holdfast.ObjectID, len(links))
	for i, l := range links {
		ids[i] = l.Object
	}
	b.ResetTimer()
	start := cpuTime()
	for i := range min(b.N, 200) {
		if err := e.Free(context.Background(), ids[i*batch:(i+1)*batch]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime()-start).Microseconds())/float64(min(b.N, 200)*batch), "cpu-µs/object")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(min(b.N, 200)*batch), "µs/object")
}

// BenchmarkStore fills a store with objects of 4 KiB, tells how much of the disk each takes, and how long the next Open is.
func BenchmarkStore(b *testing.B) {
	for _, n := range []int{100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			dir := b.TempDir()
			opt := objsrv.Options{
				Self: self, FS: storage.OS(), Dir: dir, StoreDir: dir + "/e1", Create: true,
				Fence: objtest.NewFence(1), NoBackground: true,
			}
			for b.Loop() {
				e, err := objsrv.Open(context.Background(), opt)
				if err != nil {
					b.Fatal(err)
				}
				if opt.Create {
					benchObjects(b, e, 4096, n)
					used, files := diskUse(b, dir)
					b.ReportMetric(float64(used)/float64(n), "disk-B/object")
					b.ReportMetric(float64(files), "files")
					opt.Create = false
				}
				started := time.Now()
				if err := e.Close(context.Background()); err != nil {
					b.Fatal(err)
				}
				closed := time.Now()
				if e, err = objsrv.Open(context.Background(), opt); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(time.Since(closed).Microseconds())/1000, "open-ms")
				b.ReportMetric(float64(closed.Sub(started).Microseconds())/1000, "close-ms")
				if err := e.Close(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// diskUse counts the bytes and files in a directory as the filesystem does.
func diskUse(b *testing.B, dir string) (used int64, files int) {
	b.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		used += info.Sys().(*syscall.Stat_t).Blocks * 512
		files++
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return used, files
}

// BenchmarkUploads streams 16 big objects at a time and tells the greatest heap seen.
func BenchmarkUploads(b *testing.B) {
	const size = 128 << 20
	e := openNew(b, nil)
	b.SetBytes(16 * size)
	var most uint64
	start := cpuTime()
	for b.Loop() {
		var wg sync.WaitGroup
		for range 16 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				link, err := e.Create(context.Background(), holdfast.CreateRequest{Size: size}, io.LimitReader(zeroReader{}, size))
				if err == nil {
					err = e.Free(context.Background(), []holdfast.ObjectID{link.Object})
				}
				if err != nil {
					b.Error(err)
				}
			}()
		}
		wg.Wait()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapInuse)
	}
	b.ReportMetric(float64(most)/(1<<20), "heap-MiB")
	reportCPU(b, start)
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
