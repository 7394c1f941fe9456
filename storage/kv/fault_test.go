package kv_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/storage"
	"holdfast/storage/kv"
	"holdfast/storage/storagetest"
)

func newDisk(t testing.TB) *storagetest.CrashFS {
	t.Helper()
	disk := storagetest.NewCrash()
	if err := storage.MakeDir(disk, "/db"); err != nil {
		t.Fatal(err)
	}
	s, err := kv.Open(disk, "/db", kv.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return disk
}

// A call fails at each place in turn while the process lives on. Whatever happens, the store either goes on or is lost, Close
// returns, and after a power failure everything that was acknowledged is there.
func TestErrorAtEveryCall(t *testing.T) {
	for _, rule := range []func(int) storagetest.Rule{
		func(n int) storagetest.Rule { return storagetest.FailAt(n, unix.EIO) },
		func(n int) storagetest.Rule { return storagetest.FailAfterAt(n, unix.EIO) },
		func(n int) storagetest.Rule { return storagetest.FailAt(n, unix.ENOSPC) },
	} {
		for n := 0; ; n++ {
			disk := newDisk(t)
			fs := storagetest.NewFault(disk, rule(n))
			acked, err := fill(fs)
			if err != nil && !fs.Triggered() {
				t.Fatal(err)
			}
			for _, seed := range []uint64{0, uint64(n) + 2} {
				checkFilled(t, disk.Crash(seed), acked, fmt.Sprintf("error at call %d, seed %d", n, seed))
			}
			if !fs.Triggered() {
				break
			}
		}
	}
}

// fill opens the store and commits until it is lost or through.
func fill(fs storage.FS) (acked int, err error) {
	s, err := kv.Open(fs, "/db", kv.Options{})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	for i := range 6 {
		done := make(chan error, 1)
		go func() {
			err := s.Set(fmt.Appendf(nil, "k%d", i), []byte("v"), pebble.Sync)
			if err == nil && i == 3 {
				err = s.Flush()
			}
			done <- err
		}()
		select {
		case err := <-done:
			if err != nil {
				return acked, err
			}
			acked++
		case <-s.Lost():
			return acked, s.Reason()
		}
	}
	return acked, s.Close()
}

func checkFilled(t *testing.T, disk storage.FS, acked int, context string) {
	t.Helper()
	s, err := kv.Open(disk, "/db", kv.Options{})
	if err != nil {
		t.Fatalf("%s: %v", context, err)
	}
	defer s.Close()
	for i := range acked {
		_, closer, err := s.Get(fmt.Appendf(nil, "k%d", i))
		if err != nil {
			t.Fatalf("%s: key %d of %d: %v", context, i, acked, err)
		}
		_ = closer.Close()
	}
}

func TestOpenReturnsWhenTheMountFails(t *testing.T) {
	disk := newDisk(t)
	fs := storagetest.NewFault(disk, storagetest.FailAt(0, unix.EIO).On(storagetest.OpSync))
	if _, err := kv.Open(fs, "/db", kv.Options{}); !holdfast.Is(err, holdfast.Unknown) {
		t.Errorf("got %v, want Unknown", err)
	}
}

// Commits of 200 bytes, each synced: on the log as kv writes it, filled ahead and used again.
func BenchmarkSyncedSet(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			dir := b.TempDir()
			s, err := kv.Open(storage.OS(), dir, kv.Options{Create: true})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			value := make([]byte, 200)
			b.SetParallelism((writers + 1) / 2) // two processors
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					if err := s.Set(fmt.Appendf(nil, "key%08d", i), value, pebble.Sync); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// A table that cannot be read, or is damaged, is asked for again and again in the background. That must not take a core.
func TestUnreadableTableIsNotAskedForInALoop(t *testing.T) {
	for _, c := range []struct {
		name string
		rule storagetest.Rule
		do   func(*testing.T, *storagetest.CrashFS)
	}{
		{"open fails", storagetest.FailAt(0, unix.EIO).Every().On(storagetest.OpOpen).Path(".sst"), nil},
		{"read fails", storagetest.FailAt(0, unix.EIO).Every().On(storagetest.OpRead).Path(".sst"), nil},
		{"damaged", storagetest.Rule{}.On("none"), damageTables},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := newDisk(t)
			s := mustOpen(t, disk, "/db", kv.Options{})
			if err := s.Set([]byte("k"), []byte("v"), pebble.Sync); err != nil {
				t.Fatal(err)
			}
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if c.do != nil {
				c.do(t, disk)
			}
			fs := storagetest.NewFault(disk, c.rule)
			s = mustOpen(t, fs, "/db", kv.Options{})
			before := len(fs.Calls())
			<-time.After(400 * time.Millisecond) // the test is about what happens while nothing does
			if n := len(fs.Calls()) - before; n > 20 {
				t.Errorf("%d calls in 400 ms", n)
			}
			fs.Stop() // of the background, which goes on until the store is closed
			_ = s.Close()
		})
	}
}

// damageTables changes a bit of every byte of every table except the footers.
func damageTables(t *testing.T, disk *storagetest.CrashFS) {
	t.Helper()
	names, err := disk.List("/db")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if filepath.Ext(name) != ".sst" {
			continue
		}
		f, err := disk.OpenData("/db/"+name, storage.Buffered)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, max(0, info.Size()-100))
		if _, err := f.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		for i := range b {
			b[i] ^= 0x10
		}
		if _, err := f.WriteAt(b, 0); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
