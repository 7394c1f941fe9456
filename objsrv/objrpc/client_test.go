package objrpc

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"holdfast"
)

func content(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	_, _ = r.Read(b)
	return b
}

// readers give the same bytes in the ways that readers may.
var readers = map[string]func(io.Reader) io.Reader{
	"plain":   func(r io.Reader) io.Reader { return r },
	"halves":  iotest.HalfReader,
	"dataErr": iotest.DataErrReader,
}

func TestCreateAndReadBack(t *testing.T) {
	sizes := []int{0, 1, 4096, smallFrame, smallFrame + 1, FrameData - 1, FrameData, FrameData + 1, 2 * FrameData, 5*FrameData + 77}
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		for _, size := range sizes {
			for name, reader := range readers {
				for _, told := range []int64{int64(size), -1} {
					data := content(size)
					link, err := c.Create(t.Context(), holdfast.CreateRequest{Home: 9, Size: told}, reader(bytes.NewReader(data)))
					if err != nil {
						t.Fatalf("create %d (%s, told %d): %v", size, name, told, err)
					}
					want := holdfast.Link{OS: testID, Object: link.Object, Home: 9, Size: int64(size), CRC: crc32.Checksum(data, castagnoli)}
					if link != want || link.IsZero() != (size == 0) {
						t.Fatalf("create %d (%s, told %d): link %+v, want %+v", size, name, told, link, want)
					}
					if size > 0 {
						readBack(t, c, link, data)
					}
				}
			}
		}
	})
}

func readBack(t *testing.T, c *Client, link holdfast.Link, data []byte) {
	t.Helper()
	size := int64(len(data))
	for _, r := range [][2]int64{{0, size}, {0, 0}, {size, 0}, {size / 3, size / 2}, {size - 1, 1}} {
		var got bytes.Buffer
		n, err := c.Read(t.Context(), holdfast.ReadRequest{Object: link.Object, Offset: r[0], Length: r[1]}, &got)
		if err != nil || n != r[1] || !bytes.Equal(got.Bytes(), data[r[0]:r[0]+r[1]]) {
			t.Fatalf("read %v of %d: %d bytes, %v; equal: %v", r, size, n, err, bytes.Equal(got.Bytes(), data[r[0]:r[0]+r[1]]))
		}
	}
}

func TestCreateStoresNothingOfAFailedBody(t *testing.T) {
	bodyErr := errors.New("client went away")
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		for _, size := range []int{0, 10, FrameData, 3*FrameData + 5} {
			for _, told := range []int64{-1, int64(size) + 10, int64(size)} {
				for _, broken := range []error{bodyErr, io.ErrUnexpectedEOF} {
					body := io.MultiReader(bytes.NewReader(content(size)), iotest.ErrReader(broken))
					_, err := c.Create(t.Context(), holdfast.CreateRequest{Size: told}, body)
					if err != broken {
						t.Fatalf("create of %d broken bytes (told %d): %v, want %v itself", size, told, err, broken)
					}
				}
			}
		}
		if n := m.count(); n != 0 {
			t.Errorf("%d objects are stored, want none", n)
		}
	})
}

func TestCreateOfAnotherSizeIsAborted(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		for _, size := range []int{0, 10, FrameData, FrameData + 1, 2 * FrameData} {
			for _, told := range []int64{int64(size) - 1, int64(size) + 1} {
				if told < 0 {
					continue
				}
				_, err := c.Create(t.Context(), holdfast.CreateRequest{Size: told}, bytes.NewReader(content(size)))
				if !holdfast.Is(err, holdfast.Aborted) {
					t.Errorf("create of %d bytes told as %d: %v, want aborted", size, told, err)
				}
			}
		}
		if n := m.count(); n != 0 {
			t.Errorf("%d objects are stored, want none", n)
		}
	})
}

func TestEarlyAnswerEndsACreate(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		m.createFunc = func(context.Context, holdfast.CreateRequest, io.Reader) (holdfast.Link, error) {
			return holdfast.Link{}, &holdfast.Error{Op: "mem.create", Kind: holdfast.NoSpace, ID: "x", Err: errors.New("full up")}
		}
		endless := io.LimitReader(zeros{}, 1<<40)
		_, err := c.Create(t.Context(), holdfast.CreateRequest{Size: -1}, endless)
		if !holdfast.Is(err, holdfast.NoSpace) || err.Error() != "mem.create x: no space: full up" {
			t.Errorf("create: %v, want the server's no space", err)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestCreateComparesWhatWasStored(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		m.createFunc = func(_ context.Context, _ holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
			n, err := io.Copy(io.Discard, body)
			return holdfast.Link{OS: testID, Object: holdfast.ObjectID{Epoch: 1, Counter: 1}, Size: n, CRC: 1}, err
		}
		_, err := c.Create(t.Context(), holdfast.CreateRequest{Size: 5}, strings.NewReader("hello"))
		if !holdfast.Is(err, holdfast.Corrupt) {
			t.Errorf("create with another checksum in the link: %v, want corrupt", err)
		}
	})
}

func TestReadWritesTheGoodBytesBeforeAnError(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		for _, good := range []int{0, 100, FrameData, 2*FrameData + 3} {
			data := content(good)
			m.readFunc = func(_ context.Context, _ holdfast.ReadRequest, w io.Writer) (int64, error) {
				n, err := w.Write(data)
				if err != nil {
					return int64(n), err
				}
				return int64(n), &holdfast.Error{Op: "mem.read", Kind: holdfast.Corrupt, ID: "1-1"}
			}
			for _, length := range []int64{int64(good) + 1, 4 * FrameData} {
				var got bytes.Buffer
				n, err := c.Read(t.Context(), holdfast.ReadRequest{Length: length}, &got)
				if n != int64(good) || !holdfast.Is(err, holdfast.Corrupt) || !bytes.Equal(got.Bytes(), data) {
					t.Errorf("read of %d with %d good bytes: %d, %v", length, good, n, err)
				}
			}
		}
	})
}

type failAfter struct {
	n   int
	err error
}

func (w *failAfter) Write(p []byte) (int, error) {
	if len(p) > w.n {
		n := w.n
		w.n = 0
		return n, w.err
	}
	w.n -= len(p)
	return len(p), nil
}

func TestReadReturnsTheWritersErrorItself(t *testing.T) {
	broken := errors.New("pipe is broken")
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		stopped := make(chan error, 1)
		m.readFunc = func(ctx context.Context, req holdfast.ReadRequest, w io.Writer) (int64, error) {
			n, err := io.Copy(w, io.LimitReader(zeros{}, req.Length))
			stopped <- err
			return n, err
		}
		for _, length := range []int64{1000, 1 << 30} {
			n, err := c.Read(t.Context(), holdfast.ReadRequest{Length: length}, &failAfter{n: 700, err: broken})
			if err != broken || n != 700 {
				t.Errorf("read of %d: %d, %v, want 700 and the writer's error", length, n, err)
			}
			if err := <-stopped; length > FrameData && err == nil {
				t.Errorf("the server went on to the end of %d bytes", length)
			}
		}
	})
}

func TestReadOfFewerBytesIsNoSuccess(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		m.readFunc = func(_ context.Context, _ holdfast.ReadRequest, w io.Writer) (int64, error) {
			n, err := w.Write([]byte("short"))
			return int64(n), err
		}
		for _, length := range []int64{6, 2 * FrameData} {
			if n, err := c.Read(t.Context(), holdfast.ReadRequest{Length: length}, io.Discard); err == nil {
				t.Errorf("read of %d: %d, nil; want an error", length, n)
			}
		}
	})
}

func TestSmallCalls(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, m *memStore) {
		ctx := t.Context()
		var ids []holdfast.ObjectID
		for range 3 {
			link, err := c.Create(ctx, holdfast.CreateRequest{Home: 4095, Size: 3}, strings.NewReader("abc"))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, link.Object)
		}
		if err := c.Pin(ctx, ids, time.Minute); err != nil {
			t.Errorf("pin: %v", err)
		}
		if err := c.Pin(ctx, append(ids, holdfast.ObjectID{Epoch: 7}), time.Minute); !holdfast.Is(err, holdfast.NotFound) {
			t.Errorf("pin of what is not there: %v, want not found", err)
		}
		infos, err := c.Objects(ctx, ids[0], 10)
		want, _ := m.Stat(ctx, ids[1:])
		if err != nil || len(infos) != 2 || infos[0] != want[0] || infos[1] != want[1] {
			t.Errorf("objects: %+v, %v, want %+v", infos, err, want)
		}
		if err := c.Free(ctx, ids[:2]); err != nil {
			t.Errorf("free: %v", err)
		}
		infos, err = c.Stat(ctx, ids)
		if err != nil || len(infos) != 3 || infos[0].Size != -1 || infos[2].Size != 3 {
			t.Errorf("stat: %+v, %v", infos, err)
		}
		status, err := c.Status(ctx)
		if err != nil || status.Objects != 1 || status.Free != 1<<40 {
			t.Errorf("status: %+v, %v", status, err)
		}
		if err := c.Free(ctx, make([]holdfast.ObjectID, holdfast.MaxObjectIDs+1)); !holdfast.Is(err, holdfast.TooLarge) {
			t.Errorf("free of too many: %v, want too large", err)
		}
	})
}

func TestServiceThatIsNotHere(t *testing.T) {
	c, r := inProcess(t, newMemStore(testID))
	other := NewClient(c.conn, testID+1)
	calls := map[string]func() error{
		"create": func() error {
			_, err := other.Create(t.Context(), holdfast.CreateRequest{Size: 2}, strings.NewReader("ab"))
			return err
		},
		"create stream": func() error {
			_, err := other.Create(t.Context(), holdfast.CreateRequest{Size: -1}, io.LimitReader(zeros{}, 8*FrameData))
			return err
		},
		"read": func() error {
			_, err := other.Read(t.Context(), holdfast.ReadRequest{Length: 1}, io.Discard)
			return err
		},
		"read stream": func() error {
			_, err := other.Read(t.Context(), holdfast.ReadRequest{Length: 1 << 20}, io.Discard)
			return err
		},
		"pin":     func() error { return other.Pin(t.Context(), nil, 0) },
		"free":    func() error { return other.Free(t.Context(), nil) },
		"stat":    func() error { _, err := other.Stat(t.Context(), nil); return err },
		"objects": func() error { _, err := other.Objects(t.Context(), holdfast.ObjectID{}, 1); return err },
		"status":  func() error { _, err := other.Status(t.Context()); return err },
	}
	for name, call := range calls {
		if err := call(); !holdfast.Is(err, holdfast.NotOwner) {
			t.Errorf("%s: %v, want not owner", name, err)
		}
	}
	r.Add(testID+1, newMemStore(testID+1))
	if err := calls["status"](); err != nil {
		t.Errorf("status after Add: %v", err)
	}
	r.Remove(testID + 1)
	if err := calls["status"](); !holdfast.Is(err, holdfast.NotOwner) {
		t.Errorf("status after Remove: %v, want not owner", err)
	}
}
