package fsck

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv/nametest"
	"holdfast/objsrv/objtest"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// store is a volume on servers in memory, whose answers tests may falsify and whose calls they may watch.
type store struct {
	*volume.Direct
	names   []*nametest.Memory
	objects []*objtest.Memory
	vol     *volume.Volume
	bucket  *volume.Bucket

	entry func(name string, e *holdfast.Entry) // changes entries on their way out; nil: none
	hide  func(name string) bool               // leaves entries out of listings; nil: none
	read  func(objectKey, []byte) error        // changes bytes on their way out; nil: none
	call  func()                               // is called before each call of a check; nil: nothing

	collected map[*nametest.Memory]int // garbage freed already
}

// newStore makes a volume of 3 name servers and 2 object servers with a bucket. Objects are made at the times that created
// says.
func newStore(t *testing.T, created func() time.Time) *store {
	t.Helper()
	var ids []holdfast.ServiceID
	for n := range 3 {
		ids = append(ids, holdfast.NewServiceID(holdfast.TypeNameServer, uint64(n+1)))
	}
	slots := volume.NewSlotMap(ids...)
	s := &store{Direct: volume.NewDirect(slots), collected: map[*nametest.Memory]int{}}
	for _, id := range ids {
		m := nametest.New(nil, slots.Held(id)...)
		s.names = append(s.names, m)
		s.SetName(id, m)
	}
	for n := range 2 {
		id := holdfast.NewServiceID(holdfast.TypeObjectStore, uint64(n+1))
		m := objtest.NewMemory(id, created)
		s.objects = append(s.objects, m)
		s.SetObject(id, m)
	}
	s.vol = volumetest.Start(t, s.Direct)
	s.bucket = volumetest.MakeBucket(t, s.vol, "bucket")
	return s
}

// old is the time of objects whose guard period is over.
func old() time.Time { return time.Now().Add(-2 * holdfast.GuardPeriod) }

// fill stores some objects in directories, an unfinished upload and a multipart object.
func (s *store) fill(t *testing.T) (keys []string) {
	t.Helper()
	keys = []string{"a", "b", "d/a", "d/b", "d/e/c", "f/x", "f/y/z", "g/"}
	for i, key := range keys {
		volumetest.MustPut(t, s.bucket, key, volumetest.Data(uint64(i), 1000+i))
	}
	s.upload(t, "d/unfinished", 3)
	s.complete(t, "d/parts", s.upload(t, "d/parts", 3))
	return append(keys, "d/parts")
}

// uploaded is an unfinished upload with its parts.
type uploaded struct {
	id    holdfast.UploadID
	parts []holdfast.CompletedPart
}

func (s *store) upload(t testing.TB, key string, parts int) uploaded {
	t.Helper()
	up, err := s.bucket.CreateUpload(t.Context(), key, holdfast.Upload{Initiator: "owner", Entry: holdfast.Entry{Owner: "owner"}})
	if err != nil {
		t.Fatal(err)
	}
	u := uploaded{id: up.ID}
	for n := 1; n <= parts; n++ {
		p := volumetest.MustPutPart(t, s.bucket, key, up.ID, n, volumetest.Data(uint64(100+n), 500))
		u.parts = append(u.parts, holdfast.CompletedPart{Number: n, ETag: p.ETag})
	}
	return u
}

func (s *store) complete(t testing.TB, key string, u uploaded) {
	t.Helper()
	if _, err := s.bucket.CompleteUpload(t.Context(), key, u.id, volume.CompleteRequest{Parts: u.parts}); err != nil {
		t.Fatal(err)
	}
}

// link returns the link of a key that one PUT made.
func (s *store) link(t *testing.T, key string) holdfast.Link {
	t.Helper()
	var found holdfast.Link
	c := newChecker(s.Direct, Options{})
	w := &walk{c: c, count: new(Report), see: func(_ context.Context, h *holder, content *holdfast.Content) error {
		if h.String() == "bucket/"+key {
			found = content.Link
		}
		return nil
	}}
	if err := w.run(t.Context()); err != nil || found.IsZero() {
		t.Fatalf("no link of %q: %v", key, err)
	}
	return found
}

// free takes an object's bytes away.
func (s *store) free(t testing.TB, l holdfast.Link) {
	t.Helper()
	server, err := s.ObjectServer(t.Context(), l.OS)
	if err == nil {
		err = server.Free(t.Context(), []holdfast.ObjectID{l.Object})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// collect frees what the name servers have given up, as their background work does.
func (s *store) collect(t testing.TB) {
	t.Helper()
	for _, n := range s.names {
		garbage := n.Garbage()
		for _, l := range garbage[s.collected[n]:] {
			s.free(t, l)
		}
		s.collected[n] = len(garbage)
	}
}

func (s *store) delete(t testing.TB, key string) {
	t.Helper()
	if err := s.bucket.Delete(t.Context(), []volume.DeleteRequest{{Key: key}})[0].Err; err != nil {
		t.Fatal(err)
	}
}

// check runs a check through the falsified services.
func (s *store) check(t testing.TB, opts Options) (Report, []Problem) {
	t.Helper()
	var found []Problem
	opts.Problem = func(p Problem) { found = append(found, p) }
	report, err := Check(t.Context(), watched{s}, opts)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(found)) != report.Problems {
		t.Fatalf("%d problems shown, %d counted", len(found), report.Problems)
	}
	return report, found
}

// watched is the store as a check sees it.
type watched struct{ s *store }

func (w watched) SlotMap() *volume.SlotMap            { return w.s.SlotMap() }
func (w watched) ObjectServers() []holdfast.ServiceID { return w.s.ObjectServers() }
func (w watched) Refresh(ctx context.Context) error   { return ctx.Err() }

func (w watched) enter() {
	if w.s.call != nil {
		w.s.call()
	}
}

func (w watched) NameServer(ctx context.Context, id holdfast.ServiceID) (holdfast.NameService, error) {
	n, err := w.s.NameServer(ctx, id)
	return watchedNames{n, w}, err
}

func (w watched) ObjectServer(ctx context.Context, id holdfast.ServiceID) (holdfast.ObjectService, error) {
	o, err := w.s.ObjectServer(ctx, id)
	return watchedObjects{o, w, id}, err
}

type watchedNames struct {
	holdfast.NameService
	w watched
}

func (n watchedNames) List(ctx context.Context, requests []holdfast.ListRequest) ([]holdfast.Page, error) {
	n.w.enter()
	pages, err := n.NameService.List(ctx, requests)
	for i := range pages {
		if hide := n.w.s.hide; hide != nil {
			pages[i].Items = slices.DeleteFunc(pages[i].Items, func(it holdfast.Item) bool { return hide(it.Name) })
		}
		for j := range pages[i].Items {
			if e := pages[i].Items[j].Entry; e != nil && n.w.s.entry != nil {
				n.w.s.entry(pages[i].Items[j].Name, e)
			}
		}
	}
	return pages, err
}

func (n watchedNames) Lookup(ctx context.Context, questions []holdfast.Lookup) ([]holdfast.Answer, error) {
	n.w.enter()
	answers, err := n.NameService.Lookup(ctx, questions)
	for i := range answers {
		if n.w.s.entry != nil && questions[i].Want == holdfast.WantEntry {
			n.w.s.entry(questions[i].Name, &answers[i].Entry)
		}
	}
	return answers, err
}

func (n watchedNames) Settle(ctx context.Context, os holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	n.w.enter()
	return n.NameService.Settle(ctx, os, objects)
}

type watchedObjects struct {
	holdfast.ObjectService
	w  watched
	id holdfast.ServiceID
}

func (o watchedObjects) Stat(ctx context.Context, ids []holdfast.ObjectID) ([]holdfast.ObjectInfo, error) {
	o.w.enter()
	return o.ObjectService.Stat(ctx, ids)
}

func (o watchedObjects) Objects(ctx context.Context, after holdfast.ObjectID, limit int) ([]holdfast.ObjectInfo, error) {
	o.w.enter()
	return o.ObjectService.Objects(ctx, after, limit)
}

func (o watchedObjects) Read(ctx context.Context, req holdfast.ReadRequest, w io.Writer) (int64, error) {
	o.w.enter()
	var buf bytes.Buffer
	n, err := o.ObjectService.Read(ctx, req, &buf)
	if err == nil && o.w.s.read != nil {
		err = o.w.s.read(objectKey{o.id, req.Object}, buf.Bytes())
	}
	if err != nil {
		return 0, err
	}
	_, err = w.Write(buf.Bytes())
	return n, err
}

// nth returns a hook that acts once, at call n, and a flag that tells whether it did.
func nth(n int, act func()) (hook func(), acted *atomic.Bool) {
	acted = new(atomic.Bool)
	calls := 0
	return func() {
		if calls++; calls == n+1 {
			acted.Store(true)
			act()
		}
	}, acted
}
