package s3api

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// codeOf returns the S3 code of err, or "".
func codeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if !errors.As(err, &e) {
		return "not an S3 error"
	}
	return e.Code
}

// testdata/operations.txt is every operation of the S3 API: name, method, URI, required query parameters, required headers.
// Each must be routed to itself. The exceptions share their request with another operation.
func TestEveryOperationIsRouted(t *testing.T) {
	twins := map[string]string{
		"ListDirectoryBuckets":  "ListBuckets", // the same request on another endpoint
		"GetBucketLifecycle":    "GetBucketLifecycleConfiguration",
		"PutBucketLifecycle":    "PutBucketLifecycleConfiguration",
		"GetBucketNotification": "GetBucketNotificationConfiguration",
		"PutBucketNotification": "PutBucketNotificationConfiguration",
	}
	data, err := os.ReadFile("testdata/operations.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		name, method, uri := f[0], f[1], f[2]
		path, rawQuery, _ := strings.Cut(uri, "?")
		query, err := url.ParseQuery(rawQuery)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range strings.Split(f[3], ",") {
			if key != "-" {
				query.Set(key, "1")
			}
		}
		header := make(http.Header)
		for _, key := range strings.Split(f[4], ",") {
			if key != "-" {
				header.Set(key, "1")
			}
		}
		query.Set("x-id", name) // as SDKs send; ignored
		want := name
		if twin := twins[name]; twin != "" {
			want = twin
		}
		op, err := Match(method, path != "/", strings.Contains(path, "{Key+}"), query, header)
		if err != nil || op.String() != want {
			t.Errorf("%s %s: %v, %v, want %s", method, uri, op, err, want)
		}
	}
}

func TestMatch(t *testing.T) {
	const s, b, o = "/", "/b", "/b/k"
	for _, tt := range []struct {
		method, path, query, header string
		want                        string // an operation or an error code
	}{
		{"GET", s, "", "", "ListBuckets"},
		{"GET", s, "ostor-users&emailAddress=a@b", "", "OstorGetUsers"},
		{"POST", s, "ostor-users&genKey", "", "OstorPostUsers"},
		{"DELETE", s, "ostor-usage&obj=x", "", "OstorDeleteUsage"},
		{"POST", s, "", "", "MethodNotAllowed"},
		{"PUT", s, "", "", "MethodNotAllowed"},
		{"GET", b, "", "", "ListObjects"},
		{"GET", b, "prefix=a&delimiter=/", "", "ListObjects"},
		{"GET", b, "list-type=2&prefix=a", "", "ListObjectsV2"},
		{"GET", b, "list-type=1", "", "ListObjects"},
		{"GET", b, "uploads&prefix=x", "", "ListMultipartUploads"},
		{"GET", b, "uploads=&prefix=x", "", "ListMultipartUploads"},
		{"GET", b, "inventory&id=1", "", "GetBucketInventoryConfiguration"},
		{"GET", b, "inventory", "", "ListBucketInventoryConfigurations"},
		{"POST", b, "delete", "", "DeleteObjects"},
		{"POST", b, "", "", "PostObject"},
		{"DELETE", b, "", "", "DeleteBucket"},
		{"DELETE", b, "id=3", "", "DeleteBucket"},
		// A sub-resource that the method does not have must not become the plain operation.
		{"DELETE", b, "acl", "", "MethodNotAllowed"},
		{"DELETE", b, "versions", "", "MethodNotAllowed"},
		{"PUT", b, "location", "", "MethodNotAllowed"},
		{"HEAD", b, "policy", "", "MethodNotAllowed"},
		{"PUT", o, "lifecycle", "", "MethodNotAllowed"},
		{"DELETE", o, "uploads", "", "MethodNotAllowed"},
		{"DELETE", o, "acl", "", "MethodNotAllowed"},
		{"POST", o, "", "", "MethodNotAllowed"},
		{"PATCH", o, "", "", "MethodNotAllowed"},
		{"GET", o, "versionId=3&x-id=GetObject&response-content-type=a", "", "GetObject"},
		{"GET", o, "partNumber=1", "", "GetObject"},
		{"GET", o, "uploadId=u&part-number-marker=3", "", "ListParts"},
		{"GET", o, "attributes", "", "GetObjectAttributes"},
		{"HEAD", o, "partNumber=2", "", "HeadObject"},
		{"PUT", o, "", "", "PutObject"},
		{"PUT", o, "X-Amz-Signature=abc&foo=bar", "", "PutObject"},
		{"PUT", o, "", "X-Amz-Copy-Source", "CopyObject"},
		{"PUT", o, "partNumber=1&uploadId=u", "", "UploadPart"},
		{"PUT", o, "partNumber=1&uploadId=u", "X-Amz-Copy-Source", "UploadPartCopy"},
		{"PUT", o, "partNumber=1", "", "InvalidArgument"},
		{"PUT", o, "uploadId=1", "", "InvalidArgument"},
		{"PUT", o, "tagging", "", "PutObjectTagging"},
		{"POST", o, "uploads", "", "CreateMultipartUpload"},
		{"POST", o, "uploadId=u", "", "CompleteMultipartUpload"},
		{"POST", o, "select&select-type=2", "", "SelectObjectContent"},
		{"DELETE", o, "uploadId=u", "", "AbortMultipartUpload"},
		{"DELETE", o, "versionId=3", "", "DeleteObject"},
		{"OPTIONS", o, "uploads", "", "PreflightObject"},
		{"OPTIONS", b, "", "", "PreflightBucket"},
	} {
		query, err := ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		header := make(http.Header)
		if tt.header != "" {
			header.Set(tt.header, "x")
		}
		op, err := Match(tt.method, tt.path != s, tt.path == o, query, header)
		got := op.String()
		if err != nil {
			got = string(codeOf(err))
		}
		if got != tt.want {
			t.Errorf("%s %s?%s %s: %s, want %s", tt.method, tt.path, tt.query, tt.header, got, tt.want)
		}
	}
}

// The table of operations, actions and refusals, for review.
func TestOperationsGolden(t *testing.T) {
	var out bytes.Buffer
	for _, op := range Ops() {
		state := "refused"
		if op.Built() {
			state = "built"
		}
		fmt.Fprintf(&out, "%-48s %-8s %s %s\n", op, state, op.Action(false), op.Action(true))
	}
	golden(t, "ops.golden", out.Bytes())
}

func TestActions(t *testing.T) {
	if got, want := OpGetObject.Action(true), "s3:GetObjectVersion"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := OpHeadObject.Action(false), "s3:GetObject"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, op := range Ops() {
		preflight := strings.HasPrefix(op.String(), "Preflight")
		if (op.Action(false) == "") != (op.Management() || preflight) {
			t.Errorf("%s has the action %q", op, op.Action(false))
		}
	}
	for _, op := range []Op{0, opEnd, 255} {
		if op.String() != "Unknown" || op.Built() || op.Action(true) != "" || op.OnObject() {
			t.Errorf("Op(%d) is something", op)
		}
	}
}

func TestParseQuery(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want url.Values
		code Code
	}{
		{"", nil, ""},
		{"uploads", url.Values{"uploads": {""}}, ""},
		{"prefix=a+b%2Bc&&delimiter=%2f", url.Values{"prefix": {"a b+c"}, "delimiter": {"/"}}, ""},
		{"prefix=a;b", url.Values{"prefix": {"a;b"}}, ""},
		{"a=1&a=2", url.Values{"a": {"1", "2"}}, ""},
		{"prefix=%zz", nil, InvalidURI},
		{"prefix=%ff", nil, InvalidURI},
		{strings.Repeat("a&", MaxQueryParams), nil, InvalidURI},
	} {
		got, err := ParseQuery(tt.raw)
		if fmt.Sprint(got) != fmt.Sprint(tt.want) || codeOf(err) != tt.code {
			t.Errorf("%q: %v, %v, want %v, %v", tt.raw, got, err, tt.want, tt.code)
		}
	}
}

// Whatever the query, parsing gives UTF-8 or an S3 error, and matching gives an operation of the method or an S3 error.
func FuzzMatch(f *testing.F) {
	f.Add("PUT", "partNumber=1&uploadId=%2B")
	f.Add("GET", "list-type=2&prefix=a+b;c")
	f.Add("OPTIONS", "uploads")
	f.Fuzz(func(t *testing.T, method, raw string) {
		query, err := ParseQuery(raw)
		if err != nil {
			if codeOf(err) != InvalidURI {
				t.Fatal(err)
			}
			return
		}
		for _, key := range []bool{false, true} {
			op, err := Match(method, true, key, query, nil)
			if err == nil && (opTable[op].method != method || op.OnObject() != key) {
				t.Fatalf("%s %q: %v", method, raw, op)
			}
			if code := codeOf(err); err != nil && code != MethodNotAllowed && code != InvalidArgument {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	query, _ := ParseQuery("x-id=GetObject")
	header := http.Header{"Authorization": {"x"}, "Host": {"y"}}
	b.ReportAllocs()
	for b.Loop() {
		if op, _ := Match("GET", true, true, query, header); op != OpGetObject {
			b.Fatal(op)
		}
	}
}

// TestRouteIsMatched asks for each operation by its own route: it is the one that is found, but for the two that share the plain
// POST of a bucket and differ in their bodies.
func TestRouteIsMatched(t *testing.T) {
	for _, op := range Ops() {
		route := op.Route()
		query, err := ParseQuery(route.Query)
		if err != nil {
			t.Fatal(err)
		}
		header := make(http.Header)
		for _, name := range route.Headers {
			header[name] = []string{"x"}
		}
		got, err := Match(route.Method, route.Bucket, route.Key, query, header)
		if err != nil || got != op && got.Route().Method+got.Route().Query != route.Method+route.Query {
			t.Errorf("%v: got %v, %v", op, got, err)
		}
	}
	if got := Op(0).Route(); got.Method != "" {
		t.Errorf("no operation has the route %+v", got)
	}
}
