package volumetest

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"holdfast"
	"holdfast/volume"
)

func etag(data []byte) holdfast.ETag { return holdfast.ETag{Digest: md5.Sum(data)} }

// Zoo are keys that look special to somebody and are not.
func Zoo() []string {
	return []string{
		"a", "a/", "a//", "a//b", "/", "//", "/a", "..", "../..", ".", "./a", "a/../b", "a/./b", "%2F", "a%2Fb", "a b", "a+b", "\x00", "a\x00b",
		"\x01\x1f\x7f", "é", "é/è/日本語/🐟", "e\u0301", "\xff", "\xff/\xff", "a\\b", "a?b#c", "a\nb", "🐟", "\u2028", "A", "a.", "a-", "a0", "ab",
		strings.Repeat("/", 1024), strings.Repeat("x", 1024), strings.Repeat("d/", 511) + "ff", strings.Repeat("é", 512),
	}
}

func testKeys(t *testing.T, open Open) {
	for _, names := range shapes {
		t.Run(fmt.Sprint(names), func(t *testing.T) {
			b := start(t, open, names)
			var model Model
			for i, key := range Zoo() {
				data := Data(uint64(i), 10+i)
				model.Put(key, MustPut(t, b, key, data).Entry.Version, data)
			}
			for _, key := range Zoo() {
				v, _ := model.Get(key, volume.Version{})
				WantGet(t, b, key, volume.Version{}, v.Data)
			}
			for _, delimiter := range []string{"", "/", "//", "%2F", "\x00"} {
				for _, prefix := range []string{"", "a", "a/", "/", "//", "é", strings.Repeat("/", 512), "\xff"} {
					o := volume.ListOptions{Prefix: prefix, Delimiter: delimiter, Limit: 1000}
					want, more := model.List(o)
					WantList(t, b, o, want, more)
				}
			}
			var reqs []volume.DeleteRequest
			for _, key := range Zoo() {
				reqs = append(reqs, volume.DeleteRequest{Key: key})
			}
			for _, res := range b.Delete(t.Context(), reqs) {
				if res.Err != nil || !res.Found {
					t.Errorf("delete: %+v", res)
				}
			}
			WantList(t, b, volume.ListOptions{Limit: 10}, nil, false)
			for _, key := range []string{"", strings.Repeat("x", 1025)} {
				if _, err := put(t.Context(), b, key, nil); err == nil {
					t.Errorf("put of a key of %d bytes succeeded", len(key))
				}
			}
		})
	}
}

func testBuckets(t *testing.T, open Open) {
	v := Start(t, open(t, 2, 1))
	ctx := t.Context()
	for _, name := range []string{"one", "two", "two-b", "three"} {
		MakeBucket(t, v, name)
	}
	there, err := v.CreateBucket(ctx, holdfast.BucketInfo{Name: "two", Owner: "another"})
	WantKind(t, "create again", err, holdfast.Exists)
	if there.Owner != "owner" {
		t.Errorf("the owner of the bucket that exists is %q", there.Owner)
	}
	page, err := v.Buckets(ctx, volume.BucketsOptions{Limit: 100})
	var names []string
	for _, info := range page.Buckets {
		names = append(names, info.Name)
	}
	if want := []string{"one", "three", "two", "two-b"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("buckets are %q, %v; want %q", names, err, want)
	}
	names = nil
	for after, more := "", true; more; {
		page, err := v.Buckets(ctx, volume.BucketsOptions{After: after, Prefix: "t", Limit: 1})
		if err != nil || len(page.Buckets) != 1 {
			t.Fatalf("page after %q: %+v, %v", after, page, err)
		}
		after, more = page.Buckets[0].Name, page.More
		names = append(names, after)
	}
	if want := []string{"three", "two-b", "two"}; !slices.Equal(names, want) {
		t.Errorf("buckets by pages are %q; want %q", names, want)
	}

	b := GetBucket(t, v, "one")
	info, err := v.UpdateBucket(ctx, "one", volume.BucketChange{Settings: map[string][]byte{"policy": []byte("p")}})
	if err != nil || string(info.Settings["policy"]) != "p" || info.Epoch == b.Info().Epoch {
		t.Errorf("update: %+v, %v", info, err)
	}
	_, err = v.UpdateBucket(ctx, "one", volume.BucketChange{Epoch: b.Info().Epoch, Settings: map[string][]byte{"policy": nil}})
	WantKind(t, "update of an older epoch", err, holdfast.Conflict)
	if got := GetBucket(t, v, "one").Info(); got.Epoch != info.Epoch {
		t.Errorf("the record has epoch %d; want %d", got.Epoch, info.Epoch)
	}
	MustPut(t, b, "a/b", []byte("put under the older record"))

	WantKind(t, "delete", v.DeleteBucket(ctx, "one"), holdfast.NotEmpty)
	b.Delete(ctx, []volume.DeleteRequest{{Key: "a/b"}})
	if _, err := b.CreateUpload(ctx, "x/y/z", holdfast.Upload{}); err != nil {
		t.Fatal(err)
	}
	if err := v.DeleteBucket(ctx, "one"); err != nil {
		t.Fatal(err)
	}
	_, err = v.Bucket(ctx, "one")
	WantKind(t, "bucket after delete", err, holdfast.NotFound)
	_, err = put(ctx, b, "late/key", []byte("late"))
	if !errors.Is(err, volume.ErrNoBucket) {
		t.Errorf("a late put: %v; want ErrNoBucket", err)
	}
	WantKind(t, "delete again", v.DeleteBucket(ctx, "one"), holdfast.NotFound)
	WantList(t, MakeBucket(t, v, "one"), volume.ListOptions{Limit: 10}, nil, false)
}

func testPut(t *testing.T, open Open) {
	b := start(t, open, 2)
	for _, n := range []int{0, 1, 4095, 4096, 4097, 100_000, 3 << 20} {
		for _, size := range []int64{int64(n), -1} {
			data := Data(uint64(n), n)
			finished := 0
			res, err := b.Put(t.Context(), "d/key", volume.PutRequest{
				Entry: holdfast.Entry{Headers: []holdfast.Header{{Name: "content-type", Value: "text/plain"}}},
				Body:  io.MultiReader(bytes.NewReader(data[:n/2]), bytes.NewReader(data[n/2:])), Size: size,
				Finish: func(e *holdfast.Entry) error { finished++; e.ETag = etag(data); return nil },
			})
			if err != nil || finished != 1 || res.Entry.Size != int64(n) || res.Entry.ETag != etag(data) {
				t.Fatalf("put of %d bytes, size %d: finished %d times, %+v, %v", n, size, finished, res.Entry, err)
			}
			WantGet(t, b, "d/key", volume.Version{}, data)
		}
	}
	before := Data(3<<20, 3<<20)
	broken := errors.New("the client went away")
	for _, n := range []int{100, 1 << 20} {
		for _, tc := range []struct {
			name string
			req  volume.PutRequest
			want func(error) bool
		}{
			{"error of the body", volume.PutRequest{Size: int64(n + 1), Body: io.MultiReader(bytes.NewReader(make([]byte, n)), failing{broken})},
				func(err error) bool { return errors.Is(err, broken) }},
			{"error of finish", volume.PutRequest{Size: int64(n), Body: bytes.NewReader(make([]byte, n)), Finish: func(*holdfast.Entry) error { return broken }},
				func(err error) bool { return errors.Is(err, broken) }},
			{"short body", volume.PutRequest{Size: int64(n + 1), Body: bytes.NewReader(make([]byte, n))},
				func(err error) bool { return holdfast.Is(err, holdfast.Aborted) }},
			{"long body", volume.PutRequest{Size: int64(n - 1), Body: bytes.NewReader(make([]byte, n))},
				func(err error) bool { return holdfast.Is(err, holdfast.Aborted) }},
		} {
			if _, err := b.Put(t.Context(), "d/key", tc.req); !tc.want(err) {
				t.Errorf("%s of %d bytes: got error %v", tc.name, n, err)
			}
		}
	}
	WantGet(t, b, "d/key", volume.Version{}, before)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func testConditions(t *testing.T, open Open) {
	b := start(t, open, 2)
	ctx := t.Context()
	try := func(key string, c holdfast.Conditions, want holdfast.Kind) {
		t.Helper()
		_, err := b.Put(ctx, key, volume.PutRequest{Entry: holdfast.Entry{ETag: etag([]byte("x"))}, If: c, Body: strings.NewReader("x"), Size: 1})
		if holdfast.KindOf(err) != want {
			t.Errorf("put %q: got %v; want kind %v", key, err, want)
		}
	}
	x, y := etag([]byte("x")), etag([]byte("y"))
	try("a/b", holdfast.Conditions{IfMatch: &x}, holdfast.NotFound)
	try("a/b", holdfast.Conditions{IfNoneMatch: true}, holdfast.Other)
	try("a/b", holdfast.Conditions{IfNoneMatch: true}, holdfast.Precondition)
	try("a/b", holdfast.Conditions{IfMatch: &x}, holdfast.Other)
	try("a/b", holdfast.Conditions{IfMatch: &y}, holdfast.Precondition)
	WantList(t, b, volume.ListOptions{Delimiter: "/", Limit: 10}, []Line{{Key: "a/", CommonPrefix: true}}, false)
	res := b.Delete(ctx, []volume.DeleteRequest{{Key: "a/b", If: holdfast.Conditions{IfMatch: &y}}, {Key: "a/b", If: holdfast.Conditions{IfMatch: &x}}})
	WantKind(t, "delete", res[0].Err, holdfast.Precondition)
	if res[1].Err != nil || !res[1].Found {
		t.Errorf("delete: %+v", res[1])
	}
}

func testRanges(t *testing.T, open Open) {
	b := start(t, open, 2)
	ctx := t.Context()
	up, err := b.CreateUpload(ctx, "d/m", holdfast.Upload{})
	if err != nil {
		t.Fatal(err)
	}
	var whole []byte
	var req volume.CompleteRequest
	for i, n := range []int{1000, 300 << 10, 1, 0, 70_000, 2 << 20, 5} {
		data := Data(uint64(i), n)
		p := MustPutPart(t, b, "d/m", up.ID, i+1, data)
		req.Parts = append(req.Parts, holdfast.CompletedPart{Number: i + 1, ETag: p.ETag})
		whole = append(whole, data...)
	}
	if _, err := b.CompleteUpload(ctx, "d/m", up.ID, req); err != nil {
		t.Fatal(err)
	}
	MustPut(t, b, "d/s", whole)
	rng := random(t, 2)
	for _, key := range []string{"d/m", "d/s"} {
		o, err := b.Open(ctx, key, volume.Version{})
		if err != nil {
			t.Fatal(err)
		}
		size := o.Entry().Size
		for i := range 60 {
			off, n := rng.Int64N(size+1), int64(0)
			n = rng.Int64N(size - off + 1)
			if i == 0 {
				off, n = 0, size
			}
			var out bytes.Buffer
			written, err := o.WriteRange(ctx, &out, off, n)
			if err != nil || written != n || !bytes.Equal(out.Bytes(), whole[off:off+n]) {
				t.Fatalf("%s: range %d+%d: %d bytes, %v", key, off, n, written, err)
			}
		}
		for _, r := range [][2]int64{{-1, 1}, {0, size + 1}, {size, 1}, {1, -1}, {1, 1<<63 - 1}} {
			_, err := o.WriteRange(ctx, io.Discard, r[0], r[1])
			WantKind(t, fmt.Sprint("range ", r), err, holdfast.Invalid)
		}
		full := errors.New("the client went away")
		if _, err := o.WriteRange(ctx, failingWriter{full}, 0, size); !errors.Is(err, full) {
			t.Errorf("%s: to a failing writer: %v", key, err)
		}
		r := o.Reader(ctx, 1, size-1)
		head := make([]byte, 2000)
		if _, err := io.ReadFull(r, head); err != nil || !bytes.Equal(head, whole[1:2001]) {
			t.Errorf("%s: reader: %v", key, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	o, _ := b.Open(ctx, "d/m", volume.Version{})
	off, n, parts, err := o.PartRange(2)
	if off != 1000 || n != 300<<10 || parts != 7 || err != nil {
		t.Errorf("part 2 is at %d+%d of %d, %v", off, n, parts, err)
	}
	_, _, _, err = o.PartRange(8)
	WantKind(t, "part 8", err, holdfast.InvalidPart)

	stale, _ := b.Open(ctx, "d/s", volume.Version{})
	MustPut(t, b, "d/s", []byte("new"))
	WantGet(t, b, "d/s", volume.Version{}, []byte("new"))
	if _, err := stale.WriteRange(ctx, io.Discard, 0, 1); err != nil && !holdfast.Is(err, holdfast.Conflict) {
		t.Errorf("reading what was replaced: %v", err)
	}
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

func testCopy(t *testing.T, open Open) {
	b := start(t, open, 2)
	ctx := t.Context()
	data := Data(1, 1<<20)
	MustPut(t, b, "from/a", data)
	src, err := b.Open(ctx, "from/a", volume.Version{})
	if err != nil {
		t.Fatal(err)
	}
	h := md5.New()
	res, err := b.Copy(ctx, src, "to/b", volume.CopyRequest{
		Entry:   holdfast.Entry{Owner: "copier"},
		Through: func(r io.Reader) io.Reader { return io.TeeReader(r, h) },
		Finish:  func(e *holdfast.Entry) error { h.Sum(e.ETag.Digest[:0]); return nil },
	})
	if err != nil || res.Entry.ETag != etag(data) || res.Entry.Owner != "copier" {
		t.Fatalf("copy: %+v, %v", res.Entry, err)
	}
	WantGet(t, b, "to/b", volume.Version{}, data)

	res, err = b.Copy(ctx, src, "from/a", volume.CopyRequest{Entry: holdfast.Entry{ETag: etag(data), Headers: []holdfast.Header{{Name: "x-amz-meta-a", Value: "1"}}}})
	if err != nil || res.Entry.Header("x-amz-meta-a") != "1" || res.Entry.ETag != etag(data) {
		t.Fatalf("copy onto itself: %+v, %v", res.Entry, err)
	}
	WantGet(t, b, "from/a", volume.Version{}, data)
	MustPut(t, b, "small", []byte("small"))
	small, _ := b.Open(ctx, "small", volume.Version{})
	if res, err = b.Copy(ctx, small, "small", volume.CopyRequest{}); err != nil || res.Entry.Version == small.Entry().Version {
		t.Errorf("a small copy onto itself: %+v, %v", res.Entry, err)
	}
	WantGet(t, b, "small", volume.Version{}, []byte("small"))

	entry, err := b.SetAttributes(ctx, "from/a", volume.AttrChange{Mask: holdfast.AspectTags, Entry: holdfast.Entry{Tags: []holdfast.Header{{Name: "k", Value: "v"}}}})
	if err != nil || len(entry.Tags) != 1 || entry.Header("x-amz-meta-a") != "1" {
		t.Errorf("set attributes: %+v, %v", entry, err)
	}
	_, err = b.SetAttributes(ctx, "no/such/key", volume.AttrChange{Mask: holdfast.AspectTags})
	WantKind(t, "set attributes", err, holdfast.NotFound)

	empty := MustPut(t, b, "from/empty", nil)
	if !empty.Entry.Content.Link.IsZero() {
		t.Error("an empty object has a link")
	}
	src, _ = b.Open(ctx, "from/empty", volume.Version{})
	if _, err := b.Copy(ctx, src, "to/empty", volume.CopyRequest{}); err != nil {
		t.Error(err)
	}
	WantGet(t, b, "to/empty", volume.Version{}, nil)
}

func testDelete(t *testing.T, open Open) {
	b := start(t, open, 4)
	ctx := t.Context()
	var reqs []volume.DeleteRequest
	for i := range 300 {
		key := fmt.Sprintf("%d/%d/%d", i%7, i%31, i)
		MustPut(t, b, key, Data(uint64(i), 10))
		reqs = append(reqs, volume.DeleteRequest{Key: key}, volume.DeleteRequest{Key: key + "/missing"})
	}
	for i, res := range b.Delete(ctx, reqs) {
		if res.Err != nil || res.Found != (i%2 == 0) {
			t.Fatalf("delete %q: %+v", reqs[i].Key, res)
		}
	}
	WantList(t, b, volume.ListOptions{Limit: 10}, nil, false)
	WantList(t, b, volume.ListOptions{Delimiter: "/", Limit: 10}, nil, false)
	for _, res := range b.Delete(ctx, make([]volume.DeleteRequest, 2)) {
		WantKind(t, "delete of no key", res.Err, holdfast.Invalid)
	}
	for _, res := range b.Delete(ctx, make([]volume.DeleteRequest, volume.MaxDelete+1)) {
		WantKind(t, "delete of too many", res.Err, holdfast.TooLarge)
	}
}

// testPages reads the same listing in pages of every size.
func testPages(t *testing.T, open Open) {
	for _, names := range shapes {
		b := start(t, open, names)
		var model Model
		for i := range 60 {
			key := []string{"flat%d", "a/%d", "b/c%d/x", "b/%d/y/z", "%d/", "%d/more"}[i%6]
			key = fmt.Sprintf(key, i/6*6)
			model.Put(key, MustPut(t, b, key, nil).Entry.Version, nil)
		}
		for _, o := range []volume.ListOptions{
			{}, {Delimiter: "/"}, {Prefix: "b/", Delimiter: "/"}, {Prefix: "b/c"}, {Delimiter: "c"}, {What: holdfast.ListVersions, Delimiter: "/y"},
			{What: holdfast.ListVersions},
		} {
			for limit := 1; limit <= 61; limit++ {
				o.Limit, o.After = limit, volume.Position{}
				for more := true; more; {
					var want []Line
					want, more = model.List(o)
					o.After = WantList(t, b, o, want, more).Next
				}
			}
		}
		if page, err := b.List(t.Context(), volume.ListOptions{}); err != nil || page.More || len(page.Items) > 0 {
			t.Errorf("a page of none: %+v, %v", page, err)
		}
	}
}

func testMultipart(t *testing.T, open Open) {
	b := start(t, open, 2)
	ctx := t.Context()
	const key = "deep/down/file"
	up, err := b.CreateUpload(ctx, key, holdfast.Upload{Initiator: "me", Entry: holdfast.Entry{Owner: "owner", StorageClass: "COLD"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Head(ctx, key, volume.Version{})
	WantKind(t, "head before complete", err, holdfast.NotFound)
	WantList(t, b, volume.ListOptions{Delimiter: "/", Limit: 10}, nil, false)
	parts := map[int][]byte{3: Data(3, 6000), 1: Data(1, 5000), 2: Data(2, 100), 7: Data(7, 50)}
	MustPutPart(t, b, key, up.ID, 3, Data(9, 77)) // replaced below
	for number, data := range parts {
		MustPutPart(t, b, key, up.ID, number, data)
	}
	page, err := b.ListParts(ctx, key, up.ID, 1, 2)
	if err != nil || len(page.Parts) != 2 || page.Parts[0].Part.Number != 2 || page.Parts[1].Part.Number != 3 || !page.More ||
		page.Upload.Initiator != "me" {
		t.Fatalf("list parts: %+v, %v", page, err)
	}
	row := func(n int) holdfast.CompletedPart { return holdfast.CompletedPart{Number: n, ETag: etag(parts[n])} }
	for _, tc := range []struct {
		name string
		req  volume.CompleteRequest
		want holdfast.Kind
	}{
		{"missing part", volume.CompleteRequest{Parts: []holdfast.CompletedPart{row(1), {Number: 2, ETag: etag(nil)}}}, holdfast.InvalidPart},
		{"no such part", volume.CompleteRequest{Parts: []holdfast.CompletedPart{row(1), {Number: 4}}}, holdfast.InvalidPart},
		{"small part", volume.CompleteRequest{MinPart: 200, Parts: []holdfast.CompletedPart{row(1), row(2), row(3)}}, holdfast.PartTooSmall},
	} {
		_, err := b.CompleteUpload(ctx, key, up.ID, tc.req)
		WantKind(t, tc.name, err, tc.want)
	}
	req := volume.CompleteRequest{Parts: []holdfast.CompletedPart{row(1), row(2), row(3)}}
	res, err := b.CompleteUpload(ctx, key, up.ID, req)
	if err != nil || res.Entry.ETag.Parts != 3 || res.Entry.StorageClass != "COLD" || !res.Created {
		t.Fatalf("complete: %+v, %v", res, err)
	}
	again, err := b.CompleteUpload(ctx, key, up.ID, req)
	if err != nil || again.Entry.Version != res.Entry.Version {
		t.Fatalf("complete again: %+v, %v", again, err)
	}
	WantGet(t, b, key, volume.Version{}, slices.Concat(parts[1], parts[2], parts[3]))

	for name, err := range map[string]error{
		"abort":      b.AbortUpload(ctx, key, up.ID),
		"abort else": b.AbortUpload(ctx, "elsewhere/x", up.ID),
	} {
		WantKind(t, name, err, holdfast.NoSuchUpload)
	}
	_, err = b.PutPart(ctx, key, up.ID, volume.PartRequest{Number: 1, Body: failing{errors.New("read too early")}, Size: 1 << 20})
	WantKind(t, "put part", err, holdfast.NoSuchUpload)
	_, err = b.PutPart(ctx, key, up.ID, volume.PartRequest{Number: 0})
	WantKind(t, "part 0", err, holdfast.Invalid)
	_, err = b.CompleteUpload(ctx, "not/there", up.ID, req)
	WantKind(t, "complete", err, holdfast.NoSuchUpload)
	_, err = b.Upload(ctx, "not/there", up.ID)
	WantKind(t, "upload", err, holdfast.NoSuchUpload)
}

func testUploads(t *testing.T, open Open) {
	for _, names := range shapes {
		b := start(t, open, names)
		var model Model
		for i := range 30 {
			key := fmt.Sprintf("%d/u/%d", i%3, i%7)
			up, err := b.CreateUpload(t.Context(), key, holdfast.Upload{})
			if err != nil {
				t.Fatal(err)
			}
			model.AddUpload(key, up.ID)
			if i%4 == 0 {
				if err := b.AbortUpload(t.Context(), key, up.ID); err != nil {
					t.Fatal(err)
				}
				model.EndUpload(key, up.ID)
			}
		}
		for _, o := range []volume.ListOptions{{}, {Delimiter: "/"}, {Prefix: "1/", Delimiter: "/"}, {Prefix: "1/u/3"}} {
			for limit := 1; limit < 25; limit++ {
				o.What, o.Limit, o.After = holdfast.ListUploads, limit, volume.Position{}
				for more := true; more; {
					var want []Line
					want, more = model.List(o)
					o.After = WantList(t, b, o, want, more).Next
				}
			}
		}
	}
}
