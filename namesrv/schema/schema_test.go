package schema_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv/schema"
)

var rewrite = flag.Bool("rewrite", false, "write the golden file anew; read the difference, then")

var (
	dirA    = holdfast.NewDirID(0x123, [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	version = holdfast.VersionID{0x18, 0x6c, 1, 2, 3, 4, 5, 6, 0xaa, 0xbb, 0xcc, 0xdd, 1, 2, 3, 4}
	upload  = holdfast.UploadID{9, 8, 7}
	object  = holdfast.ObjectID{Epoch: 3, Counter: 300}
	server  = holdfast.NewServiceID(holdfast.TypeObjectStore, 2)
	at      = time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
)

func testEntry() schema.Record {
	link := holdfast.Link{OS: server, Object: object, Home: dirA.Slot(), Size: 4096, CRC: 0xdeadbeef}
	return schema.Record{Entry: holdfast.Entry{
		Version: version, Null: true, Modified: schema.ClockTime(version), Size: 4096, ETag: holdfast.ETag{Digest: [16]byte{1, 2, 3}},
		Owner: "o", Headers: []holdfast.Header{{Name: "a", Value: "b"}}, Content: holdfast.Content{Link: link},
	}}
}

func fullEntry() schema.Record {
	r := testEntry()
	r.Null, r.Modified, r.ETag.Parts = false, at, 2
	r.StorageClass, r.ACL, r.Tags = "C", []byte("acl"), []holdfast.Header{{Name: "t", Value: ""}}
	r.Checksum = holdfast.Checksum{Algorithm: holdfast.CRC32C, Composite: true, Value: "1234"}
	r.Lock = holdfast.Lock{Mode: holdfast.LockGovernance, Until: at, LegalHold: true}
	r.Sealed = []byte("sealed")
	r.POSIX = &holdfast.POSIX{Mode: 0o644, UID: 1, GID: 2, Access: at, Change: at, Target: "x"}
	link := r.Content.Link
	link.Home, link.OS = 7, 5
	r.Content = holdfast.Content{Parts: holdfast.PartTable{
		{Number: 1, Size: 4000, Link: link, From: 5, ETag: holdfast.ETag{Digest: [16]byte{9}}, Checksum: r.Checksum},
		{Number: 2, Offset: 4000, Size: 96},
	}}
	r.Extra = []byte{0x7f, 1, 0xee} // a field of the future
	return r
}

// samples are one of each key and value.
func samples() []struct {
	name string
	b    []byte
} {
	short, full := testEntry(), fullEntry()
	marker := schema.Record{Entry: holdfast.Entry{Version: version, Marker: true, Modified: schema.ClockTime(version)}}
	home := dirA.Slot()
	return []struct {
		name string
		b    []byte
	}{
		{"key state", schema.StateKey()},
		{"key slot", schema.SlotKey(0x123)},
		{"key dir", schema.DirKey(nil, dirA)},
		{"key bucket", schema.BucketKey(nil, dirA)},
		{"key entry", schema.EntryKey(nil, dirA, "na\x00me")},
		{"key older", schema.OlderKey(nil, dirA, "na\x00me", version)},
		{"key null", schema.NullKey(nil, dirA, "name")},
		{"key table", schema.TableKey(nil, dirA, version)},
		{"key upload", schema.UploadKey(nil, schema.KindUpload, dirA, "name", upload)},
		{"key part", schema.PartKey(nil, dirA, upload, 10000)},
		{"key fate", schema.FateKey(nil, 0x123, server, object)},
		{"key intent", schema.IntentKey(nil, holdfast.IntentID{Slot: 0x123, Seq: 77})},
		{"key usage", schema.UsageKey(nil, dirA, 0x123)},
		{"key garbage", schema.GarbageKey(nil, server, 77)},
		{"key change", schema.ChangeKey(nil, 77)},
		{"key share", schema.ShareKey(nil, dirA)},
		{"entry", schema.AppendEntry(nil, &short, home)},
		{"entry full", schema.AppendEntry(nil, &full, home)},
		{"entry marker", schema.AppendEntry(nil, &marker, home)},
		{"sub-directory", schema.AppendChild(nil, dirA)},
		{"table", schema.AppendTable(nil, full.Content.Parts, home)},
		{"dir", schema.AppendDir(nil, &schema.Dir{Root: dirA, Parent: dirA, Name: "d/", Entries: 300, Visible: 2, Older: 3, SubDirs: 4, Uploads: 5, Epoch: 6, Intent: 7, Sealed: true})},
		{"bucket", schema.AppendBucket(nil, &holdfast.BucketInfo{Name: "b", Owner: "o", Created: at, Versioning: 1, ObjectLock: true, Epoch: 9, Settings: map[string][]byte{"x": []byte("y"), "e": {}}})},
		{"upload", schema.AppendUpload(nil, &holdfast.Upload{Initiated: at, Initiator: "i", Entry: holdfast.Entry{Owner: "o"}}, home)},
		{"uploaded part", schema.AppendUploadedPart(nil, &holdfast.UploadedPart{Part: full.Content.Parts[0], Modified: at}, home)},
		{"done", schema.AppendDone(nil, &schema.Done{Created: true, Record: marker}, home)},
		{"fate committed", schema.AppendFate(nil, &schema.Fate{Fate: holdfast.FateCommitted, Owner: 5, Version: version})},
		{"fate created", schema.AppendFate(nil, &schema.Fate{Fate: holdfast.FateCommitted, Owner: 5, Version: version, Created: true})},
		{"fate settled", schema.AppendFate(nil, &schema.Fate{Fate: holdfast.FateCommitted, Settled: true})},
		{"fate doomed", schema.AppendFate(nil, &schema.Fate{Fate: holdfast.FateDoomed, At: at})},
		{"fate undone", schema.AppendFate(nil, &schema.Fate{Fate: holdfast.FateDoomed, At: at, Owner: 5, Version: version})},
		{"change", schema.AppendChange(nil, &holdfast.Change{At: at, Kind: holdfast.ChangePut, Bucket: dirA, Dir: dirA, Name: "n", Version: version, Size: 9, ETag: holdfast.ETag{Digest: [16]byte{1}}})},
		{"change noted", schema.AppendChange(nil, &holdfast.Change{At: at, Kind: holdfast.ChangeMarker, Bucket: dirA, Dir: dirA, Name: "n", Version: version, Null: true, Note: "who"})},
		{"intent", schema.AppendIntent(nil, &holdfast.Intent{Kind: holdfast.IntentLinkDir, Dir: dirA, Parent: dirA, Name: "d/", At: at})},
		{"usage", schema.AppendUsage(nil, holdfast.Usage{Objects: 1, Versions: 2, Bytes: 300, UploadBytes: 4})},
		{"state", schema.AppendState(nil, &schema.State{Clock: 1, Seq: 2, First: 1, Names: 3, Garbage: 4, Intents: 5})},
		{"garbage", schema.AppendGarbage(nil, 0x123, object)},
		{"null", schema.AppendNull(nil, version)},
		{"share", schema.AppendShare(nil, &schema.Share{Bytes: 300, Epoch: 4})},
	}
}

func TestGolden(t *testing.T) {
	var b strings.Builder
	for _, s := range samples() {
		fmt.Fprintf(&b, "%s: %s\n", s.name, hex.EncodeToString(s.b))
	}
	file := filepath.Join("testdata", "v1.txt")
	if *rewrite {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the stored form changed; got\n%swant\n%s", b.String(), want)
	}
}

func TestEntriesComeBack(t *testing.T) {
	for _, want := range []schema.Record{testEntry(), fullEntry()} {
		var got schema.Record
		b := schema.AppendEntry(nil, &want, dirA.Slot())
		if err := schema.DecodeEntry(&got, b, dirA.Slot(), schema.All, &schema.Arena{}); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		for n := range b { // cut off anywhere: an error or fewer fields, never a panic
			_ = schema.DecodeEntry(&got, b[:n], dirA.Slot(), schema.All, &schema.Arena{})
		}
	}
}

// FuzzOrder: the order of keys is the order of names, then of versions from the newest.
func FuzzOrder(f *testing.F) {
	f.Add("a", "a\x00", uint64(1), uint64(2))
	f.Add("a\x00\x01", "a\x00\xff", uint64(2), uint64(1))
	f.Add("", "", uint64(5), uint64(5))
	f.Fuzz(func(t *testing.T, a, b string, va, vb uint64) {
		id := func(n uint64) (v holdfast.VersionID) {
			for i := range 8 {
				v[i] = byte(n >> (56 - 8*i))
			}
			return v
		}
		want := strings.Compare(a, b)
		if got := bytes.Compare(schema.EntryKey(nil, dirA, a), schema.EntryKey(nil, dirA, b)); got != want {
			t.Errorf("entries %q, %q: got %d, want %d", a, b, got, want)
		}
		if want == 0 && va != vb {
			want = 1
			if va > vb {
				want = -1
			}
		}
		ka, kb := schema.OlderKey(nil, dirA, a, id(va)), schema.OlderKey(nil, dirA, b, id(vb))
		if got := bytes.Compare(ka, kb); got != want {
			t.Errorf("versions %q %d, %q %d: got %d, want %d", a, va, b, vb, got, want)
		}
		name, v, ok := schema.ParseOlder(ka[17:])
		if !ok || string(name) != a || v != id(va) {
			t.Errorf("parse: got %q %v %v", name, v, ok)
		}
	})
}

// FuzzDecode: no decoder panics, and what decodes is stable.
func FuzzDecode(f *testing.F) {
	for _, s := range samples() {
		f.Add(s.b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		home := dirA.Slot()
		var r, r2 schema.Record
		if schema.DecodeEntry(&r, b, home, schema.All, &schema.Arena{}) == nil {
			again := schema.AppendEntry(nil, &r, home)
			err := schema.DecodeEntry(&r2, again, home, schema.All, &schema.Arena{})
			if third := schema.AppendEntry(nil, &r2, home); err != nil || !bytes.Equal(third, again) {
				t.Errorf("entry %+v: %v; written again as %x, then as %x", r, err, again, third)
			}
		}
		a := &schema.Arena{}
		_, _ = schema.DecodeTable(b, home, a)
		_ = schema.DecodeDir(&schema.Dir{}, b)
		_ = schema.DecodeBucket(&holdfast.BucketInfo{}, dirA, b)
		_ = schema.DecodeUpload(&holdfast.Upload{}, upload, b, home, a)
		_ = schema.DecodeUploadedPart(&holdfast.UploadedPart{}, b, home, a)
		_ = schema.DecodeDone(&schema.Done{}, b, home, a)
		_ = schema.DecodeFate(&schema.Fate{}, b)
		_ = schema.DecodeChange(&holdfast.Change{}, 1, b)
		_ = schema.DecodeIntent(&holdfast.Intent{}, holdfast.IntentID{}, b)
		_, _ = schema.DecodeUsage(b)
		_, _ = schema.DecodeShare(b)
		_ = schema.DecodeState(&schema.State{}, b)
		_, _, _ = schema.DecodeGarbage(b)
		_, _ = schema.DecodeNull(b)
		_, _ = schema.ParseSlotKey(b)
		_, _, _, _ = schema.ParseFate(b)
		_, _, _ = schema.ParseOlder(b)
		_, _, _ = schema.ParseUpload(b)
		_, _, _ = schema.ParsePart(b)
		_, _ = schema.ParseIntent(b)
		_, _, _ = schema.ParseGarbage(b)
		_, _ = schema.ParseChange(b)
	})
}
