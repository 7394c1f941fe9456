package volumetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"holdfast"
	"holdfast/volume"
)

// testModel does random operations on a volume and on the model, with several numbers of name servers, and compares all
// that comes back.
func testModel(t *testing.T, open Open) {
	for _, names := range shapes {
		t.Run(fmt.Sprint(names), func(t *testing.T) {
			w := walker{t: t, rng: random(t, 1), census: NewCensus(open(t, names, 2))}
			w.v = Start(t, w.census)
			MakeBucket(t, w.v, "bucket")
			for range 600 {
				w.step()
			}
			w.finish()
		})
	}
}

// walker walks a volume and a model side by side.
type walker struct {
	t       *testing.T
	rng     *rand.Rand
	census  *Census
	v       *volume.Volume
	model   Model
	uploads []walkedUpload
	serial  uint64
}

type walkedUpload struct {
	key string
	id  holdfast.UploadID
}

var (
	components = []string{"a", "b", "ab", "", "..", "é", "a-b", "c%2F", "\x01", "a b"}
	prefixes   = []string{"", "a", "a/", "a/b", "/", "ab/", "b//", "é/a", "zz", "a/a/a/"}
	delimiters = []string{"", "/", "/", "/", "-", "b", "//", "a/", "é"}
)

func (w *walker) key() string {
	for {
		parts := make([]string, 1+w.rng.IntN(4))
		for i := range parts {
			parts[i] = components[w.rng.IntN(len(components))]
		}
		if key := strings.Join(parts, "/"); key != "" {
			return key
		}
	}
}

func (w *walker) data() []byte {
	w.serial++
	sizes := []int{0, 1, 100, 4 << 10, 5000}
	return Data(w.serial, sizes[w.rng.IntN(len(sizes))])
}

func (w *walker) step() {
	b := GetBucket(w.t, w.v, "bucket")
	switch n := w.rng.IntN(100); {
	case n < 30:
		w.put(b)
	case n < 45:
		w.delete(b)
	case n < 55:
		w.deleteVersion(b)
	case n < 65:
		w.get(b)
	case n < 85:
		w.list(b)
	case n < 90:
		w.multiDelete(b)
	case n < 97:
		w.upload(b)
	default:
		w.setVersioning()
	}
}

func (w *walker) put(b *volume.Bucket) {
	key, data := w.key(), w.data()
	before, there := w.model.Get(key, volume.Version{})
	res := MustPut(w.t, b, key, data)
	if want := !there || before.Marker; res.Created != want {
		w.t.Fatalf("put %q: created is %v; want %v", key, res.Created, want)
	}
	w.model.Put(key, res.Entry.Version, data)
}

func (w *walker) delete(b *volume.Bucket) {
	key := w.key()
	res := b.Delete(w.t.Context(), []volume.DeleteRequest{{Key: key, Owner: "owner"}})[0]
	if res.Err != nil {
		w.t.Fatalf("delete %q: %v", key, res.Err)
	}
	if want := w.model.Versioning != holdfast.VersioningOff; res.Marker != want {
		w.t.Fatalf("delete %q: marker is %v; want %v", key, res.Marker, want)
	}
	w.model.Delete(key, res.Version)
}

func (w *walker) deleteVersion(b *volume.Bucket) {
	keys := w.model.Keys()
	if len(keys) == 0 {
		return
	}
	key := keys[w.rng.IntN(len(keys))]
	versions := w.model.Versions(key)
	v := volume.Version{ID: versions[w.rng.IntN(len(versions))].ID}
	if w.rng.IntN(4) == 0 {
		v = volume.Version{Null: true}
	}
	res := b.Delete(w.t.Context(), []volume.DeleteRequest{{Key: key, Version: v}})[0]
	want := w.model.DeleteVersion(key, v)
	if res.Err != nil || res.Found != want {
		w.t.Fatalf("delete version %q: found %v, %v; want %v", key, res.Found, res.Err, want)
	}
}

func (w *walker) multiDelete(b *volume.Bucket) {
	var reqs []volume.DeleteRequest
	for range w.rng.IntN(40) {
		reqs = append(reqs, volume.DeleteRequest{Key: w.key(), Owner: "owner"})
	}
	for i, res := range b.Delete(w.t.Context(), reqs) {
		if res.Err != nil {
			w.t.Fatalf("delete %q: %v", reqs[i].Key, res.Err)
		}
		w.model.Delete(reqs[i].Key, res.Version)
	}
}

func (w *walker) get(b *volume.Bucket) {
	key, version := w.key(), volume.Version{}
	if versions := w.model.Versions(key); len(versions) > 0 && w.rng.IntN(2) == 0 {
		version.ID = versions[w.rng.IntN(len(versions))].ID
	}
	want, there := w.model.Get(key, version)
	if there && !want.Marker {
		WantGet(w.t, b, key, version, want.Data)
		return
	}
	entry, err := b.Head(w.t.Context(), key, version)
	WantKind(w.t, fmt.Sprintf("head %q", key), err, holdfast.NotFound)
	if entry.Marker != want.Marker {
		w.t.Fatalf("head %q: marker is %v; want %v", key, entry.Marker, want.Marker)
	}
}

func (w *walker) list(b *volume.Bucket) {
	o := volume.ListOptions{
		What:      holdfast.Listing(w.rng.IntN(3)),
		Prefix:    prefixes[w.rng.IntN(len(prefixes))],
		Delimiter: delimiters[w.rng.IntN(len(delimiters))],
		Limit:     1 + w.rng.IntN(12),
	}
	if w.rng.IntN(3) == 0 {
		o.After.Key = w.key()
	}
	for range 6 {
		want, more := w.model.List(o)
		page := WantList(w.t, b, o, want, more)
		if !more {
			return
		}
		o.After = page.Next
	}
}

func (w *walker) upload(b *volume.Bucket) {
	if len(w.uploads) > 0 && w.rng.IntN(2) == 0 {
		w.endUpload(b)
		return
	}
	key := w.key()
	up, err := b.CreateUpload(w.t.Context(), key, holdfast.Upload{Initiator: "owner"})
	if err != nil {
		w.t.Fatalf("create upload %q: %v", key, err)
	}
	w.model.AddUpload(key, up.ID)
	w.uploads = append(w.uploads, walkedUpload{key, up.ID})
}

func (w *walker) endUpload(b *volume.Bucket) {
	i := w.rng.IntN(len(w.uploads))
	up := w.uploads[i]
	w.uploads = append(w.uploads[:i], w.uploads[i+1:]...)
	w.model.EndUpload(up.key, up.id)
	if w.rng.IntN(2) == 0 {
		if err := b.AbortUpload(w.t.Context(), up.key, up.id); err != nil {
			w.t.Fatalf("abort upload %q: %v", up.key, err)
		}
		return
	}
	var req volume.CompleteRequest
	var whole []byte
	for number := 1; number < 2+w.rng.IntN(4); number++ {
		data := w.data()
		p := MustPutPart(w.t, b, up.key, up.id, number, data)
		req.Parts = append(req.Parts, holdfast.CompletedPart{Number: number, ETag: p.ETag})
		whole = append(whole, data...)
	}
	res, err := b.CompleteUpload(w.t.Context(), up.key, up.id, req)
	if err != nil {
		w.t.Fatalf("complete upload %q: %v", up.key, err)
	}
	w.model.Put(up.key, res.Entry.Version, whole)
}

func (w *walker) setVersioning() {
	next := holdfast.VersioningEnabled
	if w.model.Versioning == holdfast.VersioningEnabled {
		next = holdfast.VersioningSuspended
	}
	if _, err := w.v.UpdateBucket(w.t.Context(), "bucket", volume.BucketChange{Versioning: &next}); err != nil {
		w.t.Fatal(err)
	}
	w.model.Versioning = next
}

// finish compares everything, empties the bucket and deletes it.
func (w *walker) finish() {
	b := GetBucket(w.t, w.v, "bucket")
	for _, what := range []holdfast.Listing{holdfast.ListObjects, holdfast.ListVersions, holdfast.ListUploads} {
		o := volume.ListOptions{What: what, Limit: holdfast.MaxList}
		want, more := w.model.List(o)
		WantList(w.t, b, o, want, more)
	}
	for _, key := range w.model.Keys() {
		for _, v := range w.model.Versions(key) {
			if !v.Marker {
				WantGet(w.t, b, key, volume.Version{ID: v.ID}, v.Data)
			}
		}
	}
	w.usage()
	w.census.WantLinks(w.t, b)
	if len(w.model.Keys()) > 0 {
		WantKind(w.t, "delete bucket", w.v.DeleteBucket(w.t.Context(), "bucket"), holdfast.NotEmpty)
	}
	var reqs []volume.DeleteRequest
	for _, key := range w.model.Keys() {
		for _, v := range w.model.Versions(key) {
			reqs = append(reqs, volume.DeleteRequest{Key: key, Version: volume.Version{ID: v.ID}})
		}
	}
	for part := range slices.Chunk(reqs, volume.MaxDelete) {
		for _, res := range b.Delete(w.t.Context(), part) {
			if res.Err != nil || !res.Found {
				w.t.Fatalf("delete: %+v", res)
			}
		}
	}
	WantList(w.t, b, volume.ListOptions{What: holdfast.ListVersions, Delimiter: "/", Limit: 10}, nil, false)
	if err := w.v.DeleteBucket(w.t.Context(), "bucket"); err != nil {
		w.t.Fatal(err)
	}
	w.census.WantSettled(w.t)
	if live, _ := w.census.Dirs(w.t); len(live) > 0 {
		w.t.Fatalf("%d directories outlive their bucket", len(live))
	}
}

// usage compares the counts.
func (w *walker) usage() {
	got, err := w.v.Usage(w.t.Context(), "bucket")
	if err != nil {
		w.t.Fatal(err)
	}
	var want holdfast.Usage
	for _, key := range w.model.Keys() {
		for i, v := range w.model.Versions(key) {
			want.Versions++
			want.Bytes += int64(len(v.Data))
			if i == 0 && !v.Marker {
				want.Objects++
			}
		}
	}
	got.UploadBytes = 0
	if got != want {
		w.t.Fatalf("usage is %+v; want %+v", got, want)
	}
}

// MustPutPart stores a part.
func MustPutPart(t testing.TB, b *volume.Bucket, key string, id holdfast.UploadID, number int, data []byte) holdfast.Part {
	t.Helper()
	p, err := b.PutPart(t.Context(), key, id, volume.PartRequest{
		Number: number, ETag: etag(data), Body: bytes.NewReader(data), Size: int64(len(data)),
	})
	if err != nil {
		t.Fatalf("put part %d of %q: %v", number, key, err)
	}
	return p
}
