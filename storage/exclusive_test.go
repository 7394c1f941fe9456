package storage_test

import (
	"fmt"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newDisk(t *testing.T) *storagetest.CrashFS {
	t.Helper()
	disk := storagetest.NewCrash()
	must(t, storage.MakeDir(disk, "/d"))
	return disk
}

func content(who string) []byte { return []byte(who + " " + storage.NewNonce().String()) }

func TestCreateExclusiveHasOneWinner(t *testing.T) {
	for _, fs := range []storage.FS{newDisk(t), storage.OS()} {
		dir := "/d"
		if fs == storage.OS() {
			dir = t.TempDir()
		}
		const racers = 8
		outcomes := make([]storage.Outcome, racers)
		contents := make([][]byte, racers)
		found := make([][]byte, racers)
		var wg sync.WaitGroup
		for i := range racers {
			contents[i] = content(fmt.Sprint("racer ", i))
			wg.Go(func() {
				var err error
				outcomes[i], found[i], err = storage.CreateExclusive(fs, dir, "1", contents[i])
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		there, err := storage.ReadFile(fs, dir+"/1", 1000)
		must(t, err)
		winners := 0
		for i, o := range outcomes {
			switch o {
			case storage.Won:
				winners++
				if string(there) != string(contents[i]) {
					t.Errorf("racer %d won, but the file says %q", i, there)
				}
			case storage.Lost:
				if string(found[i]) != string(there) {
					t.Errorf("racer %d was shown %q, the file says %q", i, found[i], there)
				}
			default:
				t.Errorf("racer %d: %v", i, o)
			}
		}
		if winners != 1 {
			t.Errorf("%d winners", winners)
		}
		if names, _ := fs.List(dir); len(names) != 1 {
			t.Errorf("left behind: %v", names)
		}
	}
}

// A link that was done but not acknowledged, and its repetition by the client that gets EEXIST, is a win.
func TestCreateExclusiveComparesAfterAnError(t *testing.T) {
	for _, c := range []struct {
		name string
		rule storagetest.Rule
		want storage.Outcome
	}{
		{"link done, error reported", storagetest.FailAfterAt(0, unix.EEXIST).On(storagetest.OpLink), storage.Won},
		{"link done, timeout reported", storagetest.FailAfterAt(0, unix.ETIMEDOUT).On(storagetest.OpLink), storage.Won},
		{"link not done", storagetest.FailAt(0, unix.EIO).On(storagetest.OpLink), storage.Unsure},
		{"directory not synced", storagetest.FailAt(1, unix.EIO).On(storagetest.OpSync), storage.Unsure},
		{"content not synced", storagetest.FailAt(0, unix.EIO).On(storagetest.OpSync), storage.Unsure},
	} {
		disk := newDisk(t)
		got, _, err := storage.CreateExclusive(storagetest.NewFault(disk, c.rule), "/d", "1", content("me"))
		if got != c.want || (got == storage.Unsure) != holdfast.Is(err, holdfast.Unknown) {
			t.Errorf("%s: got %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

func TestCreateExclusiveSurvivesPowerLoss(t *testing.T) {
	for n := 0; ; n++ {
		disk := newDisk(t)
		fs := storagetest.NewFault(disk, storagetest.TearAt(n))
		mine := content("me")
		outcome, _, _ := storage.CreateExclusive(fs, "/d", "1", mine)
		for seed := range uint64(20) {
			got, err := storage.ReadFile(disk.Crash(seed), "/d/1", 1000)
			if outcome == storage.Won && string(got) != string(mine) {
				t.Fatalf("stop at %d, seed %d: won, but found %q, %v", n, seed, got, err)
			}
			if err == nil && string(got) != string(mine) {
				t.Fatalf("stop at %d, seed %d: half a file: %q", n, seed, got)
			}
		}
		if !fs.Triggered() {
			if outcome != storage.Won {
				t.Fatalf("without a fault: %v", outcome)
			}
			return
		}
	}
}

func TestReplaceFileShowsOldOrNew(t *testing.T) {
	for n := 0; ; n++ {
		disk := newDisk(t)
		must(t, storage.ReplaceFile(disk, "/d", "f", []byte("old")))
		fs := storagetest.NewFault(disk, storagetest.TearAt(n))
		replaced := storage.ReplaceFile(fs, "/d", "f", []byte("new")) == nil
		for seed := range uint64(20) {
			got, err := storage.ReadFile(disk.Crash(seed), "/d/f", 10)
			if s := string(got); err != nil || s != "new" && (replaced || s != "old") {
				t.Fatalf("stop at %d, seed %d: %q, %v", n, seed, got, err)
			}
		}
		if !fs.Triggered() {
			return
		}
	}
}

func TestCleanTempsTakesOnlyOldTemps(t *testing.T) {
	disk := newDisk(t)
	fs := storagetest.NewFault(disk, storagetest.StopAt(2).On(storagetest.OpWrite, storagetest.OpSync, storagetest.OpLink))
	_, _, _ = storage.CreateExclusive(fs, "/d", "1", content("stopped before the link"))
	must(t, storage.WriteFile(disk, "/d/.hidden", nil))
	must(t, storage.CleanTemps(disk, "/d", 1<<40))
	if names, _ := disk.List("/d"); len(names) != 2 {
		t.Errorf("young ones went: %v", names)
	}
	must(t, storage.CleanTemps(disk, "/d", 0))
	if names, _ := disk.List("/d"); fmt.Sprint(names) != "[.hidden]" {
		t.Errorf("got %v", names)
	}
}

func TestReadFileKeepsItsLimit(t *testing.T) {
	disk := newDisk(t)
	must(t, storage.WriteFile(disk, "/d/f", []byte("12345")))
	if _, err := storage.ReadFile(disk, "/d/f", 4); !holdfast.Is(err, holdfast.TooLarge) {
		t.Errorf("got %v", err)
	}
	if _, err := storage.ReadFile(disk, "/d/none", 4); !holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("got %v", err)
	}
}
