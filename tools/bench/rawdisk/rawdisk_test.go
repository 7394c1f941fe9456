package rawdisk

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

func TestEveryVariant(t *testing.T) {
	for _, layout := range []Layout{Overwrite, Append} {
		for _, sync := range []Sync{SyncEach, SyncGroup, SyncNone} {
			dir := t.TempDir()
			var done atomic.Int64
			res, err := Run(context.Background(), Config{Dir: dir, Size: 4096, Writers: 4,
				Layout: layout, Sync: sync, Ops: 200, Seed: 1, Done: &done})
			if err != nil {
				t.Fatalf("%s, %s: %v", layout, sync, err)
			}
			if res.Ops != 200 || done.Load() != 200 || res.Interrupted {
				t.Errorf("%s, %s: %d ops measured, %d done, want 200", layout, sync, res.Ops, done.Load())
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 0 {
				t.Errorf("%s, %s: left behind %v", layout, sync, left)
			}
		}
	}
}

func TestAppendGrowsTheFile(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := &run{Config: Config{Size: chunk + 5, Writers: 3, Layout: Append, Sync: SyncGroup, Ops: 7}, f: f, fd: int(f.Fd())}
	if err := r.prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.measure(context.Background()); err != nil {
		t.Fatal(err)
	}
	st, err := f.Stat()
	if err != nil || st.Size() != 7*(chunk+5) {
		t.Errorf("size = %d, %v, want %d", st.Size(), err, 7*(chunk+5))
	}
}

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	res, err := Run(ctx, Config{Dir: t.TempDir(), Size: 4096, Writers: 2, Layout: Append, Sync: SyncEach,
		Duration: time.Hour, Measuring: cancel})
	if err != nil || !res.Interrupted {
		t.Errorf("interrupted run: %+v, %v", res, err)
	}
}

func TestErrorsAreReported(t *testing.T) {
	_, err := Run(context.Background(), Config{Dir: filepath.Join(t.TempDir(), "none"), Size: 1, Writers: 1, Layout: Append, Sync: SyncEach, Ops: 1})
	if err == nil {
		t.Error("a run in a directory that does not exist succeeds")
	}
	f := flusher{fd: -1}
	f.cond.L = &f.mu
	if err := f.flush(); err == nil {
		t.Error("a failed fdatasync is not reported")
	}
	if err := f.flush(); err == nil {
		t.Error("a flush after a failed one succeeds")
	}
}

func TestStrideVisitsAllBlocks(t *testing.T) {
	for n := int64(1); n < 200; n++ {
		seen := map[int64]bool{}
		for i := range n {
			seen[i*coprime(n)%n] = true
		}
		if int64(len(seen)) != n {
			t.Errorf("stride %d visits %d of %d blocks", coprime(n), len(seen), n)
		}
	}
}
