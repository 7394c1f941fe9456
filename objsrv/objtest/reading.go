package objtest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"holdfast"
)

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
