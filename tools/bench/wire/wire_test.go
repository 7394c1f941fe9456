package wire

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// script is a connection whose peer has said everything already, a few bytes
// at a time.
type script struct {
	net.Conn
	in   io.Reader
	step int
}

func (s *script) Read(p []byte) (int, error) {
	if len(p) > s.step {
		p = p[:s.step]
	}
	return s.in.Read(p)
}
func (s *script) Write(p []byte) (int, error)   { return len(p), nil }
func (s *script) SetDeadline(t time.Time) error { return nil }
func (s *script) Close() error                  { return nil }

func say(text string, step int) *Conn {
	return New(&script{in: strings.NewReader(text), step: step}, 0)
}

// collect keeps a body.
type collect struct{ bytes.Buffer }

func (c *collect) Consume(p []byte) error { c.Write(p); return nil }

func TestResponses(t *testing.T) {
	cases := []struct {
		name, text string
		head       bool
		status     int
		body       string
		etag       string
		reusable   bool
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: \"x\"\r\n\r\nabc", false, 200, "abc", `"x"`, true},
		{"no reason", "HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", false, 200, "", "", true},
		{"interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", false, 204, "", "", true},
		{"head", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, 200, "", "", true},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n", false, 200, "abc0123456789", "", true},
		{"close", "HTTP/1.1 500 E\r\nConnection: close\r\nContent-Length: 1\r\n\r\ne", false, 500, "e", "", false},
		{"until close", "HTTP/1.1 200 OK\r\n\r\nall of it", false, 200, "all of it", "", false},
		{"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", false, 200, "a", "", false},
		{"surplus", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", false, 200, "a", "", false},
	}
	for _, c := range cases {
		for _, step := range []int{1, 7, 1 << 20} {
			conn := say(c.text, step)
			var resp Response
			var body collect
			if err := conn.ReadHead(&resp); err != nil {
				t.Errorf("%s, step %d: ReadHead: %v", c.name, step, err)
				continue
			}
			if _, err := conn.ReadBody(&resp, c.head, &body); err != nil {
				t.Errorf("%s, step %d: ReadBody: %v", c.name, step, err)
			}
			if resp.Status != c.status || body.String() != c.body || string(resp.ETag) != c.etag {
				t.Errorf("%s, step %d: got %d %q etag %q, want %d %q etag %q", c.name, step,
					resp.Status, body.String(), resp.ETag, c.status, c.body, c.etag)
			}
			// With one byte at a time surplus bytes are still in the kernel.
			if got := conn.Reusable(&resp); got != c.reusable && !(c.name == "surplus" && step < 1<<20) {
				t.Errorf("%s, step %d: Reusable = %v, want %v", c.name, step, got, c.reusable)
			}
		}
	}
}

func TestBrokenResponses(t *testing.T) {
	cases := []struct {
		name, text string
		want       error
	}{
		{"nothing", "", io.EOF},
		{"half a head", "HTTP/1.1 200 OK\r\nConte", io.ErrUnexpectedEOF},
		{"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", io.ErrUnexpectedEOF},
		{"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", io.ErrUnexpectedEOF},
		{"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", io.ErrUnexpectedEOF},
		{"not http", "SSH-2.0-OpenSSH_9.2\r\n\r\n", errStatusLine},
		{"status", "HTTP/1.1 2x0 OK\r\n\r\n", errStatusLine},
		{"no colon", "HTTP/1.1 200 OK\r\nbroken\r\n\r\n", errHeader},
		{"folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", errHeader},
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", errLength},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", errLength},
		{"huge length", "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n", errLength},
		{"coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", errCoding},
		{"chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", errChunk},
		{"chunk overrun", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", errChunk},
		{"long chunk line", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 2*maxLine), errChunk},
		{"huge head", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 2*maxHead), errHeadSize},
		{"interim forever", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20), errInterim},
		{"trailers forever", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("A: b\r\n", 200), errTrailer},
	}
	for _, c := range cases {
		conn := say(c.text, 1<<20)
		var resp Response
		err := conn.ReadHead(&resp)
		if err == nil {
			_, err = conn.ReadBody(&resp, false, nil)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want %v", c.name, err, c.want)
		}
	}
}

// TestExchange talks to a real server, plain and over TLS, with bodies on both
// sides of the coalescing limit, many requests over one connection.
func TestExchange(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// All of it first: net/http drops the rest of a body once a response starts.
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})
	plain, secure := httptest.NewServer(echo), httptest.NewTLSServer(echo)
	defer plain.Close()
	defer secure.Close()
	roots := secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	endpoints := []Endpoint{
		{Address: plain.Listener.Addr().String(), Timeout: time.Minute},
		{Address: secure.Listener.Addr().String(), Timeout: time.Minute, TLS: &tls.Config{RootCAs: roots, ServerName: "example.com"}},
	}
	for _, e := range endpoints {
		conn, err := Dial(context.Background(), e)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, size := range []int{0, 1, 5000, 300_000, 3_000_000} {
			half := bytes.Repeat([]byte("abcdefg"), size/14+1)[:size/2]
			head := "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: " + strconv.Itoa(2*len(half)) + "\r\n\r\n"
			if err := conn.Send(time.Now(), []byte(head), [][]byte{half, half}); err != nil {
				t.Fatalf("size %d: %v", size, err)
			}
			var resp Response
			var body collect
			if err := conn.ReadHead(&resp); err != nil {
				t.Fatalf("size %d: %v", size, err)
			}
			if _, err := conn.ReadBody(&resp, false, &body); err != nil {
				t.Fatalf("size %d: %v", size, err)
			}
			if !bytes.Equal(body.Bytes(), append(bytes.Clone(half), half...)) || !conn.Reusable(&resp) {
				t.Errorf("size %d: %d bytes came back, reusable %v", size, body.Len(), conn.Reusable(&resp))
			}
		}
	}
}

func TestInterruptEndsABlockedRead(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := Dial(context.Background(), Endpoint{Address: l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	done := make(chan error)
	go func() { done <- conn.ReadHead(&Response{}) }()
	conn.Interrupt()
	var ne net.Error
	if err := <-done; !errors.As(err, &ne) || !ne.Timeout() {
		t.Errorf("interrupted read returned %v, want a timeout", err)
	}
}

// FuzzResponse compares with net/http: what both accept must mean the same.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 404 Not Found\r\nContent-Length: 20\r\nConnection: close\r\n\r\n<Error><Code>x</Code>",
		"HTTP/1.0 204 \r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest",
	} {
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, head bool) {
		conn := New(&script{in: bytes.NewReader(data), step: 13}, 0)
		var resp Response
		var body collect
		if err := conn.ReadHead(&resp); err != nil {
			return
		}
		n, err := conn.ReadBody(&resp, head, &body)
		if int(n) != body.Len() || body.Len() > len(data) {
			t.Fatalf("ReadBody counts %d bytes, handed out %d of %d", n, body.Len(), len(data))
		}
		if err != nil {
			return
		}
		status, want, ok := reference(data, head)
		if ok && (status != resp.Status || !bytes.Equal(want, body.Bytes())) {
			t.Fatalf("got %d %q, net/http %d %q", resp.Status, body.Bytes(), status, want)
		}
	})
}

// reference reads data with net/http; ok is false if that refuses it.
func reference(data []byte, head bool) (status int, body []byte, ok bool) {
	req := &http.Request{Method: "GET"}
	if head {
		req.Method = "HEAD"
	}
	r := bufio.NewReader(bytes.NewReader(data))
	for {
		resp, err := http.ReadResponse(r, req)
		if err != nil {
			return 0, nil, false
		}
		if resp.StatusCode < 200 && resp.StatusCode != 101 {
			continue
		}
		body, err = io.ReadAll(resp.Body)
		return resp.StatusCode, body, err == nil
	}
}
