package gwtest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// dial opens a connection to the endpoint.
func (e *env) dial() net.Conn {
	e.T.Helper()
	at, err := url.Parse(e.endpoint)
	if err != nil {
		e.Fatal(err)
	}
	var conn net.Conn
	if at.Scheme == "https" {
		conn, err = tls.Dial("tcp", at.Host, nil)
	} else {
		conn, err = net.Dial("tcp", at.Host)
	}
	if err != nil {
		e.Fatal(err)
	}
	e.T.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		e.Fatal(err)
	}
	return conn
}

// testExpect sends bodies as clients with Expect: 100-continue do, several on one connection: the body follows when it is asked
// for, the empty one too, and not at all when the request is refused.
func testExpect(e *env) {
	conn := e.dial()
	in := bufio.NewReader(conn)
	head := func(target string, length int, opts ...option) *http.Request {
		e.T.Helper()
		r := e.build(e.T, "PUT", target, append([]option{header("Expect", "100-continue"), e.unsignedPayload()}, opts...))
		var b strings.Builder
		fmt.Fprintf(&b, "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", r.URL.RequestURI(), r.URL.Host, length)
		_ = r.Header.Write(&b) // a strings.Builder takes everything
		if _, err := io.WriteString(conn, b.String()+"\r\n"); err != nil {
			e.Fatal(err)
		}
		return r.Request
	}
	read := func(r *http.Request, status int) {
		e.T.Helper()
		res, err := http.ReadResponse(in, r)
		if err != nil || res.StatusCode != status {
			e.Fatalf("got %v, %v; want %d", res, err, status)
		}
		if status != http.StatusContinue {
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				e.Fatal(err)
			}
		}
	}
	for i, data := range []string{"first", "", "the third", ""} {
		key := fmt.Sprintf("expect/%d", i)
		r := head(e.at(key), len(data))
		read(r, http.StatusContinue)
		if _, err := io.WriteString(conn, data); err != nil {
			e.Fatal(err)
		}
		read(r, http.StatusOK)
		e.get(key).is(200).holds([]byte(data))
	}
	read(head("/"+randomName()+"/never", 1<<30), http.StatusNotFound)
	if b, err := in.ReadByte(); err == nil {
		e.Errorf("the connection goes on with %q after a refused body", b)
	}
}
