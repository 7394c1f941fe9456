package lifecycle

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv/nametest"
	"holdfast/objsrv/objtest"
	"holdfast/volume"
)

// world is a volume in memory and a runner whose time is moved by the test.
type world struct {
	*testing.T
	v      *volume.Volume
	b      *volume.Bucket
	runner *Runner

	mu    sync.Mutex
	later time.Duration
}

func newWorld(t *testing.T, versioning holdfast.Versioning, rules ...string) *world {
	t.Helper()
	ids := []holdfast.ServiceID{holdfast.NewServiceID(holdfast.TypeNameServer, 1), holdfast.NewServiceID(holdfast.TypeNameServer, 2)}
	slots := volume.NewSlotMap(ids...)
	services := volume.NewDirect(slots)
	for _, id := range ids {
		services.SetName(id, nametest.New(nil, slots.Held(id)...))
	}
	os := holdfast.NewServiceID(holdfast.TypeObjectStore, 1)
	services.SetObject(os, objtest.NewMemory(os, nil))
	v, err := volume.Open(volume.Options{Services: services, RetryFor: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{T: t, v: v}
	w.runner = newRunner(Options{Volume: v, Now: w.now})
	info := holdfast.BucketInfo{Name: "bucket", Owner: "o", Versioning: versioning, Settings: map[string][]byte{Setting: document(rules...)}}
	if _, err := v.CreateBucket(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	if w.b, err = v.Bucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.later)
}

// pass moves the time on by days and runs a pass.
func (w *world) pass(days int) {
	w.Helper()
	w.mu.Lock()
	w.later += time.Duration(days) * Day
	w.mu.Unlock()
	w.runner.pass(w.Context())
}

func (w *world) put(key string, edit ...func(*holdfast.Entry)) holdfast.Entry {
	w.Helper()
	e := holdfast.Entry{Owner: "o"}
	for _, f := range edit {
		f(&e)
	}
	r, err := w.b.Put(w.Context(), key, volume.PutRequest{Entry: e, Body: strings.NewReader("data"), Size: 4})
	if err != nil {
		w.Fatal(err)
	}
	return r.Entry
}

func (w *world) remove(key string) {
	w.Helper()
	if err := w.b.Delete(w.Context(), []volume.DeleteRequest{{Key: key}})[0].Err; err != nil {
		w.Fatal(err)
	}
}

// holds checks what the bucket holds: keys of visible objects, or with versions each one as key, or key! for a delete marker.
func (w *world) holds(what holdfast.Listing, want ...string) {
	w.Helper()
	page, err := w.b.List(w.Context(), volume.ListOptions{What: what, Limit: holdfast.MaxList})
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for _, it := range page.Items {
		text := it.Key
		if it.Entry != nil && it.Entry.Marker {
			text += "!"
		}
		got = append(got, text)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.Errorf("got %q, want %q", got, want)
	}
}

func TestExpireUnversioned(t *testing.T) {
	w := newWorld(t, holdfast.VersioningOff, oneDay+"<Filter><Prefix>tmp/</Prefix></Filter>")
	for _, key := range []string{"a", "tmp/1", "tmp/2", "tmp/d/3", "z"} {
		w.put(key)
	}
	w.pass(1)
	w.holds(holdfast.ListObjects, "a", "tmp/1", "tmp/2", "tmp/d/3", "z")
	w.pass(1)
	w.holds(holdfast.ListObjects, "a", "z")
}

func TestExpireVersioned(t *testing.T) {
	w := newWorld(t, holdfast.VersioningEnabled, oneDay)
	w.put("k")
	w.put("k")
	w.pass(2)
	w.holds(holdfast.ListVersions, "k!", "k", "k")
	w.pass(1)
	w.holds(holdfast.ListVersions, "k!", "k", "k")
}

func TestExpireSuspended(t *testing.T) {
	w := newWorld(t, holdfast.VersioningSuspended, oneDay)
	w.put("k")
	w.pass(2)
	w.holds(holdfast.ListVersions, "k!")
	w.pass(2) // the marker is all there is, and old enough
	w.holds(holdfast.ListVersions)
}

func TestNoncurrent(t *testing.T) {
	w := newWorld(t, holdfast.VersioningEnabled,
		"<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
		"<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"+
			"<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration><Filter><Prefix>gone</Prefix></Filter>")
	for range 4 {
		w.put("k")
	}
	w.put("gone/1")
	w.put("gone/1")
	w.remove("gone/1")
	w.pass(1)
	w.holds(holdfast.ListVersions, "gone/1!", "gone/1", "gone/1", "k", "k", "k", "k")
	w.pass(1)
	w.holds(holdfast.ListVersions, "gone/1!", "k", "k")
	w.pass(1)
	w.holds(holdfast.ListVersions, "k", "k")
}

func TestTagsAndSizes(t *testing.T) {
	w := newWorld(t, holdfast.VersioningOff, oneDay+"<Filter><Tag><Key>keep</Key><Value>no</Value></Tag></Filter>",
		oneDay+"<Filter><ObjectSizeLessThan>4</ObjectSizeLessThan></Filter>")
	tagged := func(value string) func(*holdfast.Entry) {
		return func(e *holdfast.Entry) { e.Tags = []holdfast.Header{{Name: "keep", Value: value}} }
	}
	w.put("no", tagged("no"))
	w.put("yes", tagged("yes"))
	w.put("untagged")
	if _, err := w.b.Put(t.Context(), "small", volume.PutRequest{Body: strings.NewReader("abc"), Size: 3}); err != nil {
		t.Fatal(err)
	}
	w.pass(2)
	w.holds(holdfast.ListObjects, "untagged", "yes")
}

func TestLockedStays(t *testing.T) {
	w := newWorld(t, holdfast.VersioningEnabled, "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>")
	w.put("k", func(e *holdfast.Entry) { e.Lock.LegalHold = true })
	w.put("k", func(e *holdfast.Entry) {
		e.Lock = holdfast.Lock{Mode: holdfast.LockGovernance, Until: time.Now().Add(time.Hour)}
	})
	w.put("k")
	w.put("k")
	w.pass(2)
	w.holds(holdfast.ListVersions, "k", "k", "k")
}

func TestAbortUploads(t *testing.T) {
	w := newWorld(t, holdfast.VersioningOff,
		"<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload><Filter><Prefix>up/</Prefix></Filter>")
	for _, key := range []string{"up/1", "up/2", "keep"} {
		if _, err := w.b.CreateUpload(t.Context(), key, holdfast.Upload{}); err != nil {
			t.Fatal(err)
		}
	}
	w.pass(1)
	w.holds(holdfast.ListUploads, "keep", "up/1", "up/2")
	w.pass(1)
	w.holds(holdfast.ListUploads, "keep")
}

// TestRewrittenStays replaces objects between the look and the deed: what was written anew stays.
func TestRewrittenStays(t *testing.T) {
	for _, versioning := range []holdfast.Versioning{holdfast.VersioningOff, holdfast.VersioningEnabled} {
		w := newWorld(t, versioning, oneDay)
		old := w.put("k", func(e *holdfast.Entry) { e.Modified = time.Now().Add(-5 * Day) })
		s := &scan{r: w.runner, info: w.b.Info(), b: w.b, rules: rules(t, Day, oneDay), now: w.now()}
		s.look(&volume.ListItem{Key: "k", Entry: &old, Latest: true})
		if len(s.actions) != 1 {
			t.Fatalf("%d actions, want 1", len(s.actions))
		}
		w.put("k")
		if err := s.act(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.removed != 0 {
			t.Error("something was removed")
		}
		if e, err := w.b.Head(t.Context(), "k", volume.Version{}); err != nil || e.Version == old.Version {
			t.Errorf("versioning %d: got %+v, %v", versioning, e, err)
		}
	}
}

// TestResume stops a scan in the middle: the next one goes on behind what is done with, and one of another day begins anew.
func TestResume(t *testing.T) {
	w := newWorld(t, holdfast.VersioningOff, oneDay)
	for _, key := range []string{"a", "b", "c"} {
		w.put(key)
	}
	w.mu.Lock()
	w.later = 3 * Day
	w.mu.Unlock()
	state := w.runner.today(w.b.Info())
	state.After = []byte("b")
	if err := w.runner.save(t.Context(), w.b.Info(), state); err != nil {
		t.Fatal(err)
	}
	w.pass(0)
	w.holds(holdfast.ListObjects, "a", "b")
	w.pass(0) // done for the day
	w.holds(holdfast.ListObjects, "a", "b")
	w.pass(1)
	w.holds(holdfast.ListObjects)
}

// TestRunsAgainWithNewRules changes the rules on a day that was done, and then takes them away.
func TestRunsAgainWithNewRules(t *testing.T) {
	w := newWorld(t, holdfast.VersioningOff, tenDays)
	w.put("k")
	w.pass(3)
	w.holds(holdfast.ListObjects, "k")
	set := func(doc []byte) {
		if _, err := w.v.UpdateBucket(t.Context(), "bucket", volume.BucketChange{Settings: map[string][]byte{Setting: doc}}); err != nil {
			t.Fatal(err)
		}
	}
	set(document(oneDay))
	w.pass(0)
	w.holds(holdfast.ListObjects)
	set(nil)
	w.pass(0)
	if r, err := w.v.ReadRecord(t.Context(), recordKey(w.b.Info())); err != nil || !r.Tag.IsZero() {
		t.Errorf("the record of a bucket without rules: %+v, %v", r, err)
	}
}

// TestRunner lets a real runner with a short day do it, two of them at once.
func TestRunner(t *testing.T) {
	w := newWorld(t, holdfast.VersioningOff, oneDay)
	w.put("k")
	for range 2 {
		r := Start(Options{Volume: w.v, Day: time.Second, Busy: func() bool { return true }})
		defer func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := w.b.Head(ctx, "k", volume.Version{}); holdfast.Is(err, holdfast.NotFound) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("the object did not expire")
		case <-tick.C:
		}
	}
}
