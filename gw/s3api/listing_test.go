package s3api

import (
	"bytes"
	"encoding/xml"
	"net/url"
	"strings"
	"testing"
	"time"
)

var (
	testOwner = Owner{ID: "0000000000000001", DisplayName: "a@b.example"}
	testEntry = ObjectEntry{
		Key: "photos/a&b <1>.jpg", LastModified: changed, ETag: "d41d8cd98f00b204e9800998ecf8427e-3", SizeBytes: 12345,
		StorageClass: Standard,
	}
)

func TestListV2Golden(t *testing.T) {
	head := ListV2{Bucket: "bucket", Prefix: "p+", Delimiter: "/", StartAfter: "a b", ContinuationToken: "tok+en", MaxKeys: 2}
	write := func(encoding Encoding) []byte {
		head.Encoding = encoding
		w := BeginListV2(nil, &head)
		w.Prefix("dir é/")
		e := testEntry
		e.Owner, e.ChecksumAlgorithm, e.ChecksumType = testOwner, "CRC64NVME", "FULL_OBJECT"
		w.Object(&e)
		return append(w.EndV2(true, "next"), '\n')
	}
	golden(t, "list_v2.golden", append(write(PlainEncoding), write(URLEncoding)...))
}

func TestListV1Golden(t *testing.T) {
	head := ListV1{Bucket: "bucket", Prefix: "", Marker: "a b", Delimiter: "/", MaxKeys: 1000}
	w := BeginListV1(nil, &head)
	w.Object(&testEntry)
	first := append(w.EndV1(false, ""), '\n')
	head.Encoding = URLEncoding
	w = BeginListV1(first, &head)
	w.Prefix("x y/")
	golden(t, "list_v1.golden", append(w.EndV1(true, "x y/"), '\n'))
}

func TestListVersionsGolden(t *testing.T) {
	w := BeginListVersions(nil, &ListVersions{Bucket: "bucket", Prefix: "p", KeyMarker: "k", VersionIDMarker: "v", MaxKeys: 3})
	w.Version(&VersionEntry{ObjectEntry: testEntry, VersionID: "null", Latest: false})
	w.Version(&VersionEntry{ObjectEntry: ObjectEntry{Key: "gone", LastModified: noon, Owner: testOwner}, VersionID: "v2", Latest: true, DeleteMarker: true})
	w.Prefix("d/")
	if w.Count() != 3 {
		t.Errorf("count %d, want 3", w.Count())
	}
	golden(t, "list_versions.golden", append(w.EndVersions(true, "gone", "v2"), '\n'))
}

func TestAnswersGolden(t *testing.T) {
	sums := []Checksum{{"CRC32C", "AAAAAA=="}}
	size := int64(7)
	var out []byte
	add := func(doc []byte) { out = append(append(out, doc...), '\n') }
	add((&ListBucketsAnswer{Owner: testOwner, Buckets: []BucketEntry{{"one", noon, "us-east-1"}, {"two", changed, ""}},
		Prefix: "p", ContinuationToken: "t"}).Append(nil))
	add(AppendLocation(nil, "us-east-1"))
	add(AppendLocation(nil, "eu-west-1"))
	add(AppendVersioning(nil, ""))
	add(AppendVersioning(nil, "Enabled"))
	add((&ACLDocument{Owner: testOwner, Grants: []Grant{{Type: CanonicalUser, Grantee: testOwner, Permission: "FULL_CONTROL"}}}).Append(nil))
	add((&ACLDocument{Owner: testOwner, Grants: []Grant{
		{Type: UserGroup, GroupURI: "http://acs.amazonaws.com/groups/global/AllUsers", Permission: "READ"}}}).Append(nil))
	add((&CopyAnswer{ETag: "abc", LastModified: noon}).AppendObject(nil))
	add((&CopyAnswer{ETag: "abc", LastModified: noon, Checksums: sums}).AppendPart(nil))
	add(AppendInitiated(nil, "b", "k & k", "u"))
	add((&CompleteAnswer{Location: "http://h/b/k", Bucket: "b", Key: "k", ETag: "abc-2", ChecksumType: "COMPOSITE", Checksums: sums}).Append(nil))
	add((&ListPartsAnswer{Bucket: "b", Key: "k", UploadID: "u", PartNumberMarker: 1, NextPartNumberMarker: 3, MaxParts: 2, Truncated: true,
		Initiator: testOwner, Owner: testOwner, StorageClass: Standard, ChecksumAlgorithm: "CRC32C", ChecksumType: "COMPOSITE",
		Parts: []PartEntry{{2, noon, "x", 5, sums}, {3, changed, "y", 6, nil}}}).Append(nil))
	add((&ListUploadsAnswer{Bucket: "b", Prefix: "p q", Delimiter: "/", KeyMarker: "k m", UploadIDMarker: "u0", NextKeyMarker: "n k",
		NextUploadIDMarker: "u2", MaxUploads: 1, Truncated: true, Encoding: URLEncoding,
		Uploads:        []UploadEntry{{Key: "k 1", UploadID: "u1", Initiated: noon, Initiator: testOwner, Owner: testOwner, StorageClass: Standard}},
		CommonPrefixes: []string{"p q/"}}).Append(nil))
	del := BeginDeleteResult(nil, false)
	del.Deleted("a", "", false, "")
	del.Deleted("b", "v", true, "m")
	del.Failed("c<", "v", E(AccessDenied))
	add(del.End())
	quiet := BeginDeleteResult(nil, true)
	quiet.Deleted("a", "", false, "")
	add(quiet.End())
	add((&AttributesAnswer{ETag: "abc", ChecksumType: "COMPOSITE", Checksums: sums, StorageClass: Standard, SizeBytes: &size,
		Parts: &AttributeParts{Total: 2, NextPartNumberMarker: 2, MaxParts: 1000, Parts: []AttributePart{{1, 5, sums}, {2, 2, nil}}}}).Append(nil))
	add((&AttributesAnswer{Parts: &AttributeParts{Total: 2}}).Append(nil))
	golden(t, "answers.golden", out)
	for doc := range bytes.SplitSeq(out, []byte(xmlHeader)) {
		if err := wellFormed(doc); err != nil {
			t.Errorf("%v in %s", err, doc)
		}
	}
}

func wellFormed(doc []byte) error {
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		token, err := d.Token()
		if token == nil && err != nil {
			if err.Error() == "EOF" {
				return nil
			}
			return err
		}
	}
}

// With encoding-type=url a space is %20, a plus %2B, and the slash stays.
func TestURLEncoding(t *testing.T) {
	for s, want := range map[string]string{
		"foo+1/bar": "foo%2B1/bar", "quux ab/": "quux%20ab/", "test_file(3).png": "test_file%283%29.png", "é": "%C3%A9",
		"a-b_c.d~e": "a-b_c.d~e", "\x01": "%01", "100%": "100%25", "": "",
	} {
		if got := string(AppendURLEncoded(nil, s)); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

func FuzzURLEncoding(f *testing.F) {
	f.Add("a b+c/é\x00")
	f.Fuzz(func(t *testing.T, s string) {
		encoded := string(AppendURLEncoded(nil, s))
		path, err1 := url.PathUnescape(encoded)
		form, err2 := url.QueryUnescape(encoded)
		if err1 != nil || err2 != nil || path != s || form != s {
			t.Fatalf("%q: %q is %q as a path, %q as a form", s, encoded, path, form)
		}
	})
}

// Any key that XML 1.0 can hold comes back from a listing; any key at all does with encoding-type=url, and our own scanner
// reads every reference back.
func FuzzListedKey(f *testing.F) {
	f.Add("a&b<\r\n\t'\"")
	f.Add("\x01\uFFFE")
	f.Fuzz(func(t *testing.T, key string) {
		if CheckKey(key) != nil {
			return
		}
		list := func(encoding Encoding) []byte {
			w := BeginListV2(nil, &ListV2{Bucket: "b", MaxKeys: 1, Encoding: encoding})
			e := testEntry
			e.Key = key
			w.Object(&e)
			w.Prefix(key)
			return w.EndV2(false, "")
		}
		var got struct {
			Contents       []struct{ Key string }
			CommonPrefixes []struct{ Prefix string }
		}
		if xmlSafe(key) {
			doc := list(PlainEncoding)
			if err := xml.Unmarshal(doc, &got); err != nil {
				t.Fatalf("%v in %s", err, doc)
			}
			if got.Contents[0].Key != key || got.CommonPrefixes[0].Prefix != key {
				t.Fatalf("got %q, want %q", got, key)
			}
		}
		var url struct{ Contents []struct{ Key string } }
		if err := xml.Unmarshal(list(URLEncoding), &url); err != nil {
			t.Fatal(err)
		}
		back := "<Delete><Object><Key>" + string(appendText(nil, key)) + "</Key></Object></Delete>"
		request, err := DecodeDelete([]byte(back))
		if err != nil || request.Objects[0].Key != key {
			t.Fatalf("%q deleted as %v, %v", key, request, err)
		}
	})
}

// A character that XML 1.0 cannot hold is a numeric reference, so that a strict parser fails instead of reading another key.
func TestControlCharactersAreReferences(t *testing.T) {
	if got, want := string(appendText(nil, "a\x00\x01\x1f\uFFFF\r\n\t\x7f€")), "a&#x0;&#x1;&#x1f;&#xffff;&#xd;&#xa;&#x9;\x7f€"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := string(appendText(nil, "a\xffb")), "a\uFFFDb"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := wellFormed(appendElement(nil, "Key", "\x01")); err == nil {
		t.Errorf("encoding/xml reads U+0001")
	}
}

// A page in a buffer that is large enough costs the writer and nothing per key.
func TestListingDoesNotAllocatePerKey(t *testing.T) {
	buf := make([]byte, 0, 1<<20)
	head := ListV2{Bucket: "b", MaxKeys: 1000}
	allocs := testing.AllocsPerRun(10, func() {
		w := BeginListV2(buf[:0], &head)
		for range 1000 {
			w.Object(&testEntry)
		}
		_ = w.EndV2(false, "")
	})
	if allocs > 2 {
		t.Errorf("%v allocations for a page of 1000 keys, want at most 2", allocs)
	}
}

func BenchmarkListV2(b *testing.B) {
	for name, encoding := range map[string]Encoding{"plain": PlainEncoding, "url": URLEncoding} {
		b.Run(name, func(b *testing.B) {
			buf := make([]byte, 0, 1<<20)
			head := ListV2{Bucket: "b", MaxKeys: 1000, Encoding: encoding}
			e := testEntry
			e.Key = strings.Repeat("photos/2026/", 4) + "image-00001.jpg"
			b.ReportAllocs()
			for b.Loop() {
				w := BeginListV2(buf[:0], &head)
				for range 1000 {
					w.Object(&e)
				}
				_ = w.EndV2(false, "")
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/key")
		})
	}
}

func BenchmarkAppendTime(b *testing.B) {
	buf := make([]byte, 0, 64)
	now := time.Unix(1772366400, 123456789)
	for b.Loop() {
		_ = AppendTime(buf, now)
	}
}
