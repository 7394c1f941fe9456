package gw

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// newImpatient makes a gateway that waits for clients for a moment only.
func newImpatient(t *testing.T, patience time.Duration) (*Gateway, *testClient) {
	g := newTestGateway(t, nil)
	g.patience = patience
	c := clientOf(t, serve(t, g))
	c.do("PUT", "/bucket", nil).is(200)
	return g, c
}

// TestStandingClients stops sending in the middle of bodies: the client is told so, its place is given to others, and nothing is
// stored.
func TestStandingClients(t *testing.T) {
	g, c := newImpatient(t, 100*time.Millisecond)
	for name, sent := range map[string]int{"nothing": 0, "a byte": 1, "half": 50_000, "all but one": 99_999} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, c.endpoint)
			r := writeHead(t, conn, c, "/bucket/never", 100_000)
			if _, err := io.WriteString(conn, strings.Repeat("x", sent)); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(conn), r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "<Code>RequestTimeout</Code>") || !res.Close {
				t.Errorf("got %d %s, %v; want RequestTimeout", res.StatusCode, body, err)
			}
		})
	}
	eventually(t, "the requests end", func() bool { return len(g.slots) == 0 })
	c.do("GET", "/bucket/never", nil).fails(404, "NoSuchKey")
}

// TestSlowClients send a byte now and then, for several times the patience: they are served.
func TestSlowClients(t *testing.T) {
	_, c := newImpatient(t, 400*time.Millisecond)
	conn := dial(t, c.endpoint)
	const size = 20
	r := writeHead(t, conn, c, "/bucket/slow", size)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range size {
		<-tick.C
		if _, err := io.WriteString(conn, "x"); err != nil {
			t.Fatal(err)
		}
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v; want 200", res, err)
	}
	if got := c.do("GET", "/bucket/slow", nil).is(200); len(got.body) != size {
		t.Errorf("got %d bytes, want %d", len(got.body), size)
	}
}

// TestStandingReaders stop taking the answer: their places are given to others.
func TestStandingReaders(t *testing.T) {
	g, c := newImpatient(t, 100*time.Millisecond)
	c.do("PUT", "/bucket/big", make([]byte, 24<<20)).is(200)
	for range 3 {
		writeSigned(t, dial(t, c.endpoint), c.request("GET", "/bucket/big", nil), 0)
	}
	eventually(t, "the requests begin", func() bool { return len(g.slots) > 0 })
	eventually(t, "the requests end", func() bool { return len(g.slots) == 0 })
}

// TestDeadlinesDoNotOutliveRequests uses one connection for longer than the patience.
func TestDeadlinesDoNotOutliveRequests(t *testing.T) {
	_, c := newImpatient(t, 80*time.Millisecond)
	conn := dial(t, c.endpoint)
	in := bufio.NewReader(conn)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 4 {
		for _, method := range []string{"PUT", "GET", "HEAD"} {
			body := map[string]string{"PUT": "data"}[method]
			r := c.request(method, "/bucket/k", nil)
			writeSigned(t, conn, r, int64(len(body)))
			if _, err := io.WriteString(conn, body); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(in, r)
			if err != nil || res.StatusCode != http.StatusOK || res.Close {
				t.Fatalf("%s: got %v, %v; want 200", method, res, err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				t.Fatal(err)
			}
			<-tick.C
		}
	}
}

// TestHandlersMayTakeLongerThanClients works on a request for longer than the patience after its body was read: only the client is
// hurried.
func TestHandlersMayTakeLongerThanClients(t *testing.T) {
	g := newGateway(Options{Credentials: oneUser{}, Settings: Settings{Region: testRegion}}, nil)
	g.patience = 50 * time.Millisecond
	g.handlers = echo()
	for op := range g.handlers {
		g.handlers[op] = func(q *request) error {
			if _, err := io.Copy(io.Discard, &q.body); err != nil {
				return err
			}
			wait := time.NewTimer(4 * g.patience)
			defer wait.Stop()
			select {
			case <-q.ctx.Done():
				return q.ctx.Err()
			case <-wait.C:
				q.w.WriteHeader(http.StatusOK)
				return nil
			}
		}
	}
	c := clientOf(t, serve(t, g))
	c.do("PUT", "/bucket/k", []byte("data")).is(200)
	c.do("PUT", "/bucket/k", nil).is(200)
}

// TestHeaderSection sends more headers than S3 takes, and fewer than the server does.
func TestHeaderSection(t *testing.T) {
	_, c := newImpatient(t, time.Minute)
	c.do("PUT", "/bucket/k", []byte("data"), "X-Filler", strings.Repeat("f", maxHeaderSection)).fails(400, "RequestHeaderSectionTooLarge")
	c.do("GET", "/bucket/k", nil).fails(404, "NoSuchKey")
	c.do("PUT", "/bucket/k", []byte("data"), "X-Filler", strings.Repeat("f", maxHeaderSection-2048)).is(200)
}
