package objtest

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

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

func testSizes(t *testing.T, os holdfast.ObjectService) {
	links := make([]holdfast.Link, len(Sizes))
	for i, n := range Sizes {
		links[i] = MustCreate(t, os, Content(uint64(i), n))
	}
	for i, n := range Sizes {
		MustRead(t, os, links[i], Content(uint64(i), n))
	}
}

func testUnknownSize(t *testing.T, os holdfast.ObjectService) {
	for i, n := range Sizes {
		data := Content(uint64(i), n)
		link, err := os.Create(t.Context(), holdfast.CreateRequest{Home: 77, Size: -1}, plain{bytes.NewReader(data)})
		if err != nil {
			t.Fatalf("Create of %d bytes: %v", n, err)
		}
		checkLink(t, link, data)
		MustRead(t, os, link, data)
	}
}

func testEmpty(t *testing.T, os holdfast.ObjectService) {
	for _, size := range []int64{0, -1} {
		link, err := os.Create(t.Context(), holdfast.CreateRequest{Home: 77, Size: size}, bytes.NewReader(nil))
		if err != nil {
			t.Fatalf("Create of nothing: %v", err)
		}
		checkLink(t, link, nil)
	}
	if infos, err := os.Objects(t.Context(), holdfast.ObjectID{}, 10); err != nil || len(infos) != 0 {
		t.Errorf("Objects = %v, %v, want none", infos, err)
	}
}

func testWrongSize(t *testing.T, os holdfast.ObjectService) {
	for _, n := range []int{0, 10, 4096, 100_000, 2 << 20, 9 << 20} {
		for _, off := range []int64{-1, 1, -5000, 5000, 9 << 20} {
			size := int64(n) + off
			if size < 0 {
				continue
			}
			_, err := os.Create(t.Context(), holdfast.CreateRequest{Size: size}, plain{bytes.NewReader(Content(1, n))})
			wantKind(t, "Create with a wrong size", err, holdfast.Aborted)
		}
	}
	wantNothing(t, os)
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

// failing yields data and then an error.
type failing struct {
	data io.Reader
	err  error
}

func (f failing) Read(p []byte) (int, error) {
	n, err := f.data.Read(p)
	if err == io.EOF {
		err = f.err
	}
	return n, err
}

func testBodyError(t *testing.T, os holdfast.ObjectService) {
	broken := errors.New("the client hung up")
	for _, n := range []int{0, 100, 4096, 70_000, 9 << 20} {
		for _, size := range []int64{-1, int64(n), int64(n) + 100} {
			_, err := os.Create(t.Context(), holdfast.CreateRequest{Size: size}, failing{bytes.NewReader(Content(1, n)), broken})
			if !errors.Is(err, broken) {
				t.Errorf("Create of %d bytes and an error: %v, want that error", n, err)
			}
		}
	}
	_, err := os.Create(t.Context(), holdfast.CreateRequest{Size: 9}, failing{bytes.NewReader(Content(1, 5)), io.ErrUnexpectedEOF})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Create: %v, want %v", err, io.ErrUnexpectedEOF)
	}
	wantNothing(t, os)
}

// dribble yields few bytes at a time.
type dribble struct{ data []byte }

func (d *dribble) Read(p []byte) (int, error) {
	n := copy(p[:min(len(p), 1009)], d.data)
	d.data = d.data[n:]
	if len(d.data) == 0 {
		return n, io.EOF // together with the last bytes
	}
	return n, nil
}

func testSmallReads(t *testing.T, os holdfast.ObjectService) {
	for _, n := range []int{1, 4096, 66_000, 9 << 20} {
		for _, size := range []int64{-1, int64(n)} {
			data := Content(9, n)
			link, err := os.Create(t.Context(), holdfast.CreateRequest{Home: 77, Size: size}, &dribble{data})
			if err != nil {
				t.Fatalf("Create of %d bytes: %v", n, err)
			}
			checkLink(t, link, data)
			MustRead(t, os, link, data)
		}
	}
}

func testBadRequests(t *testing.T, os holdfast.ObjectService) {
	ctx := t.Context()
	body := func() io.Reader { return bytes.NewReader([]byte("x")) }
	_, err := os.Create(ctx, holdfast.CreateRequest{Size: holdfast.MaxObjectSize + 1}, body())
	wantKind(t, "Create over the limit", err, holdfast.TooLarge)
	_, err = os.Create(ctx, holdfast.CreateRequest{Size: -2}, body())
	wantKind(t, "Create of size -2", err, holdfast.Invalid)
	_, err = os.Create(ctx, holdfast.CreateRequest{Home: holdfast.Slots, Size: 1}, body())
	wantKind(t, "Create with a home out of range", err, holdfast.Invalid)
	many := make([]holdfast.ObjectID, holdfast.MaxObjectIDs+1)
	wantKind(t, "Free of too many", os.Free(ctx, many), holdfast.TooLarge, holdfast.Invalid)
	_, err = os.Stat(ctx, many)
	wantKind(t, "Stat of too many", err, holdfast.TooLarge, holdfast.Invalid)
	wantKind(t, "Pin of too many", os.Pin(ctx, many, time.Second), holdfast.TooLarge, holdfast.Invalid)
}

func testCancelled(t *testing.T, os holdfast.ObjectService) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := os.Create(ctx, holdfast.CreateRequest{Size: 9 << 20}, plain{bytes.NewReader(Content(1, 9<<20))})
	wantKind(t, "Create", err, holdfast.Aborted)

	// Cancelled in the middle of a body that then goes on.
	ctx, cancel = context.WithCancel(t.Context())
	data := Content(1, 20<<20)
	body := io.MultiReader(bytes.NewReader(data[:10<<20]), hook{cancel}, bytes.NewReader(data[10<<20:]))
	_, err = os.Create(ctx, holdfast.CreateRequest{Size: 20 << 20}, plain{body})
	wantKind(t, "Create cancelled half-way", err, holdfast.Aborted)
	wantNothing(t, os)
}

// hook calls a function when it is read, and is empty.
type hook struct{ f func() }

func (h hook) Read([]byte) (int, error) {
	h.f()
	return 0, io.EOF
}

func testRanges(t *testing.T, os holdfast.ObjectService) {
	seed := rand.Uint64()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	rng := rand.New(rand.NewPCG(seed, 1))
	for _, n := range []int{1, 5000, 129 << 10, 9<<20 + 77777} {
		data := Content(3, n)
		link := MustCreate(t, os, data)
		edges := []int{0, 1, n - 1, n, 4096, 65535, 65536, 65537, 128 << 10, 128<<10 + 1, 8 << 20, 8<<20 - 1}
		for range 100 {
			off, end := edges[rng.IntN(len(edges))], rng.IntN(n+1)
			if rng.IntN(2) == 0 {
				off = rng.IntN(n + 1)
			}
			if off > end {
				off, end = end, off
			}
			if end > n {
				continue
			}
			var b bytes.Buffer
			got, err := os.Read(t.Context(), holdfast.ReadRequest{Object: link.Object, Offset: int64(off), Length: int64(end - off)}, &b)
			if err != nil || got != int64(end-off) || !bytes.Equal(b.Bytes(), data[off:end]) {
				t.Fatalf("Read of [%d,%d) of %d: %d bytes, %v", off, end, n, got, err)
			}
		}
	}
}

func testBadRanges(t *testing.T, os holdfast.ObjectService) {
	link := MustCreate(t, os, Content(1, 5000))
	for _, r := range [][2]int64{{-1, 1}, {0, -1}, {0, 5001}, {5000, 1}, {5001, 0}, {1, 1 << 62}, {1 << 62, 1 << 62}} {
		n, err := os.Read(t.Context(), holdfast.ReadRequest{Object: link.Object, Offset: r[0], Length: r[1]}, io.Discard)
		wantKind(t, "Read outside the object", err, holdfast.Invalid)
		if n != 0 {
			t.Errorf("Read outside the object wrote %d bytes", n)
		}
	}
	if n, err := os.Read(t.Context(), holdfast.ReadRequest{Object: link.Object, Offset: 5000}, io.Discard); n != 0 || err != nil {
		t.Errorf("Read of nothing at the end = %d, %v", n, err)
	}
}

// shortWriter takes some bytes and then fails.
type shortWriter struct {
	room int
	err  error
}

func (w *shortWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.room)
	w.room -= n
	if n < len(p) {
		return n, w.err
	}
	return n, nil
}

func testWriterError(t *testing.T, os holdfast.ObjectService) {
	link := MustCreate(t, os, Content(1, 3<<20))
	gone := errors.New("the reader went away")
	_, err := os.Read(t.Context(), holdfast.ReadRequest{Object: link.Object, Length: 3 << 20}, &shortWriter{700_000, gone})
	if !errors.Is(err, gone) {
		t.Errorf("Read: %v, want %v", err, gone)
	}
	MustRead(t, os, link, Content(1, 3<<20))
}

func testNotFound(t *testing.T, os holdfast.ObjectService) {
	for _, id := range []holdfast.ObjectID{{}, {Epoch: 1, Counter: 1 << 60}, {Epoch: 1 << 40, Counter: 1}} {
		_, err := os.Read(t.Context(), holdfast.ReadRequest{Object: id, Length: 1}, io.Discard)
		wantKind(t, "Read", err, holdfast.NotFound)
	}
}

func testFree(t *testing.T, os holdfast.ObjectService) {
	var links []holdfast.Link
	for i := range 20 {
		links = append(links, MustCreate(t, os, Content(uint64(i), 1000*i*i+1)))
	}
	var ids []holdfast.ObjectID
	for _, l := range links[5:15] {
		ids = append(ids, l.Object)
	}
	if err := os.Free(t.Context(), ids); err != nil {
		t.Fatalf("Free: %v", err)
	}
	for i, l := range links {
		if i >= 5 && i < 15 {
			_, err := ReadAll(t.Context(), os, l)
			wantKind(t, "Read after Free", err, holdfast.NotFound)
			continue
		}
		MustRead(t, os, l, Content(uint64(i), 1000*i*i+1))
	}
}

func testFreeTwice(t *testing.T, os holdfast.ObjectService) {
	keep := MustCreate(t, os, []byte("keep"))
	link := MustCreate(t, os, []byte("drop"))
	for range 2 {
		ids := []holdfast.ObjectID{link.Object, {Epoch: 9, Counter: 9}, {}, link.Object}
		if err := os.Free(t.Context(), ids); err != nil {
			t.Fatalf("Free: %v", err)
		}
	}
	if err := os.Free(t.Context(), nil); err != nil {
		t.Fatalf("Free of nothing: %v", err)
	}
	MustRead(t, os, keep, []byte("keep"))
	st, err := os.Status(t.Context())
	if err != nil || st.Objects != 1 || st.Bytes != 4 {
		t.Errorf("Status = %+v, %v, want one object of 4 bytes", st, err)
	}
}

func testPin(t *testing.T, os holdfast.ObjectService) {
	data := Content(1, 9<<20)
	link := MustCreate(t, os, data)
	if err := os.Pin(t.Context(), []holdfast.ObjectID{link.Object}, holdfast.MaxPin); err != nil {
		t.Fatalf("Pin: %v", err)
	}
	if err := os.Free(t.Context(), []holdfast.ObjectID{link.Object}); err != nil {
		t.Fatalf("Free: %v", err)
	}
	for i := range 5 { // what could use the space again
		MustCreate(t, os, Content(uint64(i+2), 9<<20))
	}
	MustRead(t, os, link, data)
	if err := os.Pin(t.Context(), []holdfast.ObjectID{link.Object}, time.Second); err != nil {
		t.Errorf("Pin again: %v", err)
	}
	infos, err := os.Stat(t.Context(), []holdfast.ObjectID{link.Object})
	if err != nil || infos[0].Size != -1 {
		t.Errorf("Stat of a freed, pinned object = %+v, %v, want Size -1", infos, err)
	}
}

func testPinMissing(t *testing.T, os holdfast.ObjectService) {
	link := MustCreate(t, os, []byte("here"))
	missing := holdfast.ObjectID{Epoch: 1, Counter: 1 << 50}
	wantKind(t, "Pin", os.Pin(t.Context(), []holdfast.ObjectID{missing, link.Object}, holdfast.MaxPin), holdfast.NotFound)
	if err := os.Free(t.Context(), []holdfast.ObjectID{link.Object}); err != nil {
		t.Fatal(err)
	}
	MustRead(t, os, link, []byte("here")) // it was pinned all the same
}

func testReadOutlivesFree(t *testing.T, os holdfast.ObjectService) {
	data := Content(1, 3<<20)
	link := MustCreate(t, os, data)
	var got bytes.Buffer
	once := sync.Once{}
	w := writerFunc(func(p []byte) (int, error) {
		once.Do(func() {
			if err := os.Free(t.Context(), []holdfast.ObjectID{link.Object}); err != nil {
				t.Errorf("Free: %v", err)
			}
			for i := range 3 {
				MustCreate(t, os, Content(uint64(i+2), 3<<20))
			}
		})
		return got.Write(p)
	})
	if _, err := os.Read(t.Context(), holdfast.ReadRequest{Object: link.Object, Length: link.Size}, w); err != nil {
		t.Fatalf("Read: %v", err)
	}
	if !bytes.Equal(got.Bytes(), data) {
		t.Error("a read changed under a free")
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func testStat(t *testing.T, os holdfast.ObjectService) {
	before := time.Now().Add(-time.Minute)
	a, b := MustCreate(t, os, Content(1, 30<<10)), MustCreate(t, os, Content(2, 10<<20))
	missing := holdfast.ObjectID{Epoch: 3, Counter: 1 << 50}
	infos, err := os.Stat(t.Context(), []holdfast.ObjectID{b.Object, missing, a.Object})
	if err != nil || len(infos) != 3 {
		t.Fatalf("Stat = %v, %v", infos, err)
	}
	for i, l := range []holdfast.Link{b, {Object: missing, Size: -1}, a} {
		got := infos[i]
		if got.Object != l.Object || got.Size != l.Size {
			t.Errorf("Stat[%d] = %+v, want object %v of %d bytes", i, got, l.Object, l.Size)
		}
		if l.Size < 0 {
			continue
		}
		if got.CRC != l.CRC || got.Home != l.Home || got.Settled || got.Stored < got.Size || got.Created.Before(before) {
			t.Errorf("Stat[%d] = %+v, want what %+v says, not settled", i, got, l)
		}
	}
}

func testObjects(t *testing.T, os holdfast.ObjectService) {
	var want []holdfast.ObjectID
	for i := range 25 {
		want = append(want, MustCreate(t, os, Content(uint64(i), i+1)).Object)
	}
	slices.SortFunc(want, func(a, b holdfast.ObjectID) int {
		if a.Less(b) {
			return -1
		}
		return 1
	})
	var got []holdfast.ObjectID
	for after := (holdfast.ObjectID{}); ; {
		infos, err := os.Objects(t.Context(), after, 10)
		if err != nil {
			t.Fatalf("Objects: %v", err)
		}
		if len(infos) > 10 {
			t.Fatalf("Objects gave %d records, want at most 10", len(infos))
		}
		for _, in := range infos {
			got = append(got, in.Object)
			after = in.Object
		}
		if len(infos) == 0 {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("Objects in pages = %v, want %v", got, want)
	}
	if infos, err := os.Objects(t.Context(), holdfast.ObjectID{}, 0); err != nil || len(infos) != 0 {
		t.Errorf("Objects with limit 0 = %v, %v", infos, err)
	}
}

func testStatus(t *testing.T, os holdfast.ObjectService) {
	MustCreate(t, os, Content(1, 4096))
	link := MustCreate(t, os, Content(2, 100_000))
	st, err := os.Status(t.Context())
	if err != nil || st.Objects != 2 || st.Bytes != 104_096 || st.Allocated < st.Bytes {
		t.Errorf("Status = %+v, %v, want 2 objects of 104096 bytes", st, err)
	}
	if err := os.Free(t.Context(), []holdfast.ObjectID{link.Object}); err != nil {
		t.Fatal(err)
	}
	st, err = os.Status(t.Context())
	if err != nil || st.Objects != 1 || st.Bytes != 4096 {
		t.Errorf("Status after Free = %+v, %v, want 1 object of 4096 bytes", st, err)
	}
}

func testConcurrent(t *testing.T, os holdfast.ObjectService) {
	const workers, rounds = 8, 30
	seed := rand.Uint64()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			if err := churn(t.Context(), os, rng, rounds); err != nil {
				t.Errorf("worker %d, seed %d: %v", w, seed, err)
			}
		}()
	}
	wg.Wait()
}

// churn creates, reads and frees objects of its own.
func churn(ctx context.Context, os holdfast.ObjectService, rng *rand.Rand, rounds int) error {
	type object struct {
		link holdfast.Link
		data []byte
	}
	var mine []object
	for range rounds {
		data := Content(rng.Uint64(), 1+rng.IntN(1<<rng.IntN(21)))
		link, err := os.Create(ctx, holdfast.CreateRequest{Home: 5, Size: int64(len(data))}, bytes.NewReader(data))
		if err != nil {
			return err
		}
		mine = append(mine, object{link, data})
		i := rng.IntN(len(mine))
		got, err := ReadAll(ctx, os, mine[i].link)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, mine[i].data) {
			return errors.New("an object reads back as another")
		}
		if rng.IntN(3) == 0 {
			if err := os.Free(ctx, []holdfast.ObjectID{mine[i].link.Object}); err != nil {
				return err
			}
			mine = slices.Delete(mine, i, i+1)
		}
	}
	return nil
}
