package objtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"holdfast"
)

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
