package index

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"reflect"
	"testing"
	"time"

	"holdfast"
	"holdfast/objsrv/crc"
	"holdfast/objsrv/pool"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func golden(t *testing.T, name string, b []byte) []byte {
	t.Helper()
	path := "testdata/v1/" + name
	if *rewrite {
		if err := os.WriteFile(path, []byte(hex.Dump(b)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.Dump(b); got != string(want) {
		t.Errorf("%s changed:\ngot\n%s\nwant\n%s", name, got, want)
	}
	return b
}

// record makes a record as the engine does, of an object of n zero bytes.
func record(n int64) *Record {
	r := &Record{Home: 4000, Size: n, Created: time.UnixMilli(1_700_000_000_123)}
	for i, c := range pool.Cut(nil, n) {
		r.Blocks = append(r.Blocks, pool.Addr{Class: c, File: 3, Block: uint32(1000 + i)})
	}
	for i := range r.Blocks {
		for left := r.BlockLength(i); left > 0; left -= pool.SubBlock {
			r.Sums = append(r.Sums, crc.Sum(make([]byte, min(left, pool.SubBlock))))
		}
	}
	r.CRC = r.JoinSums()
	return r
}

var goldenID = holdfast.ObjectID{Epoch: 3, Counter: 0x1122}

func TestGoldenRecords(t *testing.T) {
	for name, n := range map[string]int64{"record-4KiB": 4096, "record-129KiB": 129 << 10, "record-9MiB": 9 << 20} {
		want := record(n)
		b := golden(t, name, want.Append(nil))
		var got Record
		if err := got.Decode(b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want.External() {
			want.Sums = nil
		}
		if !reflect.DeepEqual(&got, want) {
			t.Errorf("%s decodes to %+v, want %+v", name, got, want)
		}
	}
}

func TestSmallRecordsAreSmall(t *testing.T) {
	if n := len(record(4096).Append(nil)); n > 24 {
		t.Errorf("the record of a 4 KiB object has %d bytes, want at most 24", n)
	}
}

func TestGoldenKeys(t *testing.T) {
	var b []byte
	b = AppendObjectKey(b, goldenID)
	b = appendDoubtKey(b, goldenID)
	b = appendSumsKey(b, goldenID, 258)
	b = appendBitmapKey(b, pool.RegionKey{Class: 4, File: 3, Region: 0x010203})
	golden(t, "keys", b)
}

func TestJoinedSumsAreThoseOfTheWhole(t *testing.T) {
	for _, n := range []int64{1, 4096, 5000, 65536, 65537, 129 << 10, 300_000, 9<<20 + 77} {
		if got, want := record(n).CRC, crc.Sum(make([]byte, n)); got != want {
			t.Errorf("sum of %d bytes = %08x, want %08x", n, got, want)
		}
	}
}

func TestTruncatedRecordsAreCorrupt(t *testing.T) {
	b := record(300_000).Append(nil)
	for n := range len(b) {
		var r Record
		if err := r.Decode(b[:n]); !holdfast.Is(err, holdfast.Corrupt) {
			t.Errorf("Decode of %d of %d bytes: %v, want Corrupt", n, len(b), err)
		}
	}
	var r Record
	if err := r.Decode(append(b, 0)); !holdfast.Is(err, holdfast.Corrupt) {
		t.Errorf("Decode with a byte too many: %v, want Corrupt", err)
	}
}

func FuzzRecord(f *testing.F) {
	for _, n := range []int64{1, 4096, 129 << 10, 9 << 20} {
		f.Add(record(n).Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r, again Record
		if r.Decode(b) != nil {
			return
		}
		if err := again.Decode(r.Append(nil)); err != nil || !reflect.DeepEqual(r, again) {
			t.Errorf("%x decodes to %+v, and that to %+v, %v", b, r, again, err)
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add(AppendObjectKey(nil, goldenID))
	f.Add(appendBitmapKey(nil, pool.RegionKey{Class: 4, File: 3, Region: 7}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if id, err := parseObjectKey(b); err == nil && !bytes.Equal(AppendObjectKey(nil, id)[1:], b[1:]) {
			t.Errorf("object key %x", b)
		}
		if k, err := parseBitmapKey(b); err == nil && !bytes.Equal(appendBitmapKey(nil, k)[1:], b[1:]) {
			t.Errorf("bitmap key %x", b)
		}
		if c, err := parseCounters(b); err == nil && (c.Objects < 0 || c.Bytes < 0) {
			t.Errorf("counters %x", b)
		}
		if len(b) > 20 {
			_, _ = decodeFound(b[:len(b)/2], b[len(b)/2:])
		}
	})
}
