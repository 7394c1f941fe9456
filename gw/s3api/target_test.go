package s3api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTarget(t *testing.T) {
	domains := NewDomains([]string{"example.com", "S3.Example.com.", ""})
	long := strings.Repeat("k", MaxKey)
	for _, tt := range []struct {
		host, path string
		want       Target
		code       Code
	}{
		{"s3.example.com", "/", Target{}, ""},
		{"s3.example.com", "", Target{}, ""},
		{"s3.example.com", "*", Target{}, ""},
		{"s3.example.com", "/photos", Target{Bucket: "photos"}, ""},
		{"s3.example.com", "/photos/", Target{Bucket: "photos"}, ""},
		{"s3.example.com:9000", "/photos/a/b", Target{Bucket: "photos", Key: "a/b"}, ""},
		{"127.0.0.1:9000", "/photos/a", Target{Bucket: "photos", Key: "a"}, ""},
		{"[::1]:9000", "/photos/a", Target{Bucket: "photos", Key: "a"}, ""},
		{"other.org", "/photos/a", Target{Bucket: "photos", Key: "a"}, ""},
		{"", "/photos/a", Target{Bucket: "photos", Key: "a"}, ""},
		// virtual-hosted
		{"photos.s3.example.com", "/a/b", Target{"photos", "a/b", true}, ""},
		{"photos.s3.example.com", "/", Target{"photos", "", true}, ""},
		{"Photos.S3.EXAMPLE.com.:80", "/Key", Target{"photos", "Key", true}, ""},
		{"my.dotted.bucket.s3.example.com", "/k", Target{"my.dotted.bucket", "k", true}, ""},
		{"photos.example.com", "/k", Target{"photos", "k", true}, ""},
		{"photos.s3.example.com", "//k", Target{"photos", "/k", true}, ""},
		{"-x.s3.example.com", "/k", Target{}, InvalidBucketName},
		// the key is the raw rest, decoded once
		{"h", "/bucket/a//b", Target{Bucket: "bucket", Key: "a//b"}, ""},
		{"h", "/bucket//", Target{Bucket: "bucket", Key: "/"}, ""},
		{"h", "/bucket/../x/./y/..", Target{Bucket: "bucket", Key: "../x/./y/.."}, ""},
		{"h", "/bucket/a%2Fb", Target{Bucket: "bucket", Key: "a/b"}, ""},
		{"h", "/bucket/a%252Fb", Target{Bucket: "bucket", Key: "a%2Fb"}, ""},
		{"h", "/bucket/a+b%20c%2B", Target{Bucket: "bucket", Key: "a+b c+"}, ""},
		{"h", "/bucket/dir/", Target{Bucket: "bucket", Key: "dir/"}, ""},
		{"h", "/bucket/%E2%82%AC", Target{Bucket: "bucket", Key: "€"}, ""},
		{"h", "/bucket/%00%01", Target{Bucket: "bucket", Key: "\x00\x01"}, ""},
		{"h", "/bucket/" + long, Target{Bucket: "bucket", Key: long}, ""},
		{"h", "/bucket/" + long + "k", Target{}, KeyTooLongError},
		{"h", "/bucket/" + strings.Repeat("%E2%82%AC", 342), Target{}, KeyTooLongError},
		{"h", "/bucket/%zz", Target{}, InvalidURI},
		{"h", "/bucket/%4", Target{}, InvalidURI},
		{"h", "/bucket/%ff", Target{}, InvalidURI},
		{"h", "/bucket/%ed%a0%80", Target{}, InvalidURI}, // a surrogate
		{"h", "bucket/x", Target{}, InvalidURI},
		{"h", "//key", Target{}, InvalidBucketName},
		{"h", "/b%2Fk", Target{}, InvalidBucketName},
		{"h", "/Upper/k", Target{}, InvalidBucketName},
		{"h", "/ab", Target{}, InvalidBucketName},
	} {
		got, err := domains.Target(tt.host, tt.path)
		if got != tt.want || codeOf(err) != tt.code {
			t.Errorf("%s %s: %+v, %v, want %+v, %v", tt.host, tt.path, got, err, tt.want, tt.code)
		}
	}
}

// The escaped path that net/http gives for a request line leads to the same key as the line itself.
func TestTargetFromRequestLine(t *testing.T) {
	for raw, want := range map[string]string{
		"/bucket/a%2Fb": "a/b", "/bucket//a": "/a", "/bucket/a/../b": "a/../b", "/bucket/a%2520": "a%20",
		"/bucket/~a!$'()*,;=:@": "~a!$'()*,;=:@", "/bucket/%7e": "~", "/bucket/a+b": "a+b",
	} {
		u, err := url.ParseRequestURI(raw)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Domains{}.Target("h", u.EscapedPath())
		if err != nil || got.Key != want {
			t.Errorf("%s: key %q, %v, want %q", raw, got.Key, err, want)
		}
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("photos.s3.example.com:80", "/a%2Fb//..")
	f.Add("[::1]:9000", "/bucket/%zz")
	domains := NewDomains([]string{"s3.example.com"})
	f.Fuzz(func(t *testing.T, host, path string) {
		got, err := domains.Target(host, path)
		if err != nil {
			if codeOf(err) == "not an S3 error" {
				t.Fatal(err)
			}
			return
		}
		if got.HasKey() && !got.HasBucket() || len(got.Key) > MaxKey || !utf8.ValidString(got.Key) {
			t.Fatalf("impossible target %+v", got)
		}
		if got.VirtualHosted || !got.HasKey() {
			return
		}
		again, err := domains.Target("", "/"+got.Bucket+"/"+(&url.URL{Path: got.Key}).EscapedPath())
		if err != nil || again.Key != got.Key && !strings.HasPrefix(got.Key, "*") {
			t.Fatalf("%+v again is %+v, %v", got, again, err)
		}
	})
}

func TestBucketNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"abc": true, "a-b": true, "a.b": true, "my_bucket": true, "1bucket": true, "photos.2026": true,
		strings.Repeat("a", 63): true, "a1.b2.c3": true, "a--b": true,
		"": false, "ab": false, strings.Repeat("a", 64): false, "Abc": false, "-abc": false, "abc-": false, "_abc": false,
		"abc_": false, ".abc": false, "abc.": false, "a..b": false, "a.-b": false, "a-.b": false, "a_.b": false,
		"192.168.5.4": false, "1.2.3.999": false, "a b": false, "a/b": false, "bücket": false, "xn--abc": false,
		"sthree-abc": false, "abc-s3alias": false, "abc--ol-s3": false, "abc--x-s3": false, "abc.mrap": false,
		"amzn-s3-demo-bucket": false, "1.2.3": true,
	} {
		err := CheckNewBucketName(name)
		if (err == nil) != ok || err != nil && codeOf(err) != InvalidBucketName {
			t.Errorf("%q: %v, want ok=%v", name, err, ok)
		}
	}
}

func TestStorageClass(t *testing.T) {
	for value, want := range map[string]Code{"": "", "STANDARD": "", "GLACIER_IR": "", "standard": InvalidStorageClass, "SNOW": InvalidStorageClass} {
		if _, err := ParseStorageClass(value); codeOf(err) != want {
			t.Errorf("%q: %v, want %v", value, err, want)
		}
	}
}

func TestUserMetadata(t *testing.T) {
	h := make(http.Header)
	h.Set("x-amz-meta-Colour", "blue")
	h.Add("x-amz-meta-list", "a")
	h.Add("x-amz-meta-list", "b")
	h.Set("x-amz-meta-utf8", "grün")
	h.Set("x-amz-meta-latin1", "gr\xfcn")
	h.Set("x-amz-meta-word", "=?UTF-8?Q?gr=C3=BCn?=")
	h.Set("x-amz-acl", "private")
	got, err := ParseUserMetadata(h)
	want := []Meta{{"colour", "blue"}, {"latin1", "grün"}, {"list", "a,b"}, {"utf8", "grün"}, {"word", "=?UTF-8?Q?gr=C3=BCn?="}}
	if err != nil || len(got) != len(want) {
		t.Fatalf("got %v, %v, want %v", got, err, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got[i], want[i])
		}
	}
	out := make(http.Header)
	SetUserMetadata(out, got)
	for name, want := range map[string]string{
		"x-amz-meta-colour": "blue", "x-amz-meta-utf8": "=?UTF-8?b?Z3LDvG4=?=", "x-amz-meta-word": "=?UTF-8?Q?gr=C3=BCn?=",
	} {
		if got := strings.Join(out[name], "|"); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestUserMetadataLimit(t *testing.T) {
	for size, want := range map[int]Code{MaxUserMetadata: "", MaxUserMetadata + 1: MetadataTooLarge} {
		h := make(http.Header)
		h.Set("x-amz-meta-ab", strings.Repeat("v", size-2))
		if _, err := ParseUserMetadata(h); codeOf(err) != want {
			t.Errorf("%d bytes: %v, want %v", size, err, want)
		}
	}
	if _, err := ParseUserMetadata(http.Header{"X-Amz-Meta-A": {"a\r\nb: c"}}); codeOf(err) != InvalidArgument {
		t.Errorf("a value with a line end: %v", err)
	}
}
