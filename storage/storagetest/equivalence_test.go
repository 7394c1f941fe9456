package storagetest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast/storage"
	"holdfast/storage/storagetest"
)

// The same random calls on the machine's filesystem and on CrashFS must give the same results.
func TestCrashFSBehavesAsTheMachine(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			compareRun(t, seed, 400)
		})
	}
}

// actor runs calls on one filesystem and writes down what they answered.
type actor struct {
	fs    storage.FS
	root  string
	files map[int]storage.DataFile
}

func compareRun(t *testing.T, seed uint64, steps int) {
	real := &actor{storage.OS(), t.TempDir(), map[int]storage.DataFile{}}
	model := &actor{storagetest.NewCrash(), "/m", map[int]storage.DataFile{}}
	if err := model.fs.MkdirAll("/m", 0o777); err != nil {
		t.Fatal(err)
	}
	defer real.closeAll()
	for step := range steps {
		want := real.step(rand.New(rand.NewPCG(seed, uint64(step))))
		got := model.step(rand.New(rand.NewPCG(seed, uint64(step))))
		if got != want {
			t.Fatalf("seed %d, step %d: CrashFS answers\n%s\nthe machine answers\n%s", seed, step, got, want)
		}
	}
}

func (a *actor) closeAll() {
	for _, f := range a.files {
		_ = f.Close()
	}
}

func (a *actor) name(r *rand.Rand) string {
	parts := []string{a.root}
	for range r.IntN(3) {
		parts = append(parts, "d"+fmt.Sprint(r.IntN(2)))
	}
	return filepath.Join(append(parts, []string{"a", "b", "c", "d0", "d1"}[r.IntN(5)])...)
}

// step does one random call and says what came of it.
func (a *actor) step(r *rand.Rand) string {
	switch r.IntN(15) {
	case 0:
		f, err := a.fs.Create(a.name(r), vfs.WriteCategoryUnspecified)
		if err != nil {
			return "create " + verdict(err)
		}
		_, err = f.Write([]byte("created"))
		return fmt.Sprint("create ", verdict(err), verdict(f.Close()))
	case 1:
		return "link " + verdict(a.fs.Link(a.name(r), a.name(r)))
	case 2:
		return "rename " + verdict(a.fs.Rename(a.name(r), a.name(r)))
	case 3:
		return "remove " + verdict(a.fs.Remove(a.name(r)))
	case 4:
		if r.IntN(4) > 0 {
			return "nothing"
		}
		return "removeall " + verdict(a.fs.RemoveAll(a.name(r)))
	case 5:
		return "mkdir " + verdict(a.fs.MkdirAll(a.name(r), 0o777))
	case 6:
		names, err := a.fs.List(a.fs.PathDir(a.name(r)))
		slices.Sort(names)
		return fmt.Sprint("list ", names, verdict(err))
	case 7:
		return a.stat(a.name(r))
	case 8:
		return a.openData(r)
	}
	return a.useData(r)
}

func (a *actor) stat(name string) string {
	info, err := a.fs.Stat(name)
	if err != nil {
		return "stat " + verdict(err)
	}
	if info.IsDir() {
		return "stat dir"
	}
	return fmt.Sprint("stat ", info.Size())
}

func (a *actor) openData(r *rand.Rand) string {
	slot := r.IntN(3)
	if old := a.files[slot]; old != nil {
		_ = old.Close()
		delete(a.files, slot)
	}
	f, err := a.fs.OpenData(a.name(r), storage.Buffered)
	if err == nil {
		a.files[slot] = f
	}
	return "open " + verdict(err)
}

func (a *actor) useData(r *rand.Rand) string {
	f := a.files[r.IntN(3)]
	if f == nil {
		return "no file"
	}
	off := []int64{0, 100, 4095, 8192, 1 << 33}[r.IntN(5)] + int64(r.IntN(5000))
	buf := bytes.Repeat([]byte{byte(1 + r.IntN(255))}, r.IntN(10000))
	switch r.IntN(6) {
	case 0, 1:
		n, err := f.WriteAt(buf, off)
		return fmt.Sprint("write ", n, verdict(err))
	case 2, 3:
		n, err := f.ReadAt(buf, off)
		return fmt.Sprintf("read %d %s %x", n, verdict(err), buf[:min(n, 50)])
	case 4:
		return "punch " + verdict(f.PunchHole(off, int64(1+r.IntN(20000))))
	}
	attr, err := a.fs.ForcedStat(f)
	return fmt.Sprint("attr ", attr.Size, attr.Links, verdict(err), verdict(f.SyncData()))
}

// verdict names what callers may ask about an error.
func verdict(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, io.EOF):
		return "eof"
	case errors.Is(err, unix.ENOTEMPTY):
		return "not empty"
	case errors.Is(err, fs.ErrNotExist):
		return "not exist"
	case errors.Is(err, fs.ErrExist):
		return "exist"
	}
	return "error"
}
