package volume_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/quick"
	"time"

	"holdfast"
	"holdfast/volume"
)

// reader follows a volume and keeps what it is told.
type reader struct {
	mu    sync.Mutex
	keys  []string
	notes map[string]volume.Note
	lost  int
	fail  int // so many more calls fail
	news  chan struct{}
}

func newReader() *reader {
	return &reader{notes: map[string]volume.Note{}, news: make(chan struct{}, 1000)}
}

func (r *reader) options() volume.FollowOptions {
	return volume.FollowOptions{
		Task: "test", Every: 5 * time.Millisecond, Turn: 300 * time.Millisecond,
		Handle: func(_ context.Context, _ holdfast.ServiceID, changes []holdfast.Change) (bool, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.fail > 0 {
				r.fail--
				return false, errors.New("not now")
			}
			mattered := false
			for i := range changes {
				if n, ok, err := volume.ParseNote(changes[i].Note); ok && err == nil {
					r.keys, mattered = append(r.keys, n.Key), true
					r.notes[n.Key] = n
				}
			}
			if mattered {
				r.news <- struct{}{}
			}
			return mattered, nil
		},
		Lost: func(holdfast.ServiceID, uint64) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.lost++
			r.news <- struct{}{}
		},
	}
}

// until waits until the reader was told of a key.
func (r *reader) until(t *testing.T, key string) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		r.mu.Lock()
		_, ok := r.notes[key]
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-r.news:
		case <-timeout:
			t.Fatalf("was not told of %q", key)
		}
	}
}

// following runs Follow until the test calls stop.
func following(t *testing.T, v *volume.Volume, r *reader) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { v.Follow(ctx, r.options()) })
	return func() { cancel(); wg.Wait() }
}

func putNoted(t *testing.T, b *volume.Bucket, key string) {
	t.Helper()
	ctx := volume.WithOrigin(t.Context(), &volume.Origin{Event: "PutObject", Requester: "u", Address: "a", Request: "r", Host: "h"})
	if _, err := b.Put(ctx, key, volume.PutRequest{Body: strings.NewReader("x"), Size: 1}); err != nil {
		t.Fatal(err)
	}
}

// start makes a bucket whose changes are noted and waits until a reader is at the present.
func start(t *testing.T, services *cluster, v *volume.Volume, r *reader) (*volume.Bucket, func()) {
	t.Helper()
	info := holdfast.BucketInfo{Name: "noted", Settings: map[string][]byte{"notification": []byte("x")}}
	if _, err := v.CreateBucket(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	b, err := v.Bucket(t.Context(), "noted")
	if err != nil {
		t.Fatal(err)
	}
	stop := following(t, v, r)
	deadline := time.Now().Add(10 * time.Second)
	for _, id := range services.SlotMap().Servers() {
		for {
			record, err := v.ReadRecord(t.Context(), "c/test/"+id.String())
			if err == nil && record.Value != "" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("no cursor: %v", err)
			}
		}
	}
	return b, stop
}

// TestFollow tells a reader of changes on several servers, each key in order, through failures and restarts.
func TestFollow(t *testing.T) {
	services := newCluster(2, 1)
	v, r := openFor(t, services), newReader()
	b, stop := start(t, services, v, r)
	r.mu.Lock()
	r.fail = 2
	r.mu.Unlock()
	for _, key := range []string{"a", "d/b", "e/f/c"} {
		putNoted(t, b, key)
	}
	for _, key := range []string{"a", "d/b", "e/f/c"} {
		r.until(t, key)
	}
	want := volume.Note{Bucket: "noted", Key: "d/b", Origin: volume.Origin{Event: "PutObject", Requester: "u", Address: "a", Request: "r", Host: "h"}}
	if got := r.notes["d/b"]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	stop()
	putNoted(t, b, "while/away")
	again := newReader()
	stop = following(t, openFor(t, services), again)
	defer stop()
	again.until(t, "while/away")
	again.mu.Lock()
	defer again.mu.Unlock()
	if len(again.keys) != 1 {
		t.Errorf("got %q again", again.keys)
	}
}

// TestFollowFromTheFirst begins to follow after something happened.
func TestFollowFromTheFirst(t *testing.T) {
	services := newCluster(2, 1)
	v, r := openFor(t, services), newReader()
	b, stop := start(t, services, v, newReader())
	stop()
	putNoted(t, b, "d/early")
	for _, id := range services.SlotMap().Servers() { // as if nobody had followed yet
		if err := v.DropRecord(t.Context(), "c/test/"+id.String(), holdfast.ETag{}); err != nil {
			t.Fatal(err)
		}
	}
	defer following(t, v, r)()
	r.until(t, "d/early")
	if r.lost != 0 {
		t.Errorf("%d losses", r.lost)
	}
}

// cutNames is a name server whose oldest changes were cut off.
type cutNames struct {
	holdfast.NameService
	first uint64
}

func (c cutNames) Changes(ctx context.Context, after uint64, limit int) ([]holdfast.Change, error) {
	if after+1 < c.first {
		return nil, holdfast.E("test", holdfast.NotFound, nil)
	}
	return c.NameService.Changes(ctx, after, limit)
}

func (c cutNames) Status(ctx context.Context) (holdfast.NameStatus, error) {
	s, err := c.NameService.Status(ctx)
	s.First = c.first
	return s, err
}

// TestFollowCut falls behind a change log that is cut: the reader is told, and gets what is kept.
func TestFollowCut(t *testing.T) {
	services := newCluster(1, 1)
	v, r := openFor(t, services), newReader()
	b, stop := start(t, services, v, newReader())
	stop()
	id := services.SlotMap().Servers()[0]
	whole, err := services.NameServer(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	putNoted(t, b, "cut off")
	status, err := whole.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	putNoted(t, b, "kept")
	services.SetName(id, cutNames{whole, status.Seq + 1})
	defer following(t, v, r)()
	r.until(t, "kept")
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost != 1 || strings.Join(r.keys, ",") != "kept" {
		t.Errorf("lost %d times, told of %q", r.lost, r.keys)
	}
}

// TestFollowLost starts with a cursor of another life of the name server: the reader is told.
func TestFollowLost(t *testing.T) {
	v, r := openFor(t, newCluster(2, 1)), newReader()
	for _, id := range []string{"0800000000000001", "0800000000000002"} {
		if err := v.SetRecord(t.Context(), "c/test/"+id, "123456789"); err != nil {
			t.Fatal(err)
		}
	}
	stop := following(t, v, r)
	defer stop()
	for range 2 {
		select {
		case <-r.news:
		case <-time.After(20 * time.Second):
			t.Fatal("was not told")
		}
	}
	if r.mu.Lock(); r.lost != 2 {
		t.Errorf("told %d times", r.lost)
	}
	r.mu.Unlock()
}

// TestKeyStaysOnItsServer empties the directories of keys again and again: they come back where they were, so that all changes of a key
// are in one log, in order.
func TestKeyStaysOnItsServer(t *testing.T) {
	services := newCluster(5, 1)
	keys := []string{"a/b/c/k", "d/k", "e/f/k"}
	_, stop := start(t, services, openFor(t, services), newReader())
	stop()
	for range 6 {
		v, err := volume.Open(volume.Options{Services: services})
		if err != nil {
			t.Fatal(err)
		}
		b, err := v.Bucket(t.Context(), "noted")
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			putNoted(t, b, key)
			if err := b.Delete(t.Context(), []volume.DeleteRequest{{Key: key}})[0].Err; err != nil {
				t.Fatal(err)
			}
		}
		if err := v.Close(); err != nil { // which waits for the empty directories to be removed
			t.Fatal(err)
		}
	}
	dirs, servers := map[string]map[holdfast.DirID]bool{}, map[string]map[holdfast.ServiceID]bool{}
	for _, key := range keys {
		dirs[key], servers[key] = map[holdfast.DirID]bool{}, map[holdfast.ServiceID]bool{}
	}
	for _, id := range services.SlotMap().Servers() {
		changes, err := services.names[id].Changes(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for i := range changes {
			if n, ok, err := volume.ParseNote(changes[i].Note); ok && err == nil && dirs[n.Key] != nil {
				dirs[n.Key][changes[i].Dir], servers[n.Key][id] = true, true
			}
		}
	}
	for _, key := range keys {
		if len(dirs[key]) < 2 {
			t.Errorf("%s: its directory was never made again", key)
		}
		if len(servers[key]) != 1 {
			t.Errorf("%s: its changes are in the logs of %d servers", key, len(servers[key]))
		}
	}
}

// TestNotes deletes and changes: all are noted in a bucket that wants it, and in no other.
func TestNotes(t *testing.T) {
	services := newCluster(2, 1)
	v, r := openFor(t, services), newReader()
	b, stop := start(t, services, v, r)
	defer stop()
	if _, err := v.CreateBucket(t.Context(), holdfast.BucketInfo{Name: "plain"}); err != nil {
		t.Fatal(err)
	}
	plain, err := v.Bucket(t.Context(), "plain")
	if err != nil {
		t.Fatal(err)
	}
	putNoted(t, plain, "silent")
	putNoted(t, b, "d/k")
	if _, err := b.SetAttributes(t.Context(), "d/k", volume.AttrChange{Mask: holdfast.AspectTags}); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), []volume.DeleteRequest{{Key: "d/k"}})[0].Err; err != nil {
		t.Fatal(err)
	}
	putNoted(t, b, "d/last")
	r.until(t, "d/last")
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := strings.Join(r.keys, " "); strings.Count(got, "d/k") != 3 || strings.Contains(got, "silent") {
		t.Errorf("got %q", got)
	}
}

func FuzzParseNote(f *testing.F) {
	f.Add("\x01\x01b\x01k\x00\x00\x00\x00\x00")
	f.Fuzz(func(_ *testing.T, note string) { _, _, _ = volume.ParseNote(note) })
}

func TestParseNote(t *testing.T) {
	if _, ok, err := volume.ParseNote(""); ok || err != nil {
		t.Errorf("none: got %v, %v", ok, err)
	}
	if _, ok, err := volume.ParseNote("\x02\x01b"); ok || err != nil {
		t.Errorf("of a newer release: got %v, %v", ok, err)
	}
	if _, ok, err := volume.ParseNote("\x01\x09b"); ok || !holdfast.Is(err, holdfast.Corrupt) {
		t.Errorf("cut short: got %v, %v", ok, err)
	}
	if err := quick.Check(func(text string) bool { _, ok, err := volume.ParseNote("\x01" + text); return !ok || err == nil }, nil); err != nil {
		t.Error(err)
	}
}
