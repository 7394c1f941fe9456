package s3api

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files; read the diff before committing it")

// golden compares got with a file under testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (rewrite with -rewrite):\n got %s\nwant %s", path, got, want)
	}
}

var testID = RequestID{Request: "80000000000000030000000000000001", Host: "8000000000000003-0000000000000001"}

func TestCatalogueGolden(t *testing.T) {
	var out bytes.Buffer
	seen := make(map[Code]bool)
	for _, code := range Codes() {
		if seen[code] {
			t.Errorf("%s is in the catalogue twice", code)
		}
		seen[code] = true
		rec := httptest.NewRecorder()
		WriteError(rec, httptest.NewRequest("GET", "/b/k", nil), E(code), testID)
		fmt.Fprintf(&out, "%d %s\n%s\n\n", rec.Code, rec.Header().Get("Content-Type"), rec.Body)
	}
	golden(t, "errors.golden", out.Bytes())
}

// Codes that clients branch on, with the status each of them expects.
func TestCodeStatus(t *testing.T) {
	for code, want := range map[Code]int{
		NoSuchKey: 404, NoSuchBucket: 404, NoSuchUpload: 404, BucketNotEmpty: 409, BucketAlreadyExists: 409,
		BucketAlreadyOwnedByYou: 409, PreconditionFailed: 412, NotModified: 304, InvalidRange: 416, SlowDown: 503,
		ServiceUnavailable: 503, InsufficientStorage: 507, NotImplemented: 501, MethodNotAllowed: 405, AccessDenied: 403,
		MissingContentLength: 411, InternalError: 500, BadDigest: 400, KeyTooLongError: 400, "NoSuchCode": 500,
		RequestTimeTooSkewed: 403, ConditionalRequestConflict: 409, XAmzContentSHA256Mismatch: 400,
	} {
		if got := code.Status(); got != want {
			t.Errorf("%s: status %d, want %d", code, got, want)
		}
	}
}

func TestWriteErrorDetail(t *testing.T) {
	rec := httptest.NewRecorder()
	rec.Header().Set("ETag", `"left from the object"`)
	rec.Header().Set("Content-Length", "77")
	err := fmt.Errorf("gw.get: %w", UnsatisfiableRange("bytes=9-", 3).With("Odd", "a<b>&\x01\r"))
	WriteError(rec, httptest.NewRequest("GET", "/b/a%20b", nil), err, testID)
	golden(t, "range_error.golden", rec.Body.Bytes())
	if got, want := rec.Header().Get("Content-Range"), "bytes */3"; got != want {
		t.Errorf("Content-Range = %q, want %q", got, want)
	}
	if got := rec.Header().Get("ETag"); got != "" {
		t.Errorf("the error document has the ETag %s", got)
	}
	if got, want := rec.Header().Get("Content-Length"), fmt.Sprint(rec.Body.Len()); got != want {
		t.Errorf("Content-Length = %s, want %s", got, want)
	}
	if got := rec.Header().Get("x-amz-request-id"); got != testID.Request {
		t.Errorf("x-amz-request-id = %s, want %s", got, testID.Request)
	}
	if got := rec.Header().Get("x-amz-id-2"); got != testID.Host {
		t.Errorf("x-amz-id-2 = %s, want %s", got, testID.Host)
	}
}

func TestWriteErrorWithoutBody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"abc"`)
		if r.URL.Path == "/b/304" {
			WriteError(w, r, E(NotModified), testID)
			return
		}
		WriteError(w, r, NoKey("k"), testID)
	}))
	defer server.Close()
	for _, tt := range []struct {
		method, path string
		status       int
		etag         string
		body         bool
	}{
		{"HEAD", "/b/k", 404, "", false},
		{"GET", "/b/k", 404, "", true},
		{"GET", "/b/304", 304, `"abc"`, false},
		{"HEAD", "/b/304", 304, `"abc"`, false},
	} {
		req, err := http.NewRequest(tt.method, server.URL+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != tt.status || res.Header.Get("ETag") != tt.etag || (body.Len() > 0) != tt.body {
			t.Errorf("%s %s: status %d etag %s body %q, want %d %s body %v",
				tt.method, tt.path, res.StatusCode, res.Header.Get("ETag"), body.String(), tt.status, tt.etag, tt.body)
		}
		if res.StatusCode == 304 && res.Header.Get("Content-Type") != "" {
			t.Errorf("%s 304 has a Content-Type", tt.method)
		}
	}
}

func TestUnknownErrorSaysNothing(t *testing.T) {
	rec := httptest.NewRecorder()
	e := WriteError(rec, httptest.NewRequest("GET", "/b/k", nil), fmt.Errorf("pool 3: secret path"), testID)
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "secret") {
		t.Errorf("answer %d %s", rec.Code, rec.Body)
	}
	if !strings.Contains(e.Error(), "secret path") {
		t.Errorf("the log lost the cause: %v", e)
	}
}

// Whatever the strings, an error document is XML whose code is read back, and so are the strings unless they hold characters
// that XML 1.0 has not.
func FuzzAppendError(f *testing.F) {
	f.Add("message", "Key", "a&b")
	f.Fuzz(func(t *testing.T, message, resource, value string) {
		e := E(InvalidArgument).WithMessage(message).With("Value", value)
		doc := AppendError(nil, e, testID, resource)
		var back struct{ Code, Message, Value, Resource string }
		if !xmlSafe(resource) { // an escaped path is ASCII
			return
		}
		if err := xml.Unmarshal(doc, &back); err != nil || back.Code != "InvalidArgument" {
			t.Fatalf("%v in %s", err, doc)
		}
		if !xmlSafe(message) || !xmlSafe(value) {
			return
		}
		if message != "" && back.Message != message || back.Value != value || back.Resource != resource {
			t.Fatalf("got %q, want %q %q %q", back, message, value, resource)
		}
	})
}

// xmlSafe reports whether XML 1.0 can hold s.
func xmlSafe(s string) bool {
	for _, r := range s {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffd || r == 0xfffe || r == 0xffff {
			return false
		}
	}
	return true
}

func TestRequestIDs(t *testing.T) {
	ids := NewRequestIDs(0x8000000000000003, 42)
	seen := make(map[string]bool)
	for range 1000 {
		id := ids.Next()
		if len(id.Request) != 32 || !strings.HasPrefix(id.Request, "8000000000000003") || seen[id.Request] {
			t.Fatalf("bad or repeated id %q", id.Request)
		}
		if strings.Trim(id.Request, "0123456789abcdef") != "" {
			t.Fatalf("%q is not lower-case hex", id.Request)
		}
		seen[id.Request] = true
	}
	if a, b := NewRequestIDs(1, 1).Next(), NewRequestIDs(1, 2).Next(); a.Host == b.Host {
		t.Errorf("two runs have the host id %s", a.Host)
	}
}
