package namesrv_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

// script is a fixed sequence of transactions over a server. Each changes several records that must stay together.
func script() (txs [][]holdfast.Op) {
	root := holdfast.NewDirID(1, [16]byte{5: 1})
	n := uint64(0)
	link := func(size int64) holdfast.Link {
		n++
		return holdfast.Link{OS: holdfast.NewServiceID(holdfast.TypeObjectStore, 1), Object: holdfast.ObjectID{Epoch: 1, Counter: n}, Home: 1, Size: size}
	}
	put := func(name string, v holdfast.Versioning) holdfast.Op {
		l := link(5)
		return holdfast.PutEntry{Dir: root, Name: name, Versioning: v, Entry: holdfast.Entry{Size: 5, Content: holdfast.Content{Link: l}}}
	}
	add := func(ops ...holdfast.Op) { txs = append(txs, ops) }
	add(holdfast.MakeDir{Dir: root, Parent: holdfast.VolumeRoot, Name: "b/", Root: root, Bucket: &holdfast.BucketInfo{Name: "b"}},
		holdfast.LinkDir{Parent: holdfast.VolumeRoot, Name: "b/", Child: root})
	for i := range 3 {
		add(put(fmt.Sprint("k", i), 0), put(fmt.Sprint("k", i+1), holdfast.VersioningEnabled))
	}
	add(holdfast.DeleteEntry{Dir: root, Name: "k0"}, holdfast.DeleteEntry{Dir: root, Name: "k1", Versioning: holdfast.VersioningEnabled})
	id := holdfast.UploadID{1}
	add(holdfast.CreateUpload{Dir: root, Name: "m", Upload: holdfast.Upload{ID: id}})
	var done []holdfast.CompletedPart
	for i := 1; i <= 12; i++ {
		add(holdfast.PutPart{Dir: root, Name: "m", Upload: id, Part: holdfast.Part{Number: i, Size: 7, Link: link(7)}})
		if i != 5 {
			done = append(done, holdfast.CompletedPart{Number: i})
		}
	}
	add(holdfast.CompleteUpload{Dir: root, Name: "m", Upload: id, Parts: done}, put("k9", 0))
	sub := holdfast.NewDirID(2, [16]byte{5: 2})
	add(holdfast.MakeDir{Dir: sub, Parent: root, Name: "s/", Root: root})
	add(holdfast.LinkDir{Parent: root, Name: "s/", Child: sub})
	add(holdfast.SealDir{Dir: sub})
	add(holdfast.UnlinkDir{Parent: root, Name: "s/", Child: sub}, holdfast.DropDir{Dir: sub})
	return txs
}

// play runs the script until something fails, and returns how many transactions were acknowledged.
func play(fs storage.FS, create bool, confirm error) (acknowledged int) {
	opt := options(fs, create)
	opt.Fence.(*fence).setConfirm(confirm)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	e, err := namesrv.Open(ctx, opt)
	if err != nil {
		return 0
	}
	defer e.Close(ctx)
	for i, ops := range script() {
		rs, err := e.Apply(ctx, []holdfast.Tx{{Ops: ops}})
		if err != nil {
			return i
		}
		if rs[0].Err != nil {
			panic(fmt.Sprint("transaction ", i, ": ", rs[0].Err))
		}
	}
	return len(script())
}

// progress tells how many transactions of the script a server has, by the change log and what leaves no trace there.
func verify(t *testing.T, what string, disk *storagetest.CrashFS, acknowledged int) {
	t.Helper()
	e, err := namesrv.Open(context.Background(), options(disk, false))
	if err != nil {
		if acknowledged > 0 || !holdfast.Is(err, holdfast.NotFound) && !holdfast.Is(err, holdfast.Unavailable) {
			t.Errorf("%s: %d were acknowledged, and the store does not open: %v", what, acknowledged, err)
		}
		return
	}
	defer shut(t, e)
	check(t, e)
	want := map[string]bool{}
	for i := acknowledged; i <= acknowledged+1 && i <= len(script()); i++ {
		want[traces(t, replay(t, i))] = true
	}
	if got := traces(t, e); !want[got] {
		t.Errorf("%s: after %d acknowledged transactions: got\n%s", what, acknowledged, got)
	}
	if t.Failed() {
		return
	}
	// The rest of the script runs, whether or not the last transaction is there: all of it is safe to apply twice.
	for i, ops := range script()[acknowledged:] {
		rs, err := e.Apply(context.Background(), []holdfast.Tx{{Ops: ops}})
		if err != nil || rs[0].Err != nil && !(i == 0 && holdfast.Is(rs[0].Err, holdfast.DirGone)) {
			t.Fatalf("%s: transaction %d after the crash: %v, %v", what, acknowledged+i, rs, err)
		}
	}
	check(t, e)
}

var replayed = map[int]*namesrv.Engine{}

// replay returns a server on which the first n transactions were run. It is kept for the other crashes of the test.
func replay(t *testing.T, n int) *namesrv.Engine {
	t.Helper()
	if e := replayed[n]; e != nil {
		return e
	}
	e, err := namesrv.Open(context.Background(), options(newDisk(t), true))
	if err != nil {
		t.Fatal(err)
	}
	for _, ops := range script()[:n] {
		one(t, e, ops...)
	}
	replayed[n] = e
	return e
}

// traces tells all that a server has, without versions and times.
func traces(t *testing.T, e *namesrv.Engine) (s string) {
	t.Helper()
	ctx := context.Background()
	changes, err := e.Changes(ctx, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		s += fmt.Sprintf("%d %d %q; ", c.Seq, c.Kind, c.Name)
	}
	root := holdfast.NewDirID(1, [16]byte{5: 1})
	pages, err := e.List(ctx, []holdfast.ListRequest{
		{Dir: holdfast.VolumeRoot, What: holdfast.ListVersions, Recursive: true, Limit: 1000}, {Dir: root, Limit: 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		for _, it := range p.Items {
			s += fmt.Sprintf("%q %v ", it.Name, it.Latest)
		}
	}
	as, err := e.Lookup(ctx, []holdfast.Lookup{{Dir: root, Want: holdfast.WantParts, Name: "m", Upload: holdfast.UploadID{1}}})
	if err != nil {
		t.Fatal(err)
	}
	usage, _ := e.Usage(ctx, root)
	st, _ := e.Status(ctx)
	st.InFlight = 0
	return s + fmt.Sprintf("parts %d, %v, %+v, %+v", len(as[0].Parts), holdfast.KindOf(as[0].Err), usage, st)
}

// TestCrash stops the store at its first, second, third … call to the mount, takes the power away, and looks.
func TestCrash(t *testing.T) {
	t.Cleanup(func() {
		for _, e := range replayed {
			shut(t, e)
		}
		clear(replayed)
	})
	for _, rule := range []struct {
		name string
		make func(n int) storagetest.Rule
	}{
		{"stop", storagetest.StopAt},
		{"tear", storagetest.TearAt},
		{"EIO", func(n int) storagetest.Rule { return storagetest.FailAt(n, syscall.EIO) }},
		{"EIO after", func(n int) storagetest.Rule { return storagetest.FailAfterAt(n, syscall.EIO) }},
		{"ENOSPC", func(n int) storagetest.Rule { return storagetest.FailAt(n, syscall.ENOSPC) }},
		{"failed sync", func(n int) storagetest.Rule {
			return storagetest.FailAt(n, syscall.EIO).On(storagetest.OpSync)
		}},
	} {
		t.Run(rule.name, func(t *testing.T) {
			step := 1
			if testing.Short() {
				step = 7
			}
			for n := 0; !t.Failed(); n += step {
				disk := newDisk(t)
				fs := storagetest.NewFault(disk, rule.make(n))
				acknowledged := play(fs, true, nil)
				triggered := fs.Triggered()
				fs.Stop()
				verify(t, fmt.Sprintf("%s at call %d", rule.name, n), disk.Crash(uint64(n)), acknowledged)
				if !triggered {
					if acknowledged != len(script()) {
						t.Errorf("without a fault %d transactions were acknowledged", acknowledged)
					}
					break
				}
			}
		})
	}
}

// TestUnconfirmedIsNotSeen: R1. What is durable but not confirmed is not acknowledged, and no reader sees it until a later Confirm.
func TestUnconfirmedIsNotSeen(t *testing.T) {
	opt := options(newDisk(t), true)
	f := opt.Fence.(*fence)
	opt.Limits.Background = time.Millisecond
	e := open(t, opt)
	one(t, e, script()[0]...)
	f.setConfirm(errors.New("the mount does not answer"))
	root := holdfast.NewDirID(1, [16]byte{5: 1})
	_, err := e.Apply(context.Background(), []holdfast.Tx{{Ops: []holdfast.Op{holdfast.PutEntry{Dir: root, Name: "x"}}}})
	if !holdfast.Is(err, holdfast.Unknown) {
		t.Fatalf("apply: got %v, want an unknown outcome", err)
	}
	look := func() error {
		as, err := e.Lookup(context.Background(), []holdfast.Lookup{{Dir: root, Name: "x"}})
		if err != nil {
			t.Fatal(err)
		}
		return as[0].Err
	}
	if err := look(); !holdfast.Is(err, holdfast.NotFound) {
		t.Fatalf("before the confirmation: got %v, want not found", err)
	}
	f.setConfirm(nil)
	for deadline := time.Now().Add(5 * time.Second); look() != nil; {
		if time.Now().After(deadline) {
			t.Fatal("the entry was never seen")
		}
	}
	check(t, e)
}

// TestFencedServesNothing: R2.
func TestFencedServesNothing(t *testing.T) {
	opt := options(newDisk(t), true)
	e := open(t, opt)
	one(t, e, script()[0]...)
	opt.Fence.Lose(errors.New("fenced"))
	ctx := context.Background()
	_, lookup := e.Lookup(ctx, []holdfast.Lookup{{Dir: holdfast.VolumeRoot, Want: holdfast.WantDir}})
	_, list := e.List(ctx, nil)
	_, apply := e.Apply(ctx, nil)
	_, epoch := e.BucketEpoch(ctx, holdfast.NewDirID(1, [16]byte{5: 1}))
	_, settle := e.Settle(ctx, 1, nil)
	for name, err := range map[string]error{"lookup": lookup, "list": list, "apply": apply, "epoch": epoch, "settle": settle} {
		if !holdfast.Is(err, holdfast.NotOwner) {
			t.Errorf("%s: got %v, want not owner", name, err)
		}
	}
}
