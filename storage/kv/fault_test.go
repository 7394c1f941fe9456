package kv_test

import (
	"fmt"
	"testing"

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
