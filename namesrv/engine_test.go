package namesrv_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

// fence is a fence that holds until it is told otherwise.
type fence struct {
	mu      sync.Mutex
	lost    error
	confirm error // of the next Confirms
}

func (f *fence) Epoch() holdfast.Epoch { return 1 }

func (f *fence) Held() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lost != nil {
		return holdfast.E("fence", holdfast.NotOwner, f.lost)
	}
	return nil
}

func (f *fence) Confirm() error {
	if err := f.Held(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.confirm
}

func (f *fence) setConfirm(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.confirm = err
}

func (f *fence) Lose(reason error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lost == nil {
		f.lost = errors.Join(errors.New("lost"), reason)
	}
}

// objects records what is freed.
type objects struct {
	mu    sync.Mutex
	freed map[holdfast.ServiceID]map[holdfast.ObjectID]int
	fail  error
	calls chan struct{} // gets a value per call, if there is room
}

func newObjects() *objects {
	return &objects{freed: map[holdfast.ServiceID]map[holdfast.ObjectID]int{}, calls: make(chan struct{}, 100)}
}

func (o *objects) Free(_ context.Context, os holdfast.ServiceID, ids []holdfast.ObjectID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer func() {
		select {
		case o.calls <- struct{}{}:
		default:
		}
	}()
	if o.fail != nil {
		return o.fail
	}
	if o.freed[os] == nil {
		o.freed[os] = map[holdfast.ObjectID]int{}
	}
	for _, id := range ids {
		o.freed[os][id]++
	}
	return nil
}

func (o *objects) has(l holdfast.Link) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.freed[l.OS][l.Object] > 0
}

var self = holdfast.NewServiceID(holdfast.TypeNameServer, 1)

// someSlots are all slots but those whose number leaves 7 when divided by 8.
func someSlots() (s []holdfast.Slot) {
	for i := range holdfast.Slot(holdfast.Slots) {
		if i%8 != 7 {
			s = append(s, i)
		}
	}
	return s
}

// options returns options for a store in memory.
func options(fs storage.FS, create bool) namesrv.Options {
	return namesrv.Options{
		Self: self, FS: fs, StoreDir: "e1", Fence: &fence{}, Create: create, InitialSlots: someSlots(),
		Limits: namesrv.Limits{CacheBytes: 8 << 20},
	}
}

func newDisk(t testing.TB) *storagetest.CrashFS {
	t.Helper()
	fs := storagetest.NewCrash()
	if err := fs.MkdirAll("e1", 0o755); err != nil {
		t.Fatal(err)
	}
	return fs
}

func open(t testing.TB, opt namesrv.Options) *namesrv.Engine {
	t.Helper()
	e, err := namesrv.Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, e) })
	return e
}

func shut(t testing.TB, e *namesrv.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := e.Close(ctx); err != nil && !holdfast.Is(err, holdfast.NotOwner) {
		t.Errorf("close: %v", err)
	}
}

func one(t testing.TB, s holdfast.NameService, ops ...holdfast.Op) []holdfast.Reply {
	t.Helper()
	rs, err := s.Apply(context.Background(), []holdfast.Tx{{Ops: ops}})
	if err != nil {
		t.Fatal(err)
	}
	if rs[0].Err != nil {
		t.Fatal(rs[0].Err)
	}
	return rs[0].Replies
}

func TestFirstSteps(t *testing.T) {
	fs := newDisk(t)
	e := open(t, options(fs, true))
	root := holdfast.NewDirID(1, [16]byte{5: 1})
	one(t, e, holdfast.MakeDir{Dir: root, Parent: holdfast.VolumeRoot, Name: "b/", Root: root, Bucket: &holdfast.BucketInfo{Name: "b"}},
		holdfast.LinkDir{Parent: holdfast.VolumeRoot, Name: "b/", Child: root})
	link := holdfast.Link{OS: holdfast.NewServiceID(holdfast.TypeObjectStore, 1), Object: holdfast.ObjectID{Epoch: 1, Counter: 9}, Home: 1, Size: 5}
	one(t, e, holdfast.PutEntry{Dir: root, Name: "x", Entry: holdfast.Entry{Size: 5, Content: holdfast.Content{Link: link}}})
	shut(t, e)
	e = open(t, options(fs, false))
	as, err := e.Lookup(context.Background(), []holdfast.Lookup{{Dir: holdfast.VolumeRoot, Path: []string{"b/"}, Name: "x"}})
	if err != nil || as[0].Err != nil || as[0].Entry.Content.Link != link {
		t.Fatalf("lookup: %+v, %v", as, err)
	}
	ps, err := e.List(context.Background(), []holdfast.ListRequest{{Dir: root, Limit: 10}})
	if err != nil || ps[0].Err != nil || len(ps[0].Items) != 1 || ps[0].Items[0].Name != "x" {
		t.Fatalf("list: %+v, %v", ps, err)
	}
	r := one(t, e, holdfast.DeleteEntry{Dir: root, Name: "x"})
	if !r[0].Found {
		t.Error("delete found nothing")
	}
}
