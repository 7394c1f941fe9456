package objtest

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"testing"

	"holdfast"
)

// Suite runs every test of the contract, each against a service of its own: an empty one, which open makes and whose
// end it arranges with t.Cleanup.
func Suite(t *testing.T, open func(t *testing.T) holdfast.ObjectService) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, os holdfast.ObjectService)
	}{
		{"CreateAndReadSizes", testSizes},
		{"UnknownSize", testUnknownSize},
		{"EmptyObject", testEmpty},
		{"WrongSize", testWrongSize},
		{"BodyError", testBodyError},
		{"SmallReads", testSmallReads},
		{"BadRequests", testBadRequests},
		{"CancelledContext", testCancelled},
		{"Ranges", testRanges},
		{"BadRanges", testBadRanges},
		{"WriterError", testWriterError},
		{"NotFound", testNotFound},
		{"Free", testFree},
		{"FreeTwiceAndUnknown", testFreeTwice},
		{"PinOutlivesFree", testPin},
		{"PinReportsMissing", testPinMissing},
		{"ReadOutlivesFree", testReadOutlivesFree},
		{"Stat", testStat},
		{"Objects", testObjects},
		{"Status", testStatus},
		{"Concurrent", testConcurrent},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// Content returns n bytes that look random and follow from the seed.
func Content(seed uint64, n int) []byte {
	b := make([]byte, n+7)
	rng := rand.New(rand.NewPCG(seed, 7))
	for i := 0; i < n; i += 8 {
		v := rng.Uint64()
		for j := range min(8, len(b)-i) {
			b[i+j] = byte(v >> (8 * j))
		}
	}
	return b[:n]
}

// plain hides everything of a reader but Read.
type plain struct{ io.Reader }

// MustCreate creates an object of the data and checks the link.
func MustCreate(t testing.TB, os holdfast.ObjectService, data []byte) holdfast.Link {
	t.Helper()
	link, err := os.Create(t.Context(), holdfast.CreateRequest{Home: 77, Size: int64(len(data))}, plain{bytes.NewReader(data)})
	if err != nil {
		t.Fatalf("Create of %d bytes: %v", len(data), err)
	}
	checkLink(t, link, data)
	return link
}

func checkLink(t testing.TB, link holdfast.Link, data []byte) {
	t.Helper()
	if got, want := link.Size, int64(len(data)); got != want {
		t.Errorf("link.Size = %d, want %d", got, want)
	}
	if got, want := link.CRC, crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)); got != want {
		t.Errorf("link.CRC = %08x, want %08x", got, want)
	}
	if link.Home != 77 {
		t.Errorf("link.Home = %d, want 77", link.Home)
	}
	if link.OS.Type() != holdfast.TypeObjectStore {
		t.Errorf("link.OS = %v, want the id of an object server", link.OS)
	}
	if got, want := link.Object.IsZero(), len(data) == 0; got != want {
		t.Errorf("link.Object = %v for %d bytes", link.Object, len(data))
	}
}

// ReadAll reads a whole object.
func ReadAll(ctx context.Context, os holdfast.ObjectService, link holdfast.Link) ([]byte, error) {
	var b bytes.Buffer
	n, err := os.Read(ctx, holdfast.ReadRequest{Object: link.Object, Length: link.Size}, &b)
	if err == nil && n != int64(b.Len()) {
		err = errors.New("Read returned another count than it wrote")
	}
	return b.Bytes(), err
}

// MustRead reads a whole object and compares it.
func MustRead(t testing.TB, os holdfast.ObjectService, link holdfast.Link, want []byte) {
	t.Helper()
	got, err := ReadAll(t.Context(), os, link)
	if err != nil {
		t.Fatalf("Read of %v: %v", link.Object, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("Read of %v: %d bytes that differ from the %d written", link.Object, len(got), len(want))
	}
}

func wantKind(t testing.TB, what string, err error, kinds ...holdfast.Kind) {
	t.Helper()
	for _, k := range kinds {
		if holdfast.Is(err, k) {
			return
		}
	}
	t.Errorf("%s: error %v, want one of kinds %v", what, err, kinds)
}

// Sizes are object sizes around every edge of blocks, sub-blocks and buffers.
var Sizes = []int{
	1, 2, 511, 4095, 4096, 4097, 5000, 8192, 8193, 30 << 10, 32 << 10, 65535, 65536, 65537, 100_000, 129 << 10,
	1<<20 - 1, 1 << 20, 1<<20 + 1, 3<<20 + 5, 8<<20 - 1, 8 << 20, 8<<20 + 1, 17<<20 + 12345,
}

func wantNothing(t *testing.T, os holdfast.ObjectService) {
	t.Helper()
	infos, err := os.Objects(t.Context(), holdfast.ObjectID{}, 10)
	if err != nil || len(infos) != 0 {
		t.Errorf("Objects = %v, %v, want none", infos, err)
	}
	st, err := os.Status(t.Context())
	if err != nil || st.Objects != 0 || st.Bytes != 0 || st.Allocated != 0 {
		t.Errorf("Status = %+v, %v, want nothing stored", st, err)
	}
}
