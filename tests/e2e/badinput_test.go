package e2e

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// badRequest is a signed request that must be refused.
type badRequest struct {
	name    string
	method  string
	target  string // path and query
	headers map[string]string
	body    string
	at      time.Time // signing time; zero: now
	status  int
	code    string
}

func badRequests() []badRequest {
	key := "/bad/key"
	complete := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"
	return []badRequest{
		{name: "skewed clock", method: "PUT", target: key, at: time.Now().Add(-time.Hour), status: 403, code: "RequestTimeTooSkewed"},
		{name: "wrong Content-MD5", method: "PUT", target: key, body: "x", headers: map[string]string{"Content-Md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, status: 400, code: "BadDigest"},
		{name: "Content-MD5 that is none", method: "PUT", target: key, body: "x", headers: map[string]string{"Content-Md5": "eA=="}, status: 400, code: "InvalidDigest"},
		{name: "wrong checksum", method: "PUT", target: key, body: "x", headers: map[string]string{"X-Amz-Checksum-Crc32": "AAAAAA=="}, status: 400, code: "BadDigest"},
		{name: "malformed delete XML", method: "POST", target: "/bad?delete=", body: "<Delete><Object>", headers: map[string]string{"Content-Md5": ""}, status: 400, code: "MalformedXML"},
		{name: "entities in XML", method: "POST", target: key + "?uploadId=" + strings.Repeat("0", 32), body: `<!DOCTYPE x [<!ENTITY a "b">]>` + complete, status: 400, code: "MalformedXML"},
		{name: "unknown upload", method: "POST", target: key + "?uploadId=0123", body: complete, status: 404, code: "NoSuchUpload"},
		{name: "part number 0", method: "PUT", target: key + "?partNumber=0&uploadId=0123", body: "x", status: 400, code: "InvalidArgument"},
		{name: "part number 10001", method: "PUT", target: key + "?partNumber=10001&uploadId=0123", body: "x", status: 400, code: "InvalidArgument"},
		{name: "part number that is none", method: "PUT", target: key + "?partNumber=one&uploadId=0123", body: "x", status: 400, code: "InvalidArgument"},
		{name: "max-keys that is none", method: "GET", target: "/bad?max-keys=many", status: 400, code: "InvalidArgument"},
		{name: "encoding-type that is none", method: "GET", target: "/bad?encoding-type=base64", status: 400, code: "InvalidArgument"},
		{name: "bucket name", method: "PUT", target: "/Bad_Bucket!", status: 400, code: "InvalidBucketName"},
		{name: "long key", method: "PUT", target: "/bad/" + strings.Repeat("k", 1025), status: 400, code: "KeyTooLongError"},
		{name: "much metadata", method: "PUT", target: key, headers: map[string]string{"X-Amz-Meta-A": strings.Repeat("m", 2100)}, status: 400, code: "MetadataTooLarge"},
		{name: "conditional write that S3 lacks", method: "PUT", target: key, headers: map[string]string{"If-None-Match": `"abc"`}, status: 501, code: "NotImplemented"},
		{name: "copy of nothing", method: "PUT", target: key, headers: map[string]string{"X-Amz-Copy-Source": "/bad/absent"}, status: 404, code: "NoSuchKey"},
		{name: "copy source that is none", method: "PUT", target: key, headers: map[string]string{"X-Amz-Copy-Source": "nothing"}, status: 400, code: "InvalidArgument"},
		{name: "operation that is not built", method: "PUT", target: "/bad?metrics&id=all", body: "x", status: 501, code: "NotImplemented"},
		{name: "method that S3 lacks", method: "PATCH", target: key, status: 405, code: "MethodNotAllowed"},
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	s := newServer(t)
	ctx := context.Background()
	if _, err := s.sdk().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("bad")}); err != nil {
		t.Fatal(err)
	}
	for _, b := range badRequests() {
		t.Run(b.name, func(t *testing.T) {
			resp, err := http.DefaultClient.Do(s.sign(t, b))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var e struct{ Code, Message, RequestId string }
			data, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if err := xml.Unmarshal(data, &e); err != nil {
				t.Fatalf("status %d, body %q: %v", resp.StatusCode, data, err)
			}
			if resp.StatusCode != b.status || e.Code != b.code {
				t.Errorf("got %d %s (%s), want %d %s", resp.StatusCode, e.Code, e.Message, b.status, b.code)
			}
			if e.RequestId == "" || resp.Header.Get("X-Amz-Request-Id") != e.RequestId {
				t.Errorf("request id: %q in the body, %q in the header", e.RequestId, resp.Header.Get("X-Amz-Request-Id"))
			}
		})
	}
	if n := s.countKeys(t, "bad"); n != 0 {
		t.Errorf("refused requests left %d keys", n)
	}
}

// sign makes a signed request of b.
func (s *server) sign(t *testing.T, b badRequest) *http.Request {
	t.Helper()
	req, err := http.NewRequest(b.method, s.endpoint()+b.target, strings.NewReader(b.body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range b.headers {
		if v != "" {
			req.Header.Set(k, v)
		}
	}
	sum := sha256.Sum256([]byte(b.body))
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash)
	at := b.at
	if at.IsZero() {
		at = time.Now()
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(context.Background(), aws.Credentials{AccessKeyID: s.access, SecretAccessKey: s.secret}, req, hash, "s3", "us-east-1", at); err != nil {
		t.Fatal(err)
	}
	return req
}

func (s *server) countKeys(t *testing.T, bucket string) int {
	t.Helper()
	out, err := s.sdk().ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Contents)
}

// TestBrokenConnectionsLeaveNothing sends uploads that end early or lie about themselves, and checks that no key appears and no
// goroutine stays.
func TestBrokenConnectionsLeaveNothing(t *testing.T) {
	s := newServer(t)
	if _, err := s.sdk().CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String("bad")}); err != nil {
		t.Fatal(err)
	}
	before := s.goroutines(t)
	for i := range 20 {
		req := s.sign(t, badRequest{method: "PUT", target: fmt.Sprintf("/bad/cut%d", i), body: strings.Repeat("x", 100_000+i)})
		cut(t, s.s3, req, 50_000) // fewer bytes than Content-Length says
	}
	for i := range 10 {
		req := s.sign(t, badRequest{method: "PUT", target: fmt.Sprintf("/bad/chunk%d", i)})
		raw := fmt.Sprintf("PUT /bad/chunk%d HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nX-Amz-Date: %s\r\nX-Amz-Content-Sha256: %s\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
			i, s.s3, req.Header.Get("Authorization"), req.Header.Get("X-Amz-Date"), req.Header.Get("X-Amz-Content-Sha256"))
		if status := exchange(t, s.s3, raw); status < 400 {
			t.Errorf("malformed chunk: got status %d", status)
		}
	}
	raw := "GET / HTTP/1.1\r\nHost: " + s.s3 + "\r\nX-Big: " + strings.Repeat("h", 2<<20) + "\r\n\r\n"
	if status := exchange(t, s.s3, raw); status != 431 && status != 400 && status != 0 {
		t.Errorf("oversized header: got status %d", status)
	}
	if n := s.countKeys(t, "bad"); n != 0 {
		t.Errorf("broken uploads left %d keys", n)
	}
	eventually(t, 30*time.Second, "the goroutines of broken requests to end", func() error {
		if now := s.goroutines(t); now > before+5 { // idle connections of this test's own client
			return fmt.Errorf("%d goroutines, %d before", now, before)
		}
		return nil
	})
}

// cut sends a request's head and the first n bytes of its body, then closes the connection.
func cut(t *testing.T, address string, req *http.Request, n int) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", req.Method, req.URL.RequestURI(), address, req.ContentLength)
	if err := req.Header.Write(&b); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\r\n" + strings.Repeat("x", n))
	if _, err := io.WriteString(conn, b.String()); err != nil {
		t.Fatal(err)
	}
}

// exchange sends raw bytes and returns the status of the answer, 0 if the connection was closed without one.
func exchange(t *testing.T, address, raw string) int {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, raw) // the server may close before it read all
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

var goroutineTotal = regexp.MustCompile(`goroutine profile: total (\d+)`)

func (s *server) goroutines(t *testing.T) int {
	t.Helper()
	resp, err := http.Get("http://" + s.metrics + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := goroutineTotal.FindSubmatch(data)
	if m == nil {
		t.Fatalf("no goroutine profile: %.100s", data)
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
