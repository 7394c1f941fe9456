package bench

import (
	"context"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"holdfast/tools/bench/payload"
	"holdfast/tools/bench/sign"
	"holdfast/tools/bench/wire"
)

// echoless answers every request on a connection with the same response as
// soon as size bytes of it have come: a server that costs next to nothing.
func echoless(l net.Listener, request int, response []byte) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			buf := make([]byte, request)
			for {
				if _, err := io.ReadFull(conn, buf); err != nil {
					return
				}
				if _, err := conn.Write(response); err != nil {
					return
				}
			}
		}()
	}
}

// requester is a worker that talks to an echoless server.
func requester(tb testing.TB, method string, response []byte) *worker {
	o := &options{bucket: "bucket", host: "127.0.0.1:9000", region: "us-east-1", cred: sign.Credentials{AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: "s"},
		seed: 1, verify: true, concurrency: 1}
	o.size, _ = parseSizes("4KiB") // constant and valid
	o.keys, _ = newKeyspace("bench/", "flat", 1)
	w := newFleet(o, &screen{}).workers[0]
	w.client.source = payload.New(1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	conn, err := wire.Dial(context.Background(), wire.Endpoint{Address: l.Addr().String()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	w.client.conn, w.client.unhook = conn, func() bool { return true }
	go echoless(l, requestSize(w, method), response)
	return w
}

// requestSize is how long the request on object 0 is, head and body: the same
// for all objects, as names and hashes have fixed lengths.
func requestSize(w *worker, method string) int {
	c := w.client
	c.objectPath(0)
	c.hash = append(c.hash[:0], sign.EmptyPayload...)
	n := 0
	if method == "PUT" {
		n = 4096
	}
	c.formHead(time.Unix(1767225600, 0), method, int64(n), "")
	return len(c.head) + n
}

func getResponse() []byte {
	src := payload.New(1)
	o := src.Object(0, 4096)
	b := []byte("HTTP/1.1 200 OK\r\nContent-Length: " + strconv.Itoa(4096) + "\r\nETag: \"0123456789abcdef0123456789abcdef\"\r\nAccept-Ranges: bytes\r\nX-Amz-Request-Id: 0123456789ABCDEF\r\n\r\n")
	for _, p := range o.Pieces(nil, 0, 4096) {
		b = append(b, p...)
	}
	return b
}

// TestRequestsDoNotAllocate keeps the generator from growing dearer unseen.
func TestRequestsDoNotAllocate(t *testing.T) {
	put := requester(t, "PUT", []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \"e\"\r\n\r\n"))
	get := requester(t, "GET", getResponse())
	ctx := context.Background()
	for i := range uint64(200) { // all windows hashed, all buffers grown
		if _, err := put.put(ctx, i); err != nil {
			t.Fatal(err)
		}
		if _, err := get.get(ctx, 0); err != nil {
			t.Fatal(err)
		}
	}
	got := testing.AllocsPerRun(200, func() {
		if _, err := put.put(ctx, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := get.get(ctx, 0); err != nil {
			t.Fatal(err)
		}
	})
	if got > 0 {
		t.Errorf("a put and a get allocate %v times, want 0", got)
	}
}

// BenchmarkPut is one 4 KiB PUT, the cost of the echoless server included.
func BenchmarkPut(b *testing.B) {
	w := requester(b, "PUT", []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \"e\"\r\n\r\n"))
	b.ReportAllocs()
	for i := range b.N {
		if _, err := w.put(context.Background(), uint64(i)); err != nil {
			b.Fatal(err)
		}
	}
}
