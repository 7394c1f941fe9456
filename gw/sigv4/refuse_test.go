package sigv4

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// docGet is a request that verifies at docTime, before a test breaks it.
func docGet() *http.Request {
	r := request("GET", "/test.txt", docHost)
	Sign(r, Credentials{AccessKey: docKey, SecretKey: docSecret}, "us-east-1", docTime, EmptyPayload)
	return r
}

// edit returns a change of a request's Authorization header.
func edit(old, new string) func(*http.Request) {
	return func(r *http.Request) {
		auth := r.Header.Get("Authorization")
		if !strings.Contains(auth, old) {
			panic("the header does not contain " + old)
		}
		r.Header.Set("Authorization", strings.Replace(auth, old, new, 1))
	}
}

func set(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

var docGetSignature = strings.Split(docGet().Header.Get("Authorization"), "Signature=")[1]

func TestHeaderRefusals(t *testing.T) {
	cases := []struct {
		name    string
		change  func(*http.Request)
		code    string
		message string // what the message contains
	}{
		{"wrong signature", edit(docGetSignature, strings.Repeat("0", 64)), CodeSignatureDoesNotMatch, "does not match"},
		{"short signature", edit(docGetSignature, "00"), CodeSignatureDoesNotMatch, ""},
		{"upper-case signature", edit(docGetSignature, strings.ToUpper(docGetSignature)), CodeSignatureDoesNotMatch, ""},
		{"no such key", edit(docKey, "AKIANOBODY"), CodeInvalidAccessKeyID, "does not exist"},
		{"nothing in it", set("Authorization", "AWS4-HMAC-SHA256 "), CodeHeaderMalformed, "requires three components"},
		{"no credential", edit("Credential="+docKey+"/"+docScope+", ", ""), CodeHeaderMalformed, "missing Credential."},
		{"no signed headers", edit("SignedHeaders=host;x-amz-content-sha256;x-amz-date, ", ""), CodeHeaderMalformed, "missing SignedHeaders."},
		{"no signature", edit(", Signature="+docGetSignature, ""), CodeHeaderMalformed, "missing Signature."},
		{"component without value", edit("Signature="+docGetSignature, "Signature"), CodeHeaderMalformed, `component "Signature" is malformed`},
		{"unknown component", edit("Signature=", "Nonsense=1, Signature="), CodeHeaderMalformed, `component "Nonsense=1" is malformed`},
		{"component twice", edit("Signature=", "Signature=1, Signature="), CodeHeaderMalformed, "is malformed"},
		{"empty header name", edit("host;", "host;;"), CodeHeaderMalformed, "SignedHeaders"},
		{"too many header names", edit("host;", strings.Repeat("a;", maxSignedHeaders)), CodeHeaderMalformed, "SignedHeaders"},
		{"too long", edit("host;", strings.Repeat("a", maxAuthorization)), CodeHeaderMalformed, "too long"},
		{"short credential", edit(docKey+"/"+docScope, docKey+"/20130524/s3/aws4_request"), CodeHeaderMalformed, "the Credential is mal-formed; expecting"},
		{"empty access key", edit(docKey+"/", "/"), CodeHeaderMalformed, "the Credential is mal-formed"},
		{"bad scope date", edit("20130524/us", "2013052/us"), CodeHeaderMalformed, `incorrect date format "2013052"`},
		{"no such key of another day", edit(docKey+"/20130524/us", "AKIANOBODY/20150930/us"), CodeInvalidAccessKeyID, "does not exist"},
		{"other scope date", edit("20130524/us", "20130525/us"), CodeHeaderMalformed, `Invalid credential date "20130525"`},
		{"wrong region", edit("us-east-1", "eu-west-1"), CodeHeaderMalformed, "the region 'eu-west-1' is wrong; expecting 'us-east-1'"},
		{"wrong service", edit("/s3/", "/ec2/"), CodeHeaderMalformed, `incorrect service "ec2". This endpoint belongs to "s3".`},
		{"wrong terminal", edit("aws4_request", "aws3_request"), CodeHeaderMalformed, `incorrect terminal "aws3_request"`},
		{"ecdsa", edit("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), CodeInvalidRequest, "not supported. Please use AWS4-HMAC-SHA256."},
		{"unknown type", set("Authorization", "Bearer x"), CodeInvalidArgument, "Unsupported Authorization Type"},
		{"no date", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, CodeAccessDenied, "valid Date or x-amz-date"},
		{"bad date", set("X-Amz-Date", "yesterday"), CodeAccessDenied, "valid Date or x-amz-date"},
		{"date before the epoch", set("X-Amz-Date", "19500707T215304Z"), CodeAccessDenied, "valid Date or x-amz-date"},
		{"date of long ago", set("X-Amz-Date", "20100707T215304Z"), CodeTimeTooSkewed, "too large"},
		{"no payload hash", func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") }, CodeInvalidRequest, "Missing required header for this request: x-amz-content-sha256"},
		{"bad payload hash", set("X-Amz-Content-Sha256", "abc"), CodeInvalidArgument, "x-amz-content-sha256 must be"},
		{"ecdsa payload", set("X-Amz-Content-Sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"), CodeInvalidRequest, "not supported"},
		{"unsigned header", set("X-Amz-Acl", "public-read"), CodeAccessDenied, "headers present in the request which were not signed"},
		{"unsigned date", edit(";x-amz-date", ""), CodeAccessDenied, "not signed"},
		{"unsigned host", edit("host;", ""), CodeAccessDenied, "not signed"},
		{"other host", func(r *http.Request) { r.Host = "other" }, CodeSignatureDoesNotMatch, ""},
		{"other method", func(r *http.Request) { r.Method = "PUT" }, CodeSignatureDoesNotMatch, ""},
		{"other path", func(r *http.Request) { r.RequestURI = "/test.tx" }, CodeSignatureDoesNotMatch, ""},
		{"other query", func(r *http.Request) { r.RequestURI = "/test.txt?acl" }, CodeSignatureDoesNotMatch, ""},
		{"normalised path", func(r *http.Request) { r.RequestURI = "//test.txt" }, CodeSignatureDoesNotMatch, ""},
		{"bad path escape", func(r *http.Request) { r.RequestURI = "/test%2" }, CodeInvalidURI, "Couldn't parse"},
		{"bad query escape", func(r *http.Request) { r.RequestURI = "/test.txt?a=%zz" }, CodeInvalidURI, "Couldn't parse"},
	}
	for _, c := range cases {
		r := docGet()
		c.change(r)
		res, err := at(docTime).Verify(r)
		if got := codeOf(err); got != c.code || !strings.Contains(err.Error(), c.message) || res != nil {
			t.Errorf("%s: got %v, %v, want code %s with %q", c.name, res, err, c.code, c.message)
		}
	}
}

func TestSkew(t *testing.T) {
	for _, c := range []struct {
		ahead time.Duration // of the server's clock
		code  string
	}{
		{-MaxSkew - time.Second, CodeTimeTooSkewed}, {-MaxSkew, ""}, {0, ""}, {MaxSkew, ""}, {MaxSkew + time.Second, CodeTimeTooSkewed},
	} {
		_, err := at(docTime.Add(c.ahead)).Verify(docGet())
		if got := codeOf(err); got != c.code {
			t.Errorf("server %v ahead: got %v, want %q", c.ahead, err, c.code)
		}
		var e *Error
		if errors.As(err, &e) && (e.Detail("RequestTime") != "20130524T000000Z" || e.Detail("MaxAllowedSkewMilliseconds") != "900000" ||
			e.Detail("ServerTime") == "") {
			t.Errorf("details %v", e.Details)
		}
	}
}

func TestMismatchDetails(t *testing.T) {
	r := docGet()
	edit(docGetSignature, "feed")(r)
	_, err := at(docTime).Verify(r)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	if got := e.Detail("AWSAccessKeyId"); got != docKey {
		t.Errorf("AWSAccessKeyId = %q", got)
	}
	if got := e.Detail("SignatureProvided"); got != "feed" {
		t.Errorf("SignatureProvided = %q", got)
	}
	if got := e.Detail("StringToSign"); !strings.HasPrefix(got, "AWS4-HMAC-SHA256\n20130524T000000Z\n"+docScope+"\n") {
		t.Errorf("StringToSign = %q", got)
	}
	if got := e.Detail("StringToSignBytes"); !strings.HasPrefix(got, "41 57 53 34 2d") {
		t.Errorf("StringToSignBytes = %q", got)
	}
	want := "GET\n/test.txt\n\nhost:" + docHost + "\nx-amz-content-sha256:" + EmptyPayload +
		"\nx-amz-date:20130524T000000Z\n\nhost;x-amz-content-sha256;x-amz-date\n" + EmptyPayload
	if got := e.Detail("CanonicalRequest"); got != want {
		t.Errorf("CanonicalRequest = %q, want %q", got, want)
	}
	if got := e.Detail("CanonicalRequestBytes"); !strings.HasPrefix(got, "47 45 54 0a 2f") {
		t.Errorf("CanonicalRequestBytes = %q", got)
	}
	edit("us-east-1", "eu-west-1")(r)
	if _, err = at(docTime).Verify(r); !errors.As(err, &e) || e.Detail("Region") != "us-east-1" {
		t.Errorf("region not told: %v", err)
	}
}

func TestHeadersNotSignedAreNamed(t *testing.T) {
	r := docGet()
	r.Header.Set("X-Amz-Meta-B", "1")
	r.Header.Set("X-Amz-Meta-A", "1")
	r.Header.Set("X-Amzn-Trace-Id", "proxies add it")
	_, err := at(docTime).Verify(r)
	var e *Error
	if !errors.As(err, &e) || e.Detail("HeadersNotSigned") != "x-amz-meta-a, x-amz-meta-b" {
		t.Errorf("got %v", err)
	}
}

// The content hash may stay out of SignedHeaders: it is signed anyway.
func TestContentHashNeedNotBeSigned(t *testing.T) {
	r := request("GET", "/", docHost, "X-Amz-Date", "20130524T000000Z", "X-Amz-Content-Sha256", UnsignedPayload)
	s := NewSigner(Credentials{AccessKey: docKey, SecretKey: docSecret}, "us-east-1")
	out := s.signature(r, []string{"host", "x-amz-date"}, UnsignedPayload, "20130524T000000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+docKey+"/"+docScope+" SignedHeaders=host;x-amz-date Signature="+out.signature)
	if _, err := at(docTime).Verify(r); err != nil {
		t.Error(err)
	}
}

func TestAuthorizationOrderAndSpacing(t *testing.T) {
	cred, signed, sig := "Credential="+docKey+"/"+docScope, "SignedHeaders=host;x-amz-content-sha256;x-amz-date", "Signature="+docGetSignature
	for _, rest := range []string{
		cred + "," + signed + "," + sig, sig + ", " + cred + ",  " + signed,
		"  " + signed + " ,\t" + sig + "," + cred + ", ", cred + " " + signed + " " + sig,
		cred + ",SignedHeaders=X-Amz-Date;Host;X-Amz-Content-Sha256;host," + sig,
	} {
		r := docGet()
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 "+rest)
		if _, err := at(docTime).Verify(r); err != nil {
			t.Errorf("%q: %v", rest, err)
		}
	}
}

func TestQueryRefusals(t *testing.T) {
	replace := func(old, new string) string {
		if !strings.Contains(presignedVector, old) {
			panic("the URL does not contain " + old)
		}
		return strings.Replace(presignedVector, old, new, 1)
	}
	cases := []struct {
		name, target  string
		ahead         time.Duration
		code, message string
	}{
		{"wrong signature", replace("=aeeed9", "=aeeed8"), 0, CodeSignatureDoesNotMatch, ""},
		{"no such key", replace("AKIAIOSFODNN7EXAMPLE", "AKIANOBODY"), 0, CodeInvalidAccessKeyID, ""},
		{"no algorithm", replace("X-Amz-Algorithm=AWS4-HMAC-SHA256&", ""), 0, CodeQueryParameters, "requires the X-Amz-Algorithm"},
		{"no expires", replace("&X-Amz-Expires=86400", ""), 0, CodeQueryParameters, "requires the X-Amz-Algorithm"},
		{"other algorithm", replace("SHA256", "MD5"), 0, CodeQueryParameters, "X-Amz-Algorithm only supports"},
		{"ecdsa", replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), 0, CodeInvalidRequest, "not supported"},
		{"credential", replace("%2Faws4_request", ""), 0, CodeQueryParameters, "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed"},
		{"region", replace("us-east-1", "eu-west-1"), 0, CodeQueryParameters, "the region 'eu-west-1' is wrong"},
		{"service", replace("%2Fs3%2F", "%2Fec2%2F"), 0, CodeQueryParameters, `incorrect service "ec2"`},
		{"scope date", replace("20130524%2F", "20130523%2F"), 0, CodeQueryParameters, `Invalid credential date "20130523"`},
		{"date", replace("20130524T000000Z", "20130524"), 0, CodeQueryParameters, "ISO8601 Long Format"},
		{"date with fraction", replace("20130524T000000Z", "20130524T000000.5Z"), 0, CodeQueryParameters, "ISO8601 Long Format"},
		{"expires no number", replace("=86400", "=1h"), 0, CodeQueryParameters, "should be a number"},
		{"expires negative", replace("=86400", "=-1"), 0, CodeQueryParameters, "must be non-negative"},
		{"expires too far", replace("=86400", "=604801"), 0, CodeQueryParameters, "must be less than a week"},
		{"expires huge", replace("=86400", "=99999999999999999999"), 0, CodeQueryParameters, "should be a number"},
		{"expires at once", replace("=86400", "=0"), 0, CodeAccessDenied, "Request has expired"},
		{"expired", presignedVector, 24*time.Hour + time.Second, CodeAccessDenied, "Request has expired"},
		{"not yet", presignedVector, -MaxSkew - time.Second, CodeAccessDenied, "Request is not valid yet"},
		{"signed headers", replace("SignedHeaders=host", "SignedHeaders=host%3B"), 0, CodeQueryParameters, "X-Amz-SignedHeaders"},
		{"twice", presignedVector + "&X-Amz-Date=20130524T000000Z", 0, CodeQueryParameters, "only once"},
		{"bad escape", replace("us-east-1", "%u"), 0, CodeInvalidURI, ""},
		{"more in the query", presignedVector + "&acl", 0, CodeSignatureDoesNotMatch, ""},
	}
	for _, c := range cases {
		r := request("GET", "/", docHost)
		r.RequestURI = c.target
		_, err := at(docTime.Add(c.ahead)).Verify(r)
		if got := codeOf(err); got != c.code || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %v, want code %s with %q", c.name, err, c.code, c.message)
		}
	}
	r := request("GET", presignedVector, docHost, "X-Amz-Acl", "private")
	if _, err := at(docTime).Verify(r); codeOf(err) != CodeAccessDenied {
		t.Errorf("unsigned header with a presigned URL: %v", err)
	}
	if _, err := at(docTime.Add(-MaxSkew)).Verify(request("GET", presignedVector, docHost)); err != nil {
		t.Errorf("signed by a clock that is ahead: %v", err)
	}
}

func TestSchemeOf(t *testing.T) {
	cases := []struct {
		target, auth string
		want         Scheme
		code         string
	}{
		{"/", "", Anonymous, ""},
		{"/?signature=1&Signature=2", "", Anonymous, ""},
		{"/", "AWS4-HMAC-SHA256 x", HeaderV4, ""},
		{"/", "AWS key:sig", HeaderV2, ""},
		{"/?a&X-Amz-Signature=x", "", QueryV4, ""},
		{presignedVector, "", QueryV4, ""},
		{"/?AWSAccessKeyId=a&Expires=1&Signature=x", "", QueryV2, ""},
		{"/?AWSAccessKeyId=a&Expires=1", "", QueryV2, ""},
		{presignedVector, "AWS4-HMAC-SHA256 x", Anonymous, CodeInvalidArgument},
		{"/?AWSAccessKeyId=a&Expires=1&Signature=x", "AWS key:sig", Anonymous, CodeInvalidArgument},
		{"/", "Basic eDp5", Anonymous, CodeInvalidArgument},
		{"/", "AWS4-ECDSA-P256-SHA256 x", Anonymous, CodeInvalidRequest},
	}
	for _, c := range cases {
		r := request("GET", c.target, docHost)
		if c.auth != "" {
			r.Header.Set("Authorization", c.auth)
		}
		if got, err := SchemeOf(r); got != c.want || codeOf(err) != c.code {
			t.Errorf("%s with %q: got %v, %v, want %v, %q", c.target, c.auth, got, err, c.want, c.code)
		}
	}
}

func TestFailingLookupIsNoRefusal(t *testing.T) {
	cause := errors.New("the store is away")
	v := New(Config{Now: func() time.Time { return docTime }, Secrets: func(context.Context, string) (string, bool, error) {
		return "", false, cause
	}})
	_, err := v.Verify(docGet())
	var e *Error
	if !errors.Is(err, cause) || errors.As(err, &e) {
		t.Errorf("got %v, want the cause and no refusal", err)
	}
}

// The cached key of a secret must not outlive it.
func TestRotatedSecret(t *testing.T) {
	secret := docSecret
	v := New(Config{Now: func() time.Time { return docTime }, Secrets: func(context.Context, string) (string, bool, error) {
		return secret, true, nil
	}})
	for range 2 {
		if _, err := v.Verify(docGet()); err != nil {
			t.Fatal(err)
		}
	}
	secret = "rotated"
	if _, err := v.Verify(docGet()); codeOf(err) != CodeSignatureDoesNotMatch {
		t.Errorf("old signature with a new secret: %v", err)
	}
	secret = docSecret
	if _, err := v.Verify(docGet()); err != nil {
		t.Errorf("after rotating back: %v", err)
	}
}

func TestKeyCacheIsBounded(t *testing.T) {
	var c keyCache
	for i := range 3 * maxSigningKeys {
		c.get("secret", "s3", &credential{accessKey: time.Duration(i).String(), date: "20130524", region: "r"})
		if i%97 == 0 && len(c.young)+len(c.old) > maxSigningKeys {
			t.Fatalf("%d keys cached, bound is %d", len(c.young)+len(c.old), maxSigningKeys)
		}
	}
}
