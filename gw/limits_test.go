package gw

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"holdfast/gw/s3api"
)

// held is a handler that says when it has begun and waits to be let go.
func held(begun chan<- struct{}, release <-chan struct{}) map[s3api.Op]handler {
	return map[s3api.Op]handler{s3api.OpGetObject: func(q *request) error {
		begun <- struct{}{}
		<-release
		q.w.WriteHeader(http.StatusOK)
		return nil
	}}
}

func TestSlowDown(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	g := newGateway(Options{Credentials: oneUser{}, Settings: Settings{Region: testRegion}, MaxRequests: 2}, held(begun, release))
	c := clientOf(t, serve(t, g))
	answers := make(chan *testAnswer, 2)
	for range 2 {
		go func() { answers <- c.do("GET", "/bucket/k", nil) }()
		<-begun
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} { // one more, whatever it is
		c.do(method, "/bucket/k", nil).fails(http.StatusServiceUnavailable, "SlowDown")
	}
	close(release)
	for range 2 {
		(<-answers).is(200)
	}
	eventually(t, "the slots are given back", func() bool { return len(g.slots) == 0 })
	go func() { answers <- c.do("GET", "/bucket/k", nil) }()
	<-begun
	(<-answers).is(200)
}

// writeHead sends the head of a signed PUT whose body is to follow.
func writeHead(t *testing.T, conn net.Conn, c *testClient, target string, length int64, pairs ...string) *http.Request {
	t.Helper()
	r := c.request("PUT", target, nil, pairs...)
	writeSigned(t, conn, r, length)
	return r
}

func writeSigned(t *testing.T, conn net.Conn, r *http.Request, length int64) {
	t.Helper()
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", r.Method, r.URL.RequestURI(), r.Host, length)
	_ = r.Header.Write(&head)
	head.WriteString("\r\n")
	if _, err := io.WriteString(conn, head.String()); err != nil {
		t.Fatal(err)
	}
}

// TestRefusedBodyIsNotRead announces bodies that are never sent: the refusal comes all the same, without a 100, and the
// connection is closed.
func TestRefusedBodyIsNotRead(t *testing.T) {
	endpoint := serve(t, newTestGateway(t, nil))
	c := clientOf(t, endpoint)
	c.do("PUT", "/bucket", nil).is(200)
	c.do("PUT", "/bucket/k", []byte("x")).is(200)
	for name, tt := range map[string]struct {
		target string
		edit   func(*http.Request)
		length int64
		status int
	}{
		"anonymous":        {"/bucket/never", func(r *http.Request) { r.Header.Del("Authorization") }, 1 << 30, 403},
		"bad signature":    {"/bucket/never", func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")+"0") }, 1 << 30, 403},
		"no bucket":        {"/missing/never", nil, 1 << 30, 404},
		"not built":        {"/bucket?abac", nil, 1 << 30, 501},
		"too large":        {"/bucket/never", nil, 5<<30 + 1, 400},
		"no such upload":   {"/bucket/never?partNumber=1&uploadId=0123456789abcdef0123456789abcdef", nil, 1 << 30, 404},
		"there is one":     {"/bucket/k", func(*http.Request) {}, 1 << 30, 412},
		"a bad MD5 header": {"/bucket/never", func(*http.Request) {}, 1 << 30, 400},
	} {
		for _, expect := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, expect %t", name, expect), func(t *testing.T) {
				conn := dial(t, endpoint)
				var pairs []string
				if name == "there is one" {
					pairs = append(pairs, "If-None-Match", "*")
				}
				if name == "a bad MD5 header" {
					pairs = append(pairs, "Content-Md5", "junk")
				}
				if expect {
					pairs = append(pairs, "Expect", "100-continue")
				}
				r := c.request("PUT", tt.target, nil, pairs...)
				if tt.edit != nil {
					tt.edit(r)
				}
				writeSigned(t, conn, r, tt.length)
				in := bufio.NewReader(conn)
				res, err := http.ReadResponse(in, r)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				if res.StatusCode != tt.status || err != nil || !res.Close || !strings.Contains(string(body), "<Error>") {
					t.Errorf("got %d, %v, close %t, %s; want %d", res.StatusCode, err, res.Close, body, tt.status)
				}
				if n, err := in.ReadByte(); err == nil {
					t.Errorf("the connection goes on with %q", n)
				}
			})
		}
	}
}

// TestContinue sends bodies only when asked to, several on one connection; the empty one is asked for, too.
func TestContinue(t *testing.T) {
	endpoint := serve(t, newTestGateway(t, nil))
	c := clientOf(t, endpoint)
	c.do("PUT", "/bucket", nil).is(200)
	conn := dial(t, endpoint)
	in := bufio.NewReader(conn)
	for i, body := range []string{"first", "", "third", ""} {
		r := writeHead(t, conn, c, fmt.Sprintf("/bucket/k%d", i), int64(len(body)), "Expect", "100-continue")
		res, err := http.ReadResponse(in, r)
		if err != nil || res.StatusCode != http.StatusContinue {
			t.Fatalf("%d: got %v, %v; want 100", i, res, err)
		}
		if _, err := io.WriteString(conn, body); err != nil {
			t.Fatal(err)
		}
		if res, err = http.ReadResponse(in, r); err != nil || res.StatusCode != http.StatusOK || res.Close {
			t.Fatalf("%d: got %v, %v; want 200", i, res, err)
		}
		_ = res.Body.Close() // empty
		if got := c.do("GET", fmt.Sprintf("/bucket/k%d", i), nil).is(200); string(got.body) != body {
			t.Errorf("%d: got %q, want %q", i, got.body, body)
		}
	}
}

// TestRefusalAfterBodyKeepsConnection loses a conditional put whose body was read: the next request goes over the same
// connection.
func TestRefusalAfterBodyKeepsConnection(t *testing.T) {
	endpoint := serve(t, newTestGateway(t, nil))
	c := clientOf(t, endpoint)
	c.do("PUT", "/bucket", nil).is(200)
	c.do("PUT", "/bucket/k", []byte("x")).is(200)
	conn := dial(t, endpoint)
	in := bufio.NewReader(conn)
	for range 3 {
		r := writeHead(t, conn, c, "/bucket/k", 5, "If-Match", `"00000000000000000000000000000000"`)
		if _, err := io.WriteString(conn, "other"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(in, r)
		if err != nil || res.StatusCode != http.StatusPreconditionFailed || res.Close {
			t.Fatalf("got %v, %v; want 412 and an open connection", res, err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOversizedHead sends more headers than the bound: the server answers for itself, and closes.
func TestOversizedHead(t *testing.T) {
	endpoint := serve(t, newTestGateway(t, nil))
	conn := dial(t, endpoint)
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: h\r\nX-Large: %s\r\n\r\n", strings.Repeat("x", 2*maxHeaderBytes)) // may be cut off
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusRequestHeaderFieldsTooLarge || !res.Close {
		t.Errorf("got %v, %v; want 431", res, err)
	}
}

// TestShutdownWaits lets a request that is under way end when the server is shut down.
func TestShutdownWaits(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	g := newGateway(Options{Credentials: oneUser{}, Settings: Settings{Region: testRegion}}, held(begun, release))
	server := g.NewServer()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	c := clientOf(t, "http://"+listener.Addr().String())
	answer := make(chan *testAnswer, 1)
	go func() { answer <- c.do("GET", "/bucket/k", nil) }()
	<-begun
	down := make(chan error, 1)
	go func() { down <- server.Shutdown(context.Background()) }()
	if err := <-served; err != http.ErrServerClosed {
		t.Errorf("serve: %v", err)
	}
	close(release)
	(<-answer).is(200)
	if err := <-down; err != nil {
		t.Error(err)
	}
}
