package sigv2

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/signer"

	"holdfast/gw/checksum"
	"holdfast/gw/sigv4"
)

// The credentials of the examples in the S3 documentation.
const (
	docKey    = "AKIAIOSFODNN7EXAMPLE"
	docSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

func at(t time.Time) *Verifier {
	return New(Config{
		Secrets: func(_ context.Context, key string) (string, bool, error) { return docSecret, key == docKey, nil },
		Now:     func() time.Time { return t },
	})
}

func request(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func codeOf(err error) string {
	var e *sigv4.Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return "other: " + err.Error()
	}
	return ""
}

// The examples of
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
var vectors = []struct {
	name, method, target, bucket, date string
	headers                            []string
	signature                          string
}{
	{"object get", "GET", "/photos/puppy.jpg", "johnsmith", "Tue, 27 Mar 2007 19:36:42 +0000", nil, "bWq2s1WEIj+Ydj0vQ697zp+IXMU="},
	{"object put", "PUT", "/photos/puppy.jpg", "johnsmith", "Tue, 27 Mar 2007 21:15:45 +0000",
		[]string{"Content-Type", "image/jpeg", "Content-Length", "94328"}, "MyyxeRY7whkBe+bq8fHCL/2kKUg="},
	{"list", "GET", "/?prefix=photos&max-keys=50&marker=puppy", "johnsmith", "Tue, 27 Mar 2007 19:42:41 +0000", nil, "htDYFYduRNen8P9ZfE/s9SuKy0U="},
	{"fetch", "GET", "/?acl", "johnsmith", "Tue, 27 Mar 2007 19:44:46 +0000", nil, "c2WLPFtWHVgbEmeEG93a4cG37dM="},
	{"delete", "DELETE", "/johnsmith/photos/puppy.jpg", "", "Tue, 27 Mar 2007 21:20:26 +0000", nil, "lx3byBScXR6KzyMaifNkardMwNk="},
	{"upload", "PUT", "/db-backup.dat.gz", "static.johnsmith.net", "Tue, 27 Mar 2007 21:06:08 +0000", []string{
		"x-amz-acl", "public-read", "content-type", "application/x-download", "Content-MD5", "4gJE4saaMU4BqNR0kLY+lw==",
		"X-Amz-Meta-ReviewedBy", "joe@johnsmith.net", "X-Amz-Meta-ReviewedBy", "jane@johnsmith.net",
		"X-Amz-Meta-FileChecksum", "0x02661779", "X-Amz-Meta-ChecksumAlgorithm", "crc32"}, "ilyl83RwaSoYIEdixDQcA4OnAnc="},
	{"list all my buckets", "GET", "/", "", "Wed, 28 Mar 2007 01:29:59 +0000", nil, "qGdzdERIC03wnaRNKh6OqZehG9s="},
	{"unicode keys", "GET", "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re", "", "Wed, 28 Mar 2007 01:49:49 +0000", nil, "DNEZGsoieTZ92F3bUfSPQcbGmlM="},
}

func TestHeaderVectors(t *testing.T) {
	for _, v := range vectors {
		r := request(v.method, v.target, v.headers...)
		r.Header.Set("Date", v.date)
		r.Header.Set("Authorization", "AWS "+docKey+":"+v.signature)
		when, err := sigv4.ParseTime(v.date)
		if err != nil {
			t.Fatal(err)
		}
		res, err := at(when).Verify(r, v.bucket)
		if err != nil {
			t.Errorf("%s: %v", v.name, err)
			continue
		}
		if res.AccessKey != docKey || res.Scheme != sigv4.HeaderV2 || !res.SignedAt.Equal(when) || res.Payload != sigv4.PayloadUnsigned {
			t.Errorf("%s: result %+v", v.name, res)
		}
	}
}

const presigned = "/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1175139620&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"

func TestPresignedVector(t *testing.T) {
	expires := time.Unix(1175139620, 0)
	for _, target := range []string{presigned, strings.Replace(presigned, "%2B", "+", 1)} {
		res, err := at(expires).Verify(request("GET", target), "johnsmith")
		if err != nil || res.Scheme != sigv4.QueryV2 || !res.Expires.Equal(expires) {
			t.Errorf("%s: %+v, %v", target, res, err)
		}
	}
	r, _ := http.NewRequest("GET", "http://h/photos/puppy.jpg", nil)
	Presign(r, sigv4.Credentials{AccessKey: docKey, SecretKey: docSecret}, "johnsmith", expires)
	if got := r.URL.RequestURI(); got != presigned {
		t.Errorf("Presign: got %s, want %s", got, presigned)
	}
}

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func signedGet() *http.Request {
	r := request("GET", "/b/k?uploadId=a%2Fb&partNumber=2&x=y")
	Sign(r, sigv4.Credentials{AccessKey: docKey, SecretKey: docSecret}, "", now)
	return r
}

func TestRefusals(t *testing.T) {
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	target := func(s string) func(*http.Request) { return func(r *http.Request) { r.RequestURI = s } }
	cases := []struct {
		name          string
		change        func(*http.Request)
		code, message string
	}{
		{"nothing", func(*http.Request) {}, "", ""},
		{"unsigned parameter", target("/b/k?uploadId=a%2Fb&partNumber=2&x=z"), "", ""},
		{"other order", target("/b/k?partNumber=2&uploadId=a/b"), "", ""},
		{"other parameter", target("/b/k?uploadId=a%2Fb&partNumber=3"), sigv4.CodeSignatureDoesNotMatch, ""},
		{"more parameters", target("/b/k?uploadId=a%2Fb&partNumber=2&acl"), sigv4.CodeSignatureDoesNotMatch, ""},
		{"other path", target("/b/l?uploadId=a%2Fb&partNumber=2"), sigv4.CodeSignatureDoesNotMatch, ""},
		{"other method", func(r *http.Request) { r.Method = "PUT" }, sigv4.CodeSignatureDoesNotMatch, ""},
		{"other type", set("Content-Type", "text/html"), sigv4.CodeSignatureDoesNotMatch, ""},
		{"other amz header", set("X-Amz-Acl", "public-read"), sigv4.CodeSignatureDoesNotMatch, ""},
		{"other date", set("Date", now.Add(time.Second).Format(http.TimeFormat)), sigv4.CodeSignatureDoesNotMatch, ""},
		{"amz date", set("X-Amz-Date", now.Format(http.TimeFormat)), sigv4.CodeSignatureDoesNotMatch, ""},
		{"skewed", set("Date", now.Add(-sigv4.MaxSkew-time.Second).Format(http.TimeFormat)), sigv4.CodeTimeTooSkewed, "too large"},
		{"skewed amz date", set("X-Amz-Date", now.Add(time.Hour).Format(http.TimeFormat)), sigv4.CodeTimeTooSkewed, "too large"},
		{"no date", func(r *http.Request) { r.Header.Del("Date") }, sigv4.CodeAccessDenied, "valid Date or x-amz-date"},
		{"bad date", set("Date", "now"), sigv4.CodeAccessDenied, "valid Date or x-amz-date"},
		{"date before the epoch", set("Date", "Fri, 07 Jul 1950 21:53:04 GMT"), sigv4.CodeAccessDenied, "valid Date or x-amz-date"},
		{"empty amz date", set("X-Amz-Date", ""), sigv4.CodeAccessDenied, "valid Date or x-amz-date"},
		{"no such key", set("Authorization", "AWS nobody:c2ln"), sigv4.CodeInvalidAccessKeyID, ""},
		{"no signature", set("Authorization", "AWS "+docKey+":"), sigv4.CodeInvalidArgument, "Expected AwsAccessKeyId:signature"},
		{"no key", set("Authorization", "AWS :x"), sigv4.CodeInvalidArgument, "Expected AwsAccessKeyId:signature"},
		{"no colon", set("Authorization", "AWS x"), sigv4.CodeInvalidArgument, "Expected AwsAccessKeyId:signature"},
		{"other scheme", set("Authorization", "AWS4 a:b"), sigv4.CodeInvalidArgument, "Expected AwsAccessKeyId:signature"},
	}
	for _, c := range cases {
		r := signedGet()
		c.change(r)
		_, err := at(now).Verify(r, "")
		if got := codeOf(err); got != c.code || err != nil && !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %v, want %q with %q", c.name, err, c.code, c.message)
		}
	}
	if _, err := at(now).Verify(signedGet(), "b"); codeOf(err) != sigv4.CodeSignatureDoesNotMatch {
		t.Errorf("bucket in the host too: %v", err)
	}
}

// botocore sends /bucket and signs /bucket/.
func TestBucketWithoutSlash(t *testing.T) {
	creds := sigv4.Credentials{AccessKey: docKey, SecretKey: docSecret}
	for _, c := range []struct{ signed, sent, code string }{
		{"/b/?acl", "/b?acl", ""}, {"/b?acl", "/b?acl", ""}, {"/b?acl", "/b/?acl", sigv4.CodeSignatureDoesNotMatch},
		{"/b/k/", "/b/k", sigv4.CodeSignatureDoesNotMatch}, {"//", "/", sigv4.CodeSignatureDoesNotMatch},
	} {
		r := request("PUT", c.signed)
		Sign(r, creds, "", now)
		r.RequestURI = c.sent
		if _, err := at(now).Verify(r, ""); codeOf(err) != c.code {
			t.Errorf("signed %s, sent %s: got %v, want %q", c.signed, c.sent, err, c.code)
		}
	}
}

func TestQueryRefusals(t *testing.T) {
	expires := time.Unix(1175139620, 0)
	for _, c := range []struct {
		name, target  string
		now           time.Time
		code, message string
	}{
		{"expired", presigned, expires.Add(time.Second), sigv4.CodeAccessDenied, "Request has expired"},
		{"later expiry", strings.Replace(presigned, "1175139620", "1175139621", 1), expires, sigv4.CodeSignatureDoesNotMatch, ""},
		{"no number", strings.Replace(presigned, "1175139620", "soon", 1), expires, sigv4.CodeAccessDenied, "seconds since epoch"},
		{"no key", strings.Replace(presigned, docKey, "", 1), expires, sigv4.CodeAccessDenied, "requires the Signature"},
		{"bad escape", presigned + "&a=%zz", expires, sigv4.CodeInvalidURI, ""},
		{"more", presigned + "&acl", expires, sigv4.CodeSignatureDoesNotMatch, ""},
		{"amz parameter", presigned + "&x-amz-acl=public-read", expires, sigv4.CodeSignatureDoesNotMatch, ""},
	} {
		_, err := at(c.now).Verify(request("GET", c.target), "johnsmith")
		if got := codeOf(err); got != c.code || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %v, want %q with %q", c.name, err, c.code, c.message)
		}
	}
}

// Headers may be presigned into the query, as botocore does.
func TestHeadersInTheQuery(t *testing.T) {
	expires := now.Add(time.Hour)
	signedRequest, _ := http.NewRequest("PUT", "http://h/b/k", nil)
	signedRequest.Header.Set("X-Amz-Acl", "private")
	signedRequest.Header.Set("Content-Type", "text/plain")
	Presign(signedRequest, sigv4.Credentials{AccessKey: docKey, SecretKey: docSecret}, "", expires)
	r := request("PUT", signedRequest.URL.RequestURI()+"&x-amz-acl=private&content-type=text%2Fplain")
	if _, err := at(now).Verify(r, ""); err != nil {
		t.Error(err)
	}
	for range 20 { // maps iterate in random order
		r = request("PUT", signedRequest.URL.RequestURI()+"&X-Amz-Acl=public-read&x-amz-acl=private&content-type=text%2Fplain")
		if _, err := at(now).Verify(r, ""); codeOf(err) != sigv4.CodeSignatureDoesNotMatch {
			t.Fatalf("a second spelling of a signed parameter: %v", err)
		}
	}
}

func TestMismatchDetails(t *testing.T) {
	r := signedGet()
	r.Header.Set("Authorization", "AWS "+docKey+":eA==")
	_, err := at(now).Verify(r, "")
	var e *sigv4.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want := "GET\n\n\nFri, 02 Jan 2026 03:04:05 GMT\n/b/k?partNumber=2&uploadId=a/b"
	if got := e.Detail("StringToSign"); got != want {
		t.Errorf("StringToSign = %q, want %q", got, want)
	}
	if e.Detail("SignatureProvided") != "eA==" || e.Detail("AWSAccessKeyId") != docKey || !strings.HasPrefix(e.Detail("StringToSignBytes"), "47 45 54 0a") {
		t.Errorf("details %v", e.Details)
	}
}

func TestFailingLookupIsNoRefusal(t *testing.T) {
	cause := errors.New("the store is away")
	v := New(Config{Now: func() time.Time { return now }, Secrets: func(context.Context, string) (string, bool, error) { return "", false, cause }})
	if _, err := v.Verify(signedGet(), ""); !errors.Is(err, cause) || !strings.HasPrefix(codeOf(err), "other") {
		t.Errorf("got %v, want the cause and no refusal", err)
	}
}

func TestSubresourcesAreSorted(t *testing.T) {
	if !slices.IsSorted(subresources) {
		t.Error("binary search needs them sorted")
	}
}

// Requests that another implementation signs verify.
func TestMinioSigner(t *testing.T) {
	for _, target := range []string{
		"/bucket/", "/bucket/key", "/bucket/a%20b/%C3%A4", "/bucket/key?uploads=", "/bucket/key?partNumber=7&uploadId=Y%2BZ",
		"/bucket/key?response-content-type=text%2Fplain&versionId=1", "/bucket/?prefix=a&delimiter=%2F&location=",
	} {
		c, _ := http.NewRequest("PUT", "http://127.0.0.1:9000"+target, nil)
		c.Header.Set("X-Amz-Meta-B", "two")
		c.Header.Set("X-Amz-Meta-A", "one")
		c.Header.Set("Content-Type", "text/plain")
		signedRequest := signer.SignV2(*c, docKey, docSecret, false)
		r := request("PUT", signedRequest.URL.RequestURI())
		r.Header = signedRequest.Header
		if _, err := at(time.Now()).Verify(r, ""); err != nil {
			t.Errorf("header, %s: %v", target, err)
		}
		c, _ = http.NewRequest("GET", "http://127.0.0.1:9000"+target, nil)
		r = request("GET", signer.PreSignV2(*c, docKey, docSecret, 600, false).URL.RequestURI())
		if _, err := at(time.Now()).Verify(r, ""); err != nil {
			t.Errorf("presigned, %s: %v", target, err)
		}
	}
	c, _ := http.NewRequest("GET", "http://bucket.example.com/key", nil)
	r := request("GET", "/key")
	r.Header = signer.SignV2(*c, docKey, docSecret, true).Header
	if _, err := at(time.Now()).Verify(r, "bucket"); err != nil {
		t.Errorf("virtual host: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(signedGet().Header.Get("Authorization"), "/b/k?uploadId=a%2Fb&partNumber=2", now.Format(http.TimeFormat))
	f.Add("", presigned, "")
	f.Add("AWS :", "/?Signature=&Expires=-9223372036854775808&AWSAccessKeyId=%", "x")
	f.Fuzz(func(t *testing.T, auth, target, date string) {
		r := request("GET", "/")
		r.RequestURI = target
		r.Header["Authorization"] = []string{auth}
		r.Header["Date"] = []string{date}
		res, err := at(now).Verify(r, "")
		if code := codeOf(err); strings.HasPrefix(code, "other") {
			t.Fatal(err)
		}
		if path, _ := sigv4.Target(r); err == nil && path != "/b/k" {
			t.Fatalf("accepted %q for %s: %+v", auth, target, res)
		}
	})
}

func BenchmarkVerifyHeader(b *testing.B) {
	v, r := at(now), signedGet()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r, ""); err != nil {
			b.Fatal(err)
		}
	}
}

// TestManagementResource holds what is signed of a request to the management API: its resource, wherever it stands, and nothing else.
func TestManagementResource(t *testing.T) {
	for _, tt := range []struct{ target, bucket, want string }{
		{"/?ostor-users", "", "/?ostor-users"},
		{"/?ostor-users&emailAddress=a@b&disable", "", "/?ostor-users"},
		{"/?emailAddress=a@b&ostor-users=", "", "/?ostor-users"},
		{"/?ostor-limits&ostor-users&acl", "", "/?ostor-limits"},
		{"/?acl&emailAddress=a@b", "", "/?acl"},
		{"/bucket?ostor-users", "", "/bucket"},
		{"/?ostor-users", "bucket", "/bucket/"},
	} {
		got := stringToSign(request("GET", tt.target), tt.bucket, strings.SplitN(tt.target, "?", 2)[0], "D", nil)
		if want := "GET\n\n\nD\n" + tt.want; got != want {
			t.Errorf("%s: got %q, want %q", tt.target, got, want)
		}
	}
	// As public clients of the API sign: with a date whose zone is a number.
	now := time.Date(2026, 3, 24, 14, 37, 10, 0, time.FixedZone("", 2*3600))
	r := request("POST", "/?ostor-users&emailAddress=user@example.com&genKey")
	r.Header.Set("Date", now.Format(time.RFC1123Z))
	r.Header.Set("Authorization", "AWS "+docKey+":"+signature(docSecret, "POST\n\n\n"+now.Format(time.RFC1123Z)+"\n/?ostor-users"))
	if _, err := at(now).Verify(r, ""); err != nil {
		t.Errorf("got %v", err)
	}
}

// The signature says nothing of the body, but a hash that comes with it is not for nothing.
func TestDeclaredHash(t *testing.T) {
	const date = "Tue, 27 Mar 2007 21:15:45 +0000"
	const ofHello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	now, _ := http.ParseTime("Tue, 27 Mar 2007 21:15:45 GMT")
	for _, c := range []struct{ declared, body, code string }{
		{"", "hello", ""}, {sigv4.UnsignedPayload, "hello", ""}, {ofHello, "hello", ""}, {strings.ToUpper(ofHello), "hello", ""},
		{ofHello, "hellO", sigv4.CodeContentSHA256Mismatch}, {"junk", "hello", sigv4.CodeContentSHA256Mismatch},
		{sigv4.StreamingUnsigned, "5\r\nhello\r\n0\r\n\r\n", sigv4.CodeContentSHA256Mismatch},
	} {
		r := httptest.NewRequest("PUT", "/b/k", strings.NewReader(c.body))
		r.Header.Set("Date", date)
		if c.declared != "" {
			r.Header.Set("X-Amz-Content-Sha256", c.declared)
		}
		r.Header.Set("Authorization", "AWS "+docKey+":"+signature(docSecret, stringToSign(r, "", "/b/k", date, nil)))
		res, err := at(now).Verify(r, "")
		if err != nil {
			t.Fatal(err)
		}
		body, err := res.Body(r, checksum.Declared{})
		if err == nil {
			_, err = io.ReadAll(body)
		}
		if codeOf(err) != c.code {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}
