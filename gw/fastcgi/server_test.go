package fastcgi_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"holdfast/gw/fastcgi"
)

// Types of records (FastCGI 1.0, section 8).
const (
	beginRequest = 1
	endRequest   = 3
	params       = 4
	stdin        = 5
	stdout       = 6
	responder    = 1
	keepConn     = 1
)

// webServer is the other side of a connection: it sends a request at a time and keeps the connection.
type webServer struct {
	net.Conn
	t *testing.T
}

func (w *webServer) record(kind byte, content []byte) {
	w.t.Helper()
	head := []byte{1, kind, 0, 1, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(head[4:], uint16(len(content)))
	if _, err := w.Write(append(head, content...)); err != nil {
		w.t.Fatalf("record %d: %v", kind, err)
	}
}

// begin sends a request up to its body.
func (w *webServer) begin(env map[string]string) {
	w.record(beginRequest, []byte{0, responder, keepConn, 0, 0, 0, 0, 0})
	var pairs []byte
	for k, v := range env {
		pairs = append(pairs, byte(len(k)), byte(len(v)))
		pairs = append(append(pairs, k...), v...)
	}
	w.record(params, pairs)
	w.record(params, nil)
}

// answer reads an answer to its end.
func (w *webServer) answer() (string, error) {
	var out bytes.Buffer
	for {
		var head [8]byte
		if _, err := io.ReadFull(w, head[:]); err != nil {
			return out.String(), err
		}
		content := make([]byte, int(binary.BigEndian.Uint16(head[4:]))+int(head[6]))
		if _, err := io.ReadFull(w, content); err != nil {
			return out.String(), err
		}
		switch head[1] {
		case stdout:
			out.Write(content[:len(content)-int(head[6])])
		case endRequest:
			return out.String(), nil
		}
	}
}

func (w *webServer) mustAnswer() string {
	w.t.Helper()
	got, err := w.answer()
	if err != nil {
		w.t.Fatalf("answer: %v after %q", err, got)
	}
	return got
}

// serve runs a server of the handler and returns a way to connect to it.
func serve(t *testing.T, h http.HandlerFunc) (*fastcgi.Server, func() *webServer) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, ended := fastcgi.New(h, slog.New(slog.DiscardHandler)), make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, func() *webServer {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return &webServer{Conn: c, t: t}
	}
}

func env(method, target string, more ...string) map[string]string {
	e := map[string]string{
		"REQUEST_METHOD": method, "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "s3.example.com", fastcgi.TargetParam: target,
		"REMOTE_ADDR": "192.0.2.7", "REMOTE_PORT": "4711",
	}
	for i := 0; i < len(more); i += 2 {
		e[more[i]] = more[i+1]
	}
	return e
}

// TestRequestsAreWhole compares what the handler sees with what was sent, over one connection that is kept.
func TestRequestsAreWhole(t *testing.T) {
	_, dial := serve(t, func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s path=%q host=%s from=%s length=%d body=%q date=%q expect=%q tls=%v types=%q lengths=%q err=%v",
			r.Method, r.RequestURI, r.URL.EscapedPath(), r.Host, from, r.ContentLength, body, r.Header.Get("X-Amz-Date"), r.Header.Get("Expect"), r.TLS != nil,
			r.Header["Content-Type"], r.Header["Content-Length"], err)
	})
	w := dial()
	for _, c := range []struct {
		name string
		env  map[string]string
		body string
		want string
	}{
		{"a plain one", env("GET", "/b/k?a=1&b"), "", `GET /b/k?a=1&b path="/b/k" host=s3.example.com from=127.0.0.1 length=0 body="" date="" expect="" tls=false types=[] lengths=[] err=<nil>`},
		{"an awkward path", env("GET", "//b//%2F/../k%20+"), "",
			`GET //b//%2F/../k%20+ path="//b//%2F/../k%20+" host=s3.example.com from=127.0.0.1 length=0 body="" date="" expect="" tls=false types=[] lengths=[] err=<nil>`},
		{"a body", env("PUT", "/b/k", "CONTENT_LENGTH", "5", "HTTP_X_AMZ_DATE", "now", "HTTP_EXPECT", "100-continue", "HTTPS", "on",
			"HTTP_CONTENT_LENGTH", "5", "CONTENT_TYPE", "text/plain", "HTTP_CONTENT_TYPE", "text/plain"), "hello",
			`PUT /b/k path="/b/k" host=s3.example.com from=127.0.0.1 length=5 body="hello" date="now" expect="" tls=false types=["text/plain"] lengths=["5"] err=<nil>`},
		{"an empty body", env("PUT", "/b/k", "CONTENT_LENGTH", "0", "HTTP_CONTENT_LENGTH", "0"), "",
			`PUT /b/k path="/b/k" host=s3.example.com from=127.0.0.1 length=0 body="" date="" expect="" tls=false types=[] lengths=["0"] err=<nil>`},
		{"chunks", env("PUT", "/b/k", "HTTP_TRANSFER_ENCODING", "chunked"), "hello",
			`PUT /b/k path="/b/k" host=s3.example.com from=127.0.0.1 length=-1 body="hello" date="" expect="" tls=false types=[] lengths=[] err=<nil>`},
	} {
		w.begin(c.env)
		if c.body != "" {
			w.record(stdin, []byte(c.body))
		}
		w.record(stdin, nil)
		if got := w.mustAnswer(); !strings.HasSuffix(got, c.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
	w.begin(env("GET", "no path"))
	w.record(stdin, nil)
	if got := w.mustAnswer(); !strings.HasPrefix(got, "Status: 400 ") {
		t.Errorf("a target that is none: %q", got)
	}
}

// TestAnAnswerCanBeCutOff wants the web server to notice, and others to go on, whatever the handler panicked with.
func TestAnAnswerCanBeCutOff(t *testing.T) {
	causes := map[string]any{"/cut": http.ErrAbortHandler, "/broken": "a bug"}
	_, dial := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if cause := causes[r.URL.Path]; cause != nil {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(cause)
		}
	})
	other := dial()
	for path := range causes {
		w := dial()
		w.begin(env("GET", path))
		w.record(stdin, nil)
		if got, err := w.answer(); err == nil || !strings.HasSuffix(got, "half") {
			t.Errorf("%s: the answer ended with %v after %q, want it cut off after half", path, err, got)
		}
	}
	other.begin(env("GET", "/"))
	other.record(stdin, nil)
	other.mustAnswer()
}

// TestDeadlines wants a client that stands still in the middle of a body to be given up.
func TestDeadlines(t *testing.T) {
	failed := make(chan error, 1)
	_, dial := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			t.Error(err)
		}
		_, err := io.ReadAll(r.Body)
		failed <- err
	})
	w := dial()
	w.begin(env("PUT", "/b/k", "CONTENT_LENGTH", "5"))
	w.record(stdin, []byte("hel"))
	if err := <-failed; err == nil {
		t.Error("the body ended well")
	}
}

// TestShutdownWaits wants the request under way answered to its end, and none begun after it.
func TestShutdownWaits(t *testing.T) {
	inside, finish := make(chan struct{}), make(chan struct{})
	s, dial := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		close(inside)
		<-finish
		_, _ = io.WriteString(w, strings.Repeat("x", 200_000))
	})
	w, idle := dial(), dial()
	w.begin(env("GET", "/"))
	w.record(stdin, nil)
	<-inside
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	cut, cancel := context.WithCancel(context.Background())
	cancel()
	select {
	case err := <-down:
		t.Errorf("shut down under a request: %v", err)
	default:
	}
	close(finish)
	if got := w.mustAnswer(); !strings.HasSuffix(got, strings.Repeat("x", 200_000)) {
		t.Errorf("the answer has %d bytes", len(got))
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
	if _, err := idle.Read(make([]byte, 1)); err == nil {
		t.Error("the idle connection is open after the shutdown")
	}
	if err := s.Shutdown(cut); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("again: %v", err)
	}
}
