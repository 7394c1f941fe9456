package gw

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
)

// breaking is an object server whose reads end in an error after some bytes.
type breaking struct {
	holdfast.ObjectService
	after atomic.Int64 // bytes of each read that still come
	armed atomic.Bool
}

var errRot = errors.New("bit rot of the test")

func (b *breaking) Read(ctx context.Context, req holdfast.ReadRequest, w io.Writer) (int64, error) {
	if !b.armed.Load() {
		return b.ObjectService.Read(ctx, req, w)
	}
	good := min(b.after.Load(), req.Length)
	n, err := int64(0), error(nil)
	if good > 0 {
		n, err = b.ObjectService.Read(ctx, holdfast.ReadRequest{Object: req.Object, Offset: req.Offset, Length: good}, w)
	}
	if err == nil {
		err = holdfast.E("test.read", holdfast.Corrupt, errRot)
	}
	return n, err
}

// newBreaking makes a gateway on object servers that can be told to break.
func newBreaking(t *testing.T) (*testClient, []*breaking) {
	s := newServices()
	var all []*breaking
	for i, o := range s.objects {
		b := &breaking{ObjectService: o}
		all = append(all, b)
		s.SetObject(holdfast.NewServiceID(holdfast.TypeObjectStore, uint64(i+1)), b)
	}
	g := New(Options{Volume: openVolume(t, s), Credentials: oneUser{}, Settings: Settings{Region: testRegion}})
	c := clientOf(t, serve(t, g))
	c.do("PUT", "/bucket", nil).is(200)
	return c, all
}

// TestReadErrorCutsConnection breaks reads off at different places: before the first byte the client gets an error document,
// after it a body that is visibly too short. It never gets bytes that are not the object's, nor a whole answer.
func TestReadErrorCutsConnection(t *testing.T) {
	c, servers := newBreaking(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	c.do("PUT", "/bucket/k", data).is(200)
	arm := func(after int64) {
		for _, s := range servers {
			s.after.Store(after)
			s.armed.Store(after >= 0)
		}
	}
	for _, after := range []int64{0, 1, 4096, int64(len(data)) - 10} {
		for _, span := range []string{"", "bytes=5-"} {
			arm(after)
			a, err := c.try("GET", "/bucket/k", nil, "Range", span)
			if after == 0 {
				if err != nil {
					t.Fatal(err)
				}
				a.fails(http.StatusInternalServerError, "InternalError")
				if a.Header.Get("Etag") != "" || strings.Contains(string(a.body), errRot.Error()) {
					t.Errorf("%v %s", a.Header, a.body)
				}
				continue
			}
			want := data
			if span != "" {
				want = data[5:]
			}
			if err == nil {
				t.Errorf("after %d, %q: %d and %d bytes without an error", after, span, a.StatusCode, len(a.body))
			}
			// A few bytes may go with their head, before they are sent.
			if a != nil && (a.StatusCode/100 != 2 || int64(len(a.body)) > after || !bytes.HasPrefix(want, a.body)) {
				t.Errorf("after %d, %q: %d and %d bytes", after, span, a.StatusCode, len(a.body))
			}
		}
	}
	arm(-1)
	if got := c.do("GET", "/bucket/k", nil).is(200); !bytes.Equal(got.body, data) {
		t.Errorf("got %d bytes", len(got.body))
	}
	arm(100)
	c.do("PUT", "/bucket/copy", nil, "X-Amz-Copy-Source", "/bucket/k").is(500)
	arm(-1)
	c.do("GET", "/bucket/copy", nil).fails(404, "NoSuchKey")
}

// TestUnavailableServers takes servers away: requests are refused with 503 once the volume has given up waiting, and work again
// when the servers are back.
func TestUnavailableServers(t *testing.T) {
	s := newServices()
	v, err := volume.Open(volume.Options{Services: s, RetryFor: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() }) // nothing is left to say
	c := clientOf(t, serve(t, New(Options{Volume: v, Credentials: oneUser{}, Settings: Settings{Region: testRegion}})))
	c.do("PUT", "/bucket", nil).is(200)
	c.do("PUT", "/bucket/k", []byte("x")).is(200)
	set := func(up bool) {
		for i := range s.names {
			id := holdfast.NewServiceID(holdfast.TypeNameServer, uint64(i+1))
			if up {
				s.SetName(id, s.names[i])
			} else {
				s.SetName(id, nil)
			}
		}
	}
	set(false)
	for _, r := range [][2]string{{"GET", "/"}, {"GET", "/bucket"}, {"GET", "/bucket/k"}, {"PUT", "/bucket/k"}, {"DELETE", "/bucket/k"}, {"POST", "/bucket/k?uploads"}} {
		c.do(r[0], r[1], nil).fails(http.StatusServiceUnavailable, "ServiceUnavailable")
	}
	set(true)
	c.do("GET", "/bucket/k", nil).is(200)
}

// TestAbortedUploadStoresNothing hangs up in the middle of bodies, small and large, plain and in parts.
func TestAbortedUploadStoresNothing(t *testing.T) {
	s := newServices()
	g := New(Options{Volume: openVolume(t, s), Credentials: oneUser{}, Settings: Settings{Region: testRegion}})
	endpoint := serve(t, g)
	c := clientOf(t, endpoint)
	c.do("PUT", "/bucket", nil).is(200)
	id := regexp.MustCompile("<UploadId>(.*)</UploadId>").FindSubmatch(c.do("POST", "/bucket/never?uploads", nil).is(200).body)[1]
	for _, target := range []string{"/bucket/never", "/bucket/dir/never", fmt.Sprintf("/bucket/never?partNumber=1&uploadId=%s", id)} {
		for _, length := range []int64{10, 100_000, 20 << 20} {
			conn := dial(t, endpoint)
			writeHead(t, conn, c, target, length)
			if _, err := conn.Write(bytes.Repeat([]byte("x"), int(length/2))); err != nil {
				t.Fatal(err)
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	eventually(t, "the requests end", func() bool { return len(g.slots) == 0 })
	eventually(t, "nothing is stored", func() bool { return s.stored(t) == 0 })
	for _, key := range []string{"never", "dir/never"} {
		c.do("GET", "/bucket/"+key, nil).fails(404, "NoSuchKey")
	}
	c.do("DELETE", fmt.Sprintf("/bucket/never?uploadId=%s", id), nil).is(204)
	c.do("DELETE", "/bucket", nil).is(204)
}

// TestShortBodyIsToldSo ends bodies early but keeps listening: the client gets the S3 error.
func TestShortBodyIsToldSo(t *testing.T) {
	endpoint := serve(t, newTestGateway(t, nil))
	c := clientOf(t, endpoint)
	c.do("PUT", "/bucket", nil).is(200)
	for _, length := range []int64{10, 100_000, 20 << 20} {
		conn := dial(t, endpoint)
		r := writeHead(t, conn, c, "/bucket/never", length)
		if _, err := conn.Write(bytes.Repeat([]byte("x"), int(length/2))); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "<Code>IncompleteBody</Code>") {
			t.Errorf("%d: got %d %s, %v; want IncompleteBody", length, res.StatusCode, body, err)
		}
	}
	c.do("GET", "/bucket/never", nil).fails(404, "NoSuchKey")
}

// TestAbortFreesParts gives up uploads and objects: their bytes are given up, too.
func TestAbortFreesParts(t *testing.T) {
	s := newServices()
	c := clientOf(t, serve(t, New(Options{Volume: openVolume(t, s), Credentials: oneUser{}, Settings: Settings{Region: testRegion}})))
	c.do("PUT", "/bucket", nil).is(200)
	for _, key := range []string{"a", "b/c/d"} {
		id := regexp.MustCompile("<UploadId>(.*)</UploadId>").FindSubmatch(c.do("POST", "/bucket/"+key+"?uploads", nil).is(200).body)[1]
		for n := range 5 {
			c.do("PUT", fmt.Sprintf("/bucket/%s?partNumber=%d&uploadId=%s", key, n+1, id), []byte("part")).is(200)
		}
		c.do("PUT", fmt.Sprintf("/bucket/%s?partNumber=3&uploadId=%s", key, id), []byte("again")).is(200)
		if got := s.stored(t); got != 5 {
			t.Errorf("%d parts are stored, want 5", got)
		}
		c.do("DELETE", fmt.Sprintf("/bucket/%s?uploadId=%s", key, id), nil).is(204)
		if got := s.stored(t); got != 0 {
			t.Errorf("%d parts are left", got)
		}
	}
	for range 3 {
		c.do("PUT", "/bucket/k", []byte("x")).is(200)
	}
	if got := s.stored(t); got != 1 {
		t.Errorf("%d objects are stored, want 1", got)
	}
	c.do("DELETE", "/bucket/k", nil).is(204)
	if got := s.stored(t); got != 0 {
		t.Errorf("%d objects are left", got)
	}
}

// TestClientGoesAway hangs up in the middle of an answer that is larger than all buffers on the way.
func TestClientGoesAway(t *testing.T) {
	g := newTestGateway(t, nil)
	endpoint := serve(t, g)
	c := clientOf(t, endpoint)
	c.do("PUT", "/bucket", nil).is(200)
	c.do("PUT", "/bucket/k", make([]byte, 32<<20)).is(200)
	for range 5 {
		conn := dial(t, endpoint)
		writeSigned(t, conn, c.request("GET", "/bucket/k", nil), 0)
		if _, err := io.ReadFull(conn, make([]byte, 100_000)); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close() // with unread bytes, so the server is reset
	}
	eventually(t, "the requests end", func() bool { return len(g.slots) == 0 })
}
