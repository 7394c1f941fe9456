package namesrv_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv"
)

// eventually waits for a condition that background work brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

func status(t *testing.T, e *namesrv.Engine) holdfast.NameStatus {
	t.Helper()
	st, err := e.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// TestCollect: what is overwritten or deleted is freed, also after a crash and an object server that refuses for a while.
func TestCollect(t *testing.T) {
	fs, objs := newDisk(t), newObjects()
	opt := options(fs, true)
	opt.Limits.Background, opt.Limits.FreeBatch = time.Millisecond, 7
	e := open(t, opt) // without Objects: garbage waits
	root := holdfast.NewDirID(1, [16]byte{5: 1})
	one(t, e, script()[0]...)
	var gone, kept []holdfast.Link
	for i := range 100 {
		put := benchPut(root, uint64(i)).(holdfast.PutEntry)
		put.Name = fmt.Sprint(i % 40)
		put.Entry.Content.Link.OS += holdfast.ServiceID(i % 3)
		one(t, e, put)
		if i < 60 {
			gone = append(gone, put.Entry.Content.Link)
		} else {
			kept = append(kept, put.Entry.Content.Link)
		}
	}
	if got := status(t, e).Garbage; got != int64(len(gone)) {
		t.Fatalf("garbage: got %d, want %d", got, len(gone))
	}
	crashed := fs.Crash(1)
	shut(t, e)

	opt.FS, opt.Create, opt.Fence, opt.Objects = crashed, false, &fence{}, objs
	failed := make(chan struct{}, 100)
	opt.Events.FreeFailed = func(namesrv.FreeFailed) { failed <- struct{}{} }
	objs.fail = errors.New("not now")
	e = open(t, opt)
	<-failed
	if got := status(t, e).Garbage; got != int64(len(gone)) {
		t.Errorf("garbage after a failure: got %d, want %d", got, len(gone))
	}
	objs.mu.Lock()
	objs.fail = nil
	objs.mu.Unlock()
	eventually(t, "freeing", func() bool { return status(t, e).Garbage == 0 })
	for _, l := range gone {
		if !objs.has(l) {
			t.Errorf("%v was not freed", l.Object)
		}
	}
	for _, l := range kept {
		if objs.has(l) {
			t.Errorf("%v was freed, and a name links to it", l.Object)
		}
	}
	check(t, e)
}

// TestSweep: doomed fates and the change log are forgotten after their time, committed fates never.
func TestSweep(t *testing.T) {
	opt := options(newDisk(t), true)
	opt.Limits.Background, opt.Limits.FateRetention, opt.Limits.ChangeRecords = time.Millisecond, time.Hour, 16
	now := time.Now()
	opt.Clock = func() time.Time { return now }
	swept := make(chan namesrv.Swept, 1000)
	opt.Events.Swept = func(s namesrv.Swept) {
		select {
		case swept <- s:
		default:
		}
	}
	e := open(t, opt)
	root := holdfast.NewDirID(1, [16]byte{5: 1})
	one(t, e, script()[0]...)
	for i := range 30 {
		put := benchPut(root, uint64(i)).(holdfast.PutEntry)
		put.Name = "x"
		one(t, e, put)
	}
	eventually(t, "cutting the change log", func() bool {
		_, err := e.Changes(context.Background(), 0, 1)
		return holdfast.Is(err, holdfast.NotFound)
	})
	seq := status(t, e).Seq
	if cs, err := e.Changes(context.Background(), seq-10, 100); err != nil || len(cs) != 10 {
		t.Errorf("the newest changes: got %d, %v", len(cs), err)
	}
	shut(t, e)
	for len(swept) > 0 {
		<-swept
	}
	opt.Create, opt.Fence = false, &fence{}
	opt.Limits.FateRetention = 4 * time.Millisecond
	later := now.Add(time.Hour)
	opt.Clock = func() time.Time { return later }
	e = open(t, opt)
	forgotten := 0
	eventually(t, "forgetting 29 fates", func() bool {
		for len(swept) > 0 {
			forgotten += (<-swept).Fates
		}
		return forgotten == 29
	})
	last := benchPut(root, 29).(holdfast.PutEntry).Entry.Content.Link
	fates, err := e.Settle(context.Background(), last.OS, []holdfast.GuardedObject{{Object: last.Object, Home: last.Home}})
	if err != nil || fates[0] != holdfast.FateCommitted {
		t.Errorf("fate of what is linked: got %v, %v", fates, err)
	}
	check(t, e)
}

// TestOverload: a full queue refuses at once.
func TestOverload(t *testing.T) {
	opt := options(newDisk(t), true)
	opt.Limits.QueuedCalls = 1
	block, entered := make(chan struct{}), make(chan struct{}, 1)
	first := true
	opt.Clock = func() time.Time { // the committer asks for the time while it evaluates
		if first {
			first = false
			entered <- struct{}{}
			<-block
		}
		return time.Now()
	}
	e := open(t, opt)
	results := make(chan error, 3)
	apply := func() {
		_, err := e.Apply(context.Background(), []holdfast.Tx{{}})
		results <- err
	}
	go apply()
	<-entered
	go apply()
	go apply()
	if err := <-results; !holdfast.Is(err, holdfast.Overload) {
		t.Errorf("got %v, want overload", err)
	}
	close(block)
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
