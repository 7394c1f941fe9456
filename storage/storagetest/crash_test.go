package storagetest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
	"holdfast/storage"
	"holdfast/storage/kv"
	"holdfast/storage/storagetest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func syncDir(t *testing.T, fs storage.FS, dir string) {
	t.Helper()
	d, err := fs.OpenDir(dir)
	must(t, err)
	must(t, d.Sync())
	must(t, d.Close())
}

func readAll(t *testing.T, fs storage.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	must(t, err)
	defer f.Close()
	b, err := io.ReadAll(f)
	must(t, err)
	return b
}

func TestCrashKeepsWhatWasSyncedAndMayTearTheRest(t *testing.T) {
	disk := storagetest.NewCrash()
	must(t, disk.MkdirAll("/d", 0o777))
	syncDir(t, disk, "/")
	f, err := disk.OpenData("/d/f", storage.Buffered)
	must(t, err)
	must2(f.WriteAt(bytes.Repeat([]byte{'a'}, 8192), 0))(t)
	must(t, f.SyncData())
	syncDir(t, disk, "/d")
	must2(f.WriteAt(bytes.Repeat([]byte{'b'}, 8192), 4096))(t)

	torn := false
	for seed := range uint64(100) {
		got := readAll(t, disk.Crash(seed), "/d/f")
		if len(got) < 8192 || !bytes.Equal(got[:4096], bytes.Repeat([]byte{'a'}, 4096)) {
			t.Fatalf("seed %d: synced bytes are gone", seed)
		}
		for s := 4096; s+512 <= len(got); s += 512 {
			for _, c := range got[s : s+512] {
				if c != got[s] {
					t.Fatalf("seed %d: a sector is torn", seed)
				}
			}
			torn = torn || got[s] != got[4096]
		}
	}
	if !torn {
		t.Error("no seed tears a block")
	}
	if n := len(readAll(t, disk.Crash(0), "/d/f")); n != 8192 {
		t.Errorf("seed 0: size %d, want what was synced", n)
	}
	if n := len(readAll(t, disk.Crash(1), "/d/f")); n != 12288 {
		t.Errorf("seed 1: size %d, want everything", n)
	}
}

func must2(_ int, err error) func(*testing.T) {
	return func(t *testing.T) { t.Helper(); must(t, err) }
}

func TestCrashNeverLosesBothNamesOfARename(t *testing.T) {
	disk := storagetest.NewCrash()
	must(t, disk.MkdirAll("/d", 0o777))
	f, err := disk.Create("/d/old", vfs.WriteCategoryUnspecified)
	must(t, err)
	must(t, f.Close())
	syncDir(t, disk, "/d")
	syncDir(t, disk, "/")
	must(t, disk.Rename("/d/old", "/d/new"))
	var before, after int
	for seed := range uint64(50) {
		names, err := disk.Crash(seed).List("/d")
		must(t, err)
		switch fmt.Sprint(names) {
		case "[old]":
			before++
		case "[new]":
			after++
		default:
			t.Fatalf("seed %d: %v", seed, names)
		}
	}
	if before == 0 || after == 0 {
		t.Errorf("before %d, after %d: want some of each", before, after)
	}
}

func TestHugeOffsetsCostPages(t *testing.T) {
	disk := storagetest.NewCrash()
	f, err := disk.OpenData("/huge", storage.Direct)
	must(t, err)
	must2(f.WriteAt([]byte("end"), 1<<45))(t)
	if n, err := f.Allocated(); n != 4096 || err != nil {
		t.Errorf("allocated %d, %v; want one page", n, err)
	}
	must(t, f.PunchHole(1<<45, 4096))
	if n, _ := f.Allocated(); n != 0 {
		t.Errorf("allocated %d after the punch", n)
	}
}

func TestFaultRules(t *testing.T) {
	boom := errors.New("boom")
	write := func(fs storage.FS) error {
		f, err := fs.Create("/f", vfs.WriteCategoryUnspecified)
		if err != nil {
			return err
		}
		if _, err := f.Write([]byte("0123456789")); err != nil {
			return err
		}
		return f.Sync()
	}
	for _, c := range []struct {
		name string
		rule storagetest.Rule
		want error
		left string // content with everything kept
	}{
		{"stop", storagetest.StopAt(1), storagetest.ErrStopped, ""},
		{"tear", storagetest.TearAt(1), storagetest.ErrStopped, "01234"},
		{"fail", storagetest.FailAt(0, boom).On(storagetest.OpWrite), boom, ""},
		{"applied", storagetest.FailAfterAt(0, boom).On(storagetest.OpWrite).Path("f"), boom, "0123456789"},
		{"no bite", storagetest.StopAt(3), nil, "0123456789"},
	} {
		disk := storagetest.NewCrash()
		fs := storagetest.NewFault(disk, c.rule)
		if err := write(fs); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if got := fs.Triggered(); got != (c.want != nil) {
			t.Errorf("%s: triggered %v", c.name, got)
		}
		if got := string(readAll(t, disk.Crash(1), "/f")); got != c.left {
			t.Errorf("%s: left %q, want %q", c.name, got, c.left)
		}
	}
}

func TestLostSyncLosesTheData(t *testing.T) {
	disk := storagetest.NewCrash()
	fs := storagetest.NewFault(disk, storagetest.LoseSyncAt(0))
	f, err := fs.Create("/f", vfs.WriteCategoryUnspecified)
	must(t, err)
	must2(f.Write([]byte("x")))(t)
	must(t, f.Sync())
	syncDir(t, fs, "/")
	if got := readAll(t, disk.Crash(0), "/f"); len(got) != 0 {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestHungWriteLandsAfterRelease(t *testing.T) {
	disk := storagetest.NewCrash()
	fs := storagetest.NewFault(disk, storagetest.HangAt(0).On(storagetest.OpWrite))
	f, err := fs.Create("/f", vfs.WriteCategoryUnspecified)
	must(t, err)
	done := make(chan error)
	go func() { _, err := f.Write([]byte("late")); done <- err }()
	<-fs.Hung()
	if got := readAll(t, disk, "/f"); len(got) != 0 {
		t.Errorf("landed early: %q", got)
	}
	fs.Release()
	must(t, <-done)
	if got := string(readAll(t, disk, "/f")); got != "late" {
		t.Errorf("got %q after release", got)
	}
}

// A store is stopped at every call of its life; what it had acknowledged must be there after a power failure.
func TestPebbleOnCrashFS(t *testing.T) {
	const keys = 6
	for n := 0; ; n++ {
		disk := storagetest.NewCrash()
		must(t, disk.MkdirAll("/db", 0o777))
		syncDir(t, disk, "/")
		fs := storagetest.NewFault(disk, storagetest.TearAt(n))
		created, acked := fillStore(fs, keys)
		for _, seed := range []uint64{0, 1, uint64(n) + 2} {
			checkStore(t, disk.Crash(seed), created, acked, n, seed)
		}
		if !fs.Triggered() {
			if acked != keys {
				t.Fatalf("acknowledged %d of %d without a fault", acked, keys)
			}
			return
		}
	}
}

// fillStore writes keys and returns how many were acknowledged before the store was lost.
func fillStore(fs storage.FS, keys int) (created bool, acked int) {
	s, err := kv.Open(fs, "/db", kv.Options{Create: true})
	if err != nil {
		return false, 0
	}
	defer s.Close()
	for i := range keys {
		done := make(chan error, 1)
		go func() {
			if i == keys/2 {
				if err := s.Flush(); err != nil {
					done <- err
					return
				}
			}
			done <- s.Set(fmt.Appendf(nil, "k%d", i), []byte("v"), pebble.Sync)
		}()
		select {
		case err := <-done:
			if err != nil {
				return true, acked
			}
			acked++
		case <-s.Lost():
			return true, acked
		}
	}
	return true, acked
}

func checkStore(t *testing.T, disk storage.FS, created bool, acked, n int, seed uint64) {
	t.Helper()
	s, err := kv.Open(disk, "/db", kv.Options{})
	if !created && holdfast.Is(err, holdfast.NotFound) {
		return
	}
	if err != nil {
		if !created {
			return // half created: the node wipes such a store
		}
		t.Fatalf("stop at %d, seed %d: %v", n, seed, err)
	}
	defer s.Close()
	for i := range acked {
		_, closer, err := s.Get(fmt.Appendf(nil, "k%d", i))
		if err != nil {
			t.Fatalf("stop at %d, seed %d: key %d of %d: %v", n, seed, i, acked, err)
		}
		_ = closer.Close()
	}
}

func TestDiscardForgetsAlsoWhatIsOpen(t *testing.T) {
	c := storagetest.NewCrash()
	f, err := c.OpenData("/f", storage.Buffered)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	c.Discard()
	if names, err := c.List("/"); err != nil || len(names) != 0 {
		t.Errorf("List = %q, %v", names, err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("the open file has %d bytes, %v", info.Size(), err)
	}
}
