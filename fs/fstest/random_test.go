package fstest

import (
	"errors"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestShrinkKeepsWhatMatters has a failure that takes three steps of a thousand, in their order.
func TestShrinkKeepsWhatMatters(t *testing.T) {
	ops := make([]int, 1000)
	for i := range ops {
		ops[i] = i
	}
	boom := errors.New("boom")
	run := func(ops []int) error {
		if slices.Contains(ops, 17) && slices.Contains(ops, 500) && slices.Contains(ops, 999) {
			return boom
		}
		return nil
	}
	got, err := shrink(ops, boom, run)
	if want := []int{17, 500, 999}; !slices.Equal(got, want) || err != boom {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// TestShrinkIsBounded has steps of which none can be left out.
func TestShrinkIsBounded(t *testing.T) {
	runs := 0
	got, _ := shrink(make([]int, 1000), nil, func([]int) error { runs++; return nil })
	if len(got) != 1000 || runs > shrinkRuns {
		t.Errorf("%d steps are left after %d runs", len(got), runs)
	}
}

// TestByteModelSeesWrongBytes changes the file behind the back of the run.
func TestByteModelSeesWrongBytes(t *testing.T) {
	for _, row := range []struct {
		name  string
		wrong func(fd int) error
	}{
		{"a byte", func(fd int) error { _, err := unix.Pwrite(fd, []byte{0}, 7); return err }},
		{"the end", func(fd int) error { return unix.Ftruncate(fd, 5) }},
	} {
		fd, err := unix.Open(t.TempDir()+"/f", unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		r := &byteRun{fd: fd}
		if err := r.step(byteOp{do: "write", len: 10, fill: 1}); err != nil {
			t.Fatal(err)
		}
		if err := r.compare(0, 100); err != nil {
			t.Errorf("%s: before: %v", row.name, err)
		}
		if err := row.wrong(fd); err != nil {
			t.Fatal(err)
		}
		if err := r.compare(0, 100); err == nil {
			t.Errorf("%s: the run did not see it", row.name)
		}
		if err := unix.Close(fd); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTreeModelMeetsEveryErrno guards the random test of the tree against becoming a test of one error.
func TestTreeModelMeetsEveryErrno(t *testing.T) {
	const steps = 20000
	rng := rand.New(rand.NewSource(1))
	m := newTree()
	met := make(map[string]int)
	for range steps {
		o := newTreeOp(rng, true)
		met[fmt.Sprint(o.do, " ", errnoName(m.make(o)))]++
	}
	for _, want := range []string{
		"write success", "write ENOENT", "write ENOTDIR", "write EISDIR", "write ELOOP", "append success", "truncate success", "chmod success",
		"mkdir success", "mkdir EEXIST", "mkdir ENOTDIR", "rename success", "rename ENOENT", "rename ENOTEMPTY", "rename EINVAL", "rename EISDIR",
		"rename ENOTDIR", "rename ELOOP", "unlink success", "unlink EISDIR", "rmdir success", "rmdir ENOTEMPTY", "rmdir ENOTDIR", "link success",
		"link EEXIST", "link EPERM", "symlink success", "symlink EEXIST",
	} {
		if met[want] == 0 {
			t.Errorf("%d steps never met %q", steps, want)
		}
	}
}

// TestRandomRunsSeeAStaleDoor has a second mount that shows nothing of what goes on.
func TestRandomRunsSeeAStaleDoor(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	var names []treeOp
	var data []byteOp
	for range 100 {
		names = append(names, newTreeOp(rng, true))
		data = append(data, newByteOp(rng, []string{"write", "reopen"}))
	}
	doors := []string{t.TempDir(), t.TempDir()}
	if err := os.WriteFile(doors[1]+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := runBytes(doors, data); err == nil {
		t.Error("bytes: the run did not see it")
	}
	if err := runTree(doors, names); err == nil {
		t.Error("names: the run did not see it")
	}
}

// TestModelsAgreeWithTheSystem takes more seeds than a run of the suite does.
func TestModelsAgreeWithTheSystem(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NEEDS ROOT: modes without rights are among the steps")
	}
	all := (&env{}).byteOps()
	for seed := range int64(4) {
		rng := rand.New(rand.NewSource(seed))
		var names []treeOp
		var data []byteOp
		for range 300 {
			names = append(names, newTreeOp(rng, true))
			data = append(data, newByteOp(rng, all))
		}
		if err := runBytes([]string{t.TempDir()}, data); err != nil {
			t.Errorf("seed %d: bytes: %v", seed, err)
		}
		if err := runTree([]string{t.TempDir()}, names); err != nil {
			t.Errorf("seed %d: names: %v", seed, err)
		}
	}
}
