package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// canonicalOf returns the lines of a request's canonical form.
func canonicalOf(t testing.TB, r *http.Request, signed ...string) []string {
	var s scratch
	if !s.build(r, signed, UnsignedPayload, "X-Amz-Signature") {
		t.Fatalf("%s cannot be decoded", r.RequestURI)
	}
	return strings.Split(string(s.canonical), "\n")
}

func TestCanonicalPath(t *testing.T) {
	for _, c := range []struct{ target, want string }{
		{"/", "/"}, {"*", "/%2A"}, {"/a//b/", "/a//b/"}, {"/a/../b/./c", "/a/../b/./c"},
		{"/a%2Fb", "/a/b"}, {"/a%252Fb", "/a%252Fb"}, {"/a+b", "/a%2Bb"}, {"/a%20b", "/a%20b"},
		{"/%e4%bd%a0", "/%E4%BD%A0"}, {"/(a)!*'", "/%28a%29%21%2A%27"}, {"/~-._%7e", "/~-._~"}, {"/%41", "/A"},
		{"http://host:9000/a/b?c", "/a/b"}, {"http://host", "/"},
	} {
		r := request("GET", "/", docHost)
		r.RequestURI = c.target
		if got := canonicalOf(t, r)[1]; got != c.want {
			t.Errorf("%s: got %s, want %s", c.target, got, c.want)
		}
	}
}

func TestCanonicalQuery(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"", ""}, {"acl", "acl="}, {"acl=", "acl="}, {"&&acl&", "acl="}, {"=x", "=x"},
		{"b=2&a=1", "a=1&b=2"}, {"a=2&a=1&a", "a=&a=1&a=2"}, {"a=b=c", "a=b%3Dc"},
		{"prefix=a+b", "prefix=a%20b"}, {"prefix=a%2Bb", "prefix=a%2Bb"}, {"p=a/b", "p=a%2Fb"},
		{"a-b=1&a=2&a%2Fb=3", "a=2&a%2Fb=3&a-b=1"}, // '%' sorts before '-'
		{"A=1&a=2&B=3", "A=1&B=3&a=2"}, {"a;b=c", "a%3Bb=c"},
		{"X-Amz-Signature=z&a", "a="}, {"a?b=c", "a%3Fb=c"},
	} {
		r := request("GET", "/", docHost)
		r.RequestURI = "/?" + c.query
		if got := canonicalOf(t, r)[2]; got != c.want {
			t.Errorf("%s: got %s, want %s", c.query, got, c.want)
		}
	}
}

func TestCanonicalHeaders(t *testing.T) {
	r := request("PUT", "/", docHost, "X-Amz-Meta-A", "  a   b \t c ", "X-Amz-Meta-A", "d", "X-Amz-Meta-Q", `"x   y"`, "X-Amz-Meta-E", "")
	r.ContentLength = 7
	r.TransferEncoding = []string{"chunked"}
	got := canonicalOf(t, r, "content-length", "content-type", "host", "transfer-encoding", "x-amz-meta-a", "x-amz-meta-e", "x-amz-meta-q")
	want := []string{"content-length:7", "content-type:", "host:" + docHost, "transfer-encoding:chunked",
		"x-amz-meta-a:a b c,d", "x-amz-meta-e:", `x-amz-meta-q:"x y"`, "",
		"content-length;content-type;host;transfer-encoding;x-amz-meta-a;x-amz-meta-e;x-amz-meta-q", UnsignedPayload}
	if !slices.Equal(got[3:], want) {
		t.Errorf("got %q, want %q", got[3:], want)
	}
}

func TestHoistQuery(t *testing.T) {
	r := request("PUT", presignedVector+"&x-amz-acl=private&X-Amz-Meta-A=b+c&x-amz-meta-b=q&x-amz-meta-c=a%0d%0ab&acl"+
		"&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-amz-checksum-mode=ENABLED", docHost, "X-Amz-Meta-B", "h")
	(&Result{Scheme: HeaderV4}).HoistQuery(r)
	if len(r.Header) != 1 {
		t.Errorf("a request that is not presigned got %v", r.Header)
	}
	(&Result{Scheme: QueryV4}).HoistQuery(r)
	want := http.Header{"X-Amz-Acl": {"private"}, "X-Amz-Meta-A": {"b c"}, "X-Amz-Meta-B": {"h"}, "X-Amz-Checksum-Mode": {"ENABLED"}}
	for name, values := range want {
		if !slices.Equal(r.Header[name], values) {
			t.Errorf("%s = %q, want %q", name, r.Header[name], values)
		}
	}
	if len(r.Header) != len(want) {
		t.Errorf("headers %v, want %v", r.Header, want)
	}
	r = request("PUT", "/?content-type=a%2Fb&Expires=1", docHost)
	(&Result{Scheme: QueryV2}).HoistQuery(r)
	if got := r.Header.Get("Content-Type"); got != "a/b" || len(r.Header) != 1 {
		t.Errorf("version 2: headers %v", r.Header)
	}
}

func TestContentEncoding(t *testing.T) {
	for in, want := range map[string]string{"": "", "gzip": "gzip", "aws-chunked": "", "aws-chunked,gzip": "gzip", "gzip, aws-chunked": "gzip", "gzip, br": "gzip, br", "a,aws-chunked,b": "a, b"} {
		if got := ContentEncoding(in); got != want {
			t.Errorf("ContentEncoding(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzQuery compares the canonical query with one made with net/url.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{"a=1&b", "a=%2f&a=+&=", "%zz", "a;b", "list-type=2&prefix=a%20b"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if strings.ContainsAny(query, ";") {
			return // net/url refuses it
		}
		var s scratch
		got, ok := s.appendQuery(nil, query, "")
		want, err := url.ParseQuery(query)
		if ok != (err == nil) {
			t.Fatalf("decoded: %v, net/url: %v", ok, err)
		}
		if !ok {
			return
		}
		back, err := url.ParseQuery(string(got))
		if err != nil {
			t.Fatal(err)
		}
		for name := range want {
			slices.Sort(want[name])
			if !slices.Equal(back[name], want[name]) {
				t.Errorf("%q: got %q, want %q", name, back[name], want[name])
			}
		}
		if len(back) != len(want) {
			t.Errorf("got %v, want %v", back, want)
		}
	})
}

// FuzzAuthorization checks that no header makes the parser fail otherwise than
// with a refusal, and that nothing unsigned is let in.
func FuzzAuthorization(f *testing.F) {
	f.Add(docGet().Header.Get("Authorization"), "/")
	f.Add("AWS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=;,Signature=,,,", "/?X-Amz-Signature")
	f.Add("AWS4-HMAC-SHA256", presignedVector)
	f.Add("", presignedVector)
	v := at(docTime)
	f.Fuzz(func(t *testing.T, auth, target string) {
		r := docGet()
		r.Header["Authorization"] = []string{auth}
		r.RequestURI = target
		res, err := v.Verify(r)
		path, _ := Target(r)
		if path, _ = url.PathUnescape(path); err == nil && path != "/test.txt" {
			t.Fatalf("accepted %q for %s: %+v", auth, target, res)
		}
		if code := codeOf(err); strings.HasPrefix(code, "other") {
			t.Fatalf("%q: %v", auth, err)
		}
	})
}
