package s3mux

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"holdfast/gw/s3api"
)

// newServer serves a router whose handlers say what they were given.
func newServer(t *testing.T) *httptest.Server {
	t.Helper()
	router := Configure(mux.NewRouter())
	router.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "healthy") })
	config := Config{Domains: s3api.NewDomains([]string{"s3.test"}), IDs: s3api.NewRequestIDs(0x8000000000000001, 1)}
	Register(router, config, func(op s3api.Op) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			req := FromContext(r.Context())
			if req.Op != op {
				t.Errorf("the handler of %v was given %v", op, req.Op)
			}
			_, _ = fmt.Fprintf(w, "%v|%s|%s", req.Op, req.Target.Bucket, req.Target.Key)
		})
	})
	server := httptest.NewServer(router)
	t.Cleanup(server.Close)
	return server
}

// exchange sends a raw request line, so that no client cleans the path.
func exchange(t *testing.T, server *httptest.Server, method, uri, host string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", method, uri, host)
	req, _ := http.NewRequest(method, "http://x", nil)
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestRoutes(t *testing.T) {
	server := newServer(t)
	for _, tt := range []struct {
		method, uri, host string
		status            int
		want              string // the whole body, or a part of an error
	}{
		{"GET", "/", "h", 200, "ListBuckets||"},
		{"GET", "/healthz", "h", 200, "healthy"},
		{"GET", "/bucket", "h", 200, "ListObjects|bucket|"},
		{"GET", "/bucket/?list-type=2", "h", 200, "ListObjectsV2|bucket|"},
		{"PUT", "/bucket/a//b", "h", 200, "PutObject|bucket|a//b"},
		{"PUT", "/bucket/../a/.", "h", 200, "PutObject|bucket|../a/."},
		{"PUT", "/bucket/a%2Fb%252F+", "h", 200, "PutObject|bucket|a/b%2F+"},
		{"PUT", "/bucket/dir/", "h", 200, "PutObject|bucket|dir/"},
		{"PUT", "/bucket//", "h", 200, "PutObject|bucket|/"},
		{"PUT", "/a/b", "bucket.s3.test:80", 200, "PutObject|bucket|a/b"},
		{"GET", "/bucket/k?uploadId=u", "h", 200, "ListParts|bucket|k"},
		{"GET", "/bucket?acl", "h", 200, "GetBucketAcl|bucket|"},
		{"GET", "/bucket?lifecycle", "h", 501, "<Code>NotImplemented</Code>"},
		{"PUT", "/bucket/k?tagging", "h", 501, "<Code>NotImplemented</Code>"},
		{"OPTIONS", "/bucket/k", "h", 501, "<Code>NotImplemented</Code>"},
		{"DELETE", "/bucket?uploads", "h", 405, "<Code>MethodNotAllowed</Code>"},
		{"PATCH", "/bucket/k", "h", 405, "<Code>MethodNotAllowed</Code>"},
		{"GET", "/BAD/k", "h", 400, "<Code>InvalidBucketName</Code>"},
		{"GET", "/bucket/%ff", "h", 400, "<Code>InvalidURI</Code>"},
		{"GET", "/bucket?prefix=%zz", "h", 400, "<Code>InvalidURI</Code>"},
		{"GET", "/bucket/" + strings.Repeat("k", 1025), "h", 400, "<Code>KeyTooLongError</Code>"},
		{"HEAD", "/BAD", "h", 400, ""},
	} {
		res, body := exchange(t, server, tt.method, tt.uri, tt.host)
		ok := body == tt.want || res.StatusCode != 200 && strings.Contains(body, tt.want) && (tt.want != "" || body == "")
		if res.StatusCode != tt.status || !ok {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.uri, res.StatusCode, body, tt.status, tt.want)
		}
		if id := res.Header.Get("x-amz-request-id"); tt.uri != "/healthz" && !strings.HasPrefix(id, "8000000000000001") {
			t.Errorf("%s %s: request id %q", tt.method, tt.uri, id)
		}
	}
}

func TestFromContextOutside(t *testing.T) {
	if got := FromContext(t.Context()); got != nil {
		t.Errorf("got %+v, want nil", got)
	}
}
