package volumetest

import (
	"bytes"
	"context"
	"crypto/md5"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
)

// Open makes services with this many name and object servers, empty ones. The services end with the test.
type Open func(t testing.TB, names, objects int) volume.Services

// Suite runs everything that holds of a volume on any services.
func Suite(t *testing.T, open Open) {
	for _, tc := range []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"Model", testModel},
		{"Keys", testKeys},
		{"Buckets", testBuckets},
		{"Put", testPut},
		{"Conditions", testConditions},
		{"Ranges", testRanges},
		{"Copy", testCopy},
		{"Delete", testDelete},
		{"Pages", testPages},
		{"Multipart", testMultipart},
		{"Sealed", testSealed},
		{"Uploads", testUploads},
		{"StaleCache", testStaleCache},
		{"Races", testRaces},
		{"Quota", testQuota},
		{"QuotaModel", testQuotaModel},
		{"QuotaRaces", testQuotaRaces},
		{"BucketRaces", testBucketRaces},
		{"VersioningWhileWriting", testVersioningWhileWriting},
		{"ListWhileWriting", testListWhileWriting},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.run(t, open) })
	}
}

// shapes are the numbers of name servers the suite runs with: the results must be the same.
var shapes = []int{1, 2, 4}

// Start opens a volume on services and closes it with the test.
func Start(t testing.TB, s volume.Services, set ...func(*volume.Options)) *volume.Volume {
	t.Helper()
	opts := volume.Options{
		Services: s, RetryFor: 5 * time.Second, ReplaySize: 4 << 10,
		IntentEvery: 20 * time.Millisecond, IntentAge: 50 * time.Millisecond,
	}
	for _, f := range set {
		f(&opts)
	}
	v, err := volume.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// MakeBucket makes a bucket and returns it.
func MakeBucket(t testing.TB, v *volume.Volume, name string) *volume.Bucket {
	t.Helper()
	if _, err := v.CreateBucket(t.Context(), holdfast.BucketInfo{Name: name, Owner: "owner"}); err != nil {
		t.Fatal(err)
	}
	return GetBucket(t, v, name)
}

// GetBucket returns a bucket that must exist.
func GetBucket(t testing.TB, v *volume.Volume, name string) *volume.Bucket {
	t.Helper()
	b, err := v.Bucket(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// start opens services, a volume and a bucket.
func start(t testing.TB, open Open, names int) *volume.Bucket {
	t.Helper()
	return MakeBucket(t, Start(t, open(t, names, 2)), "bucket")
}

// put stores data under a key.
func put(ctx context.Context, b *volume.Bucket, key string, data []byte) (volume.PutResult, error) {
	return b.Put(ctx, key, volume.PutRequest{
		Entry: holdfast.Entry{Owner: "owner", ETag: holdfast.ETag{Digest: md5.Sum(data)}},
		Body:  bytes.NewReader(data), Size: int64(len(data)),
	})
}

// MustPut stores data under a key.
func MustPut(t testing.TB, b *volume.Bucket, key string, data []byte) volume.PutResult {
	t.Helper()
	res, err := put(t.Context(), b, key, data)
	if err != nil {
		t.Fatalf("put %.60q: %v", key, err)
	}
	return res
}

// get reads the whole of a version.
func get(ctx context.Context, b *volume.Bucket, key string, version volume.Version) ([]byte, error) {
	var out bytes.Buffer
	err := b.Read(ctx, key, version, func(o *volume.Object) error {
		out.Reset()
		_, err := o.WriteRange(ctx, &out, 0, o.Entry().Size)
		return err
	})
	return out.Bytes(), err
}

// WantGet checks the content of a version.
func WantGet(t testing.TB, b *volume.Bucket, key string, version volume.Version, want []byte) {
	t.Helper()
	got, err := get(t.Context(), b, key, version)
	if err != nil {
		t.Fatalf("get %.60q: %v", key, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("get %.60q: %d bytes that differ from the %d put", key, len(got), len(want))
	}
}

// WantKind checks the kind of an error.
func WantKind(t testing.TB, what string, err error, want holdfast.Kind) {
	t.Helper()
	if !holdfast.Is(err, want) {
		t.Fatalf("%s: got error %v; want kind %q", what, err, want)
	}
}

// WantList checks a page against lines.
func WantList(t testing.TB, b *volume.Bucket, o volume.ListOptions, want []Line, more bool) volume.ListPage {
	t.Helper()
	page, err := b.List(t.Context(), o)
	if err != nil {
		t.Fatalf("list %+v: %v", o, err)
	}
	got := Lines(page, o.What)
	if !slices.Equal(got, want) || page.More != more {
		t.Fatalf("list %+v\n got %s, more %v\nwant %s, more %v", o, show(got), page.More, show(want), more)
	}
	return page
}

func show(lines []Line) string {
	var b bytes.Buffer
	for _, l := range lines {
		fmt.Fprintf(&b, "%.40q", l.Key)
		if l.CommonPrefix {
			b.WriteString("*")
		}
		if !l.Version.IsZero() {
			fmt.Fprintf(&b, "@%x", l.Version[:8])
		}
		if l.Marker {
			b.WriteString("†")
		}
		if l.Latest {
			b.WriteString("!")
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// random returns a source of random numbers whose seed is printed if the test fails.
func random(t testing.TB, salt uint64) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	if s := Seed; s != 0 {
		seed = s
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay with volumetest.Seed = %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, salt))
}

// Seed replays a failed random test: set it to what the failure printed. Zero takes a new one each time.
const Seed uint64 = 0

// Data returns n bytes that follow from a seed.
func Data(seed uint64, n int) []byte {
	data := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}
