package gw

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/gw/s3api"
	"holdfast/gw/sigv4"
)

// echo is a table of handlers that say what they were given.
func echo() map[s3api.Op]handler {
	table := make(map[s3api.Op]handler)
	for op := range handlers() {
		table[op] = func(q *request) error {
			_, err := fmt.Fprintf(q.w, "%v|%s|%s", q.op, q.target.Bucket, q.target.Key)
			return err
		}
	}
	return table
}

func newEcho(t *testing.T) string {
	return serve(t, newGateway(Options{Credentials: oneUser{}, Settings: Settings{Region: testRegion, Domains: []string{testDomain}}}, echo()))
}

// exchange sends a signed request with a raw request line, so that no client cleans the path.
func exchange(t *testing.T, endpoint, method, uri, host string) (*http.Response, string) {
	t.Helper()
	conn := dial(t, endpoint)
	r, err := http.NewRequest(method, "http://"+host, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.RequestURI = uri // the signer signs what goes over the wire
	sigv4.Sign(r, sigv4.Credentials{AccessKey: testKey, SecretKey: testSecret}, testRegion, time.Now(), sigv4.EmptyPayload)
	_, _ = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: 0\r\n", method, uri, host)
	_ = r.Header.Write(conn)
	_, _ = io.WriteString(conn, "\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// TestRoutes proves that paths reach the handlers as they were sent: not cleaned, not redirected, decoded once.
func TestRoutes(t *testing.T) {
	endpoint := newEcho(t)
	for _, tt := range []struct {
		method, uri, host string
		status            int
		want              string // the whole body, or a part of an error
	}{
		{"GET", "/", "h", 200, "ListBuckets||"},
		{"GET", "/healthz", "h", 200, "ListObjects|healthz|"},
		{"GET", "/bucket", "h", 200, "ListObjects|bucket|"},
		{"GET", "/bucket/", "h", 200, "ListObjects|bucket|"},
		{"GET", "/bucket/?list-type=2", "h", 200, "ListObjectsV2|bucket|"},
		{"PUT", "/bucket/a//b", "h", 200, "PutObject|bucket|a//b"},
		{"PUT", "/bucket/../a/.", "h", 200, "PutObject|bucket|../a/."},
		{"PUT", "/bucket/a%2Fb%252F+", "h", 200, "PutObject|bucket|a/b%2F+"},
		{"PUT", "/bucket/dir/", "h", 200, "PutObject|bucket|dir/"},
		{"PUT", "/bucket//", "h", 200, "PutObject|bucket|/"},
		{"PUT", "/a/b", "bucket.s3.test:80", 200, "PutObject|bucket|a/b"},
		{"PUT", "//", "bucket.s3.test", 200, "PutObject|bucket|/"},
		{"GET", "/bucket/k?uploadId=u", "h", 200, "ListParts|bucket|k"},
		{"GET", "/bucket?acl", "h", 200, "GetBucketAcl|bucket|"},
		{"PUT", "/bucket?inventory", "h", 501, "<Code>NotImplemented</Code>"},
		{"PUT", "/bucket/k?renameObject", "h", 501, "<Code>NotImplemented</Code>"},
		{"OPTIONS", "/bucket/k", "h", 200, "PreflightObject|bucket|k"},
		{"DELETE", "/bucket?uploads", "h", 405, "<Code>MethodNotAllowed</Code>"},
		{"PATCH", "/bucket/k", "h", 405, "<Code>MethodNotAllowed</Code>"},
		{"GET", "/BAD/k", "h", 400, "<Code>InvalidBucketName</Code>"},
		{"GET", "/bucket/%ff", "h", 400, "<Code>InvalidURI</Code>"},
		{"GET", "/bucket?prefix=%zz", "h", 400, "<Code>InvalidURI</Code>"},
		{"GET", "/bucket/" + strings.Repeat("k", 1025), "h", 400, "<Code>KeyTooLongError</Code>"},
		{"HEAD", "/BAD", "h", 400, ""},
	} {
		res, body := exchange(t, endpoint, tt.method, tt.uri, tt.host)
		ok := body == tt.want || res.StatusCode != 200 && strings.Contains(body, tt.want) && (tt.want != "" || body == "")
		if res.StatusCode != tt.status || !ok {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.uri, res.StatusCode, body, tt.status, tt.want)
		}
		if res.Header.Get("x-amz-request-id") == "" {
			t.Errorf("%s %s: no request id", tt.method, tt.uri)
		}
	}
}

// TestHandlersAreBuilt holds the table of handlers against the table of operations.
func TestHandlersAreBuilt(t *testing.T) {
	table := handlers()
	for _, op := range s3api.Ops() {
		if has := table[op] != nil; has != op.Built() {
			t.Errorf("%v: built is %t, has a handler is %t", op, op.Built(), has)
		}
	}
}

// TestNothingIsAnsweredWithoutHandler asks a gateway without handlers for every operation: none is a success.
func TestNothingIsAnsweredWithoutHandler(t *testing.T) {
	endpoint := serve(t, newGateway(Options{Credentials: oneUser{}, Settings: Settings{Region: testRegion}}, nil))
	for _, op := range s3api.Ops() {
		route := op.Route()
		uri := "/"
		if route.Bucket {
			uri += "bucket"
		}
		if route.Key {
			uri += "/key"
		}
		res, body := exchange(t, endpoint, route.Method, uri+"?"+route.Query, "h")
		if res.StatusCode == http.StatusPreconditionFailed && route.Method == http.MethodPost && route.Query == "" {
			continue // no form, and so refused before anybody looks for a handler
		}
		if res.StatusCode != http.StatusNotImplemented || route.Method != http.MethodHead && !strings.Contains(body, "<Code>NotImplemented</Code>") {
			t.Errorf("%v: %d %s", op, res.StatusCode, body)
		}
	}
}

// TestNull checks that the null gateway refuses what it does not invent, and gives back the length it was given.
func TestNull(t *testing.T) {
	g := NewNull(Options{Credentials: oneUser{}, Settings: Settings{Region: testRegion}})
	c := clientOf(t, serve(t, g))
	c.do("PUT", "/bucket", nil).is(200)
	c.do("PUT", "/bucket/k", []byte("0123456789")).is(200)
	if got := c.do("GET", "/bucket/k", nil).is(200); len(got.body) != 10 {
		t.Errorf("got %d bytes, want 10", len(got.body))
	}
	if got := c.do("HEAD", "/bucket/k", nil).is(200); got.Header.Get("Content-Length") != "10" {
		t.Errorf("got %v", got.Header)
	}
	c.do("DELETE", "/bucket/k", nil).is(204)
	c.do("POST", "/bucket/k?uploads", nil).is(501)
	invents := slices.Collect(func(yield func(s3api.Op) bool) {
		for op := range g.handlers {
			if !op.Built() && !yield(op) {
				return
			}
		}
	})
	if len(invents) > 0 {
		t.Errorf("the null gateway answers %v, which the real one refuses", invents)
	}
}
