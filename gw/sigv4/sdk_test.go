package sigv4_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscreds "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/minio-go/v7"
	miniocreds "github.com/minio/minio-go/v7/pkg/credentials"

	"holdfast/gw/checksum"
	"holdfast/gw/sigv4"
)

const accessKey, secretKey, region = "AKIAEXAMPLE", "secret/with+signs", "eu-test-1"

// seen is what the server understood of a request.
type seen struct {
	payload  sigv4.Payload
	scheme   sigv4.Scheme
	data     string
	checksum checksum.Value
}

// recorder is a server that verifies every request and keeps what it saw.
type recorder struct {
	*httptest.Server
	verifier *sigv4.Verifier
	mu       sync.Mutex
	all      []seen
	failed   error
}

func newRecorder(t *testing.T, tls bool) *recorder {
	rec := &recorder{verifier: sigv4.New(sigv4.Config{
		Regions: []string{region},
		Secrets: func(_ context.Context, key string) (string, bool, error) { return secretKey, key == accessKey, nil },
	})}
	if tls {
		rec.Server = httptest.NewTLSServer(rec)
	} else {
		rec.Server = httptest.NewServer(rec)
	}
	t.Cleanup(rec.Close)
	return rec
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got, err := rec.verify(r)
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if err != nil {
		rec.failed = fmt.Errorf("%s %s: %w", r.Method, r.RequestURI, err)
		w.WriteHeader(http.StatusForbidden)
		return
	}
	rec.all = append(rec.all, got)
	w.Header().Set("ETag", `"0"`)
	w.Header().Set("Last-Modified", time.Unix(0, 0).UTC().Format(http.TimeFormat))
	if r.Method == http.MethodGet && strings.Contains(r.RequestURI, "list-type=2") {
		io.WriteString(w, `<?xml version="1.0"?><ListBucketResult></ListBucketResult>`)
	}
	if r.Method == http.MethodPost {
		io.WriteString(w, `<?xml version="1.0"?><DeleteResult></DeleteResult>`)
	}
}

func (rec *recorder) verify(r *http.Request) (seen, error) {
	scheme, err := sigv4.SchemeOf(r)
	if err != nil {
		return seen{}, err
	}
	res, err := rec.verifier.Verify(r)
	if err != nil {
		return seen{}, err
	}
	want, err := checksum.FromHeader(r.Header)
	if err != nil {
		return seen{}, err
	}
	body, err := res.Body(r, want)
	if err != nil {
		return seen{}, err
	}
	data, err := io.ReadAll(body)
	return seen{res.Payload, scheme, string(data), body.Checksum()}, err
}

// last returns what the server saw since the last call.
func (rec *recorder) last(t *testing.T, what string, err error) seen {
	t.Helper()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.failed != nil {
		t.Fatalf("%s: refused: %v", what, rec.failed)
	}
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if len(rec.all) == 0 {
		t.Fatalf("%s: no request came", what)
	}
	got := rec.all[len(rec.all)-1]
	rec.all = nil
	return got
}

var awkwardKeys = []string{
	"plain", "a/b//c/", "sp ace+plus", "%2F%41", "ünï/码", "!*'()&=$@,:;~", "../..", "q?x=y#z", "\t\x01",
}

func awsClient(rec *recorder) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(rec.URL), Region: region, UsePathStyle: true, HTTPClient: rec.Client(),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		Credentials:                awscreds.NewStaticCredentialsProvider(accessKey, secretKey, ""),
	})
}

func TestAWSSDK(t *testing.T) {
	data := strings.Repeat("0123456789", 20_000)
	ctx, bucket := context.Background(), aws.String("bucket")
	for _, tls := range []bool{false, true} {
		rec := newRecorder(t, tls)
		client := awsClient(rec)
		for _, key := range awkwardKeys {
			_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(data),
				Metadata: map[string]string{"a": "  two   spaces "}})
			if got := rec.last(t, "put "+key, err); got.data != data {
				t.Errorf("put %q: %d bytes came", key, len(got.data))
			}
			_, err = client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: &key, VersionId: aws.String("a+b/c=")})
			rec.last(t, "head "+key, err)
			_, err = client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: &key, Delimiter: aws.String("/")})
			rec.last(t, "list "+key, err)
		}
		_, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{
			Objects: []types.ObjectIdentifier{{Key: aws.String("k")}}}})
		if got := rec.last(t, "delete", err); got.checksum.IsZero() {
			t.Error("delete objects came without a checksum")
		}
		for _, algo := range types.ChecksumAlgorithmCrc32.Values() {
			ours, err := checksum.ParseAlgorithm(string(algo))
			if err != nil {
				continue // MD5 and the xxHash family are not of S3's five
			}
			_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("k"), ChecksumAlgorithm: algo, Body: strings.NewReader(data)})
			if got := rec.last(t, "put with "+string(algo), err); got.data != data || got.checksum.Algorithm() != ours {
				t.Errorf("put with %s: %d bytes, checksum %v", algo, len(got.data), got.checksum)
			}
		}
		if tls { // the SDK sends trailers and unseekable bodies over TLS only
			unseekable := io.LimitReader(strings.NewReader(data), int64(len(data)))
			_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("k"), Body: unseekable, ContentLength: aws.Int64(int64(len(data)))})
			if got := rec.last(t, "put a stream", err); got.data != data || got.payload != sigv4.PayloadUnsignedTrailer {
				t.Errorf("put a stream: %d bytes, mode %d", len(got.data), got.payload)
			}
		}
	}
}

func TestAWSSDKPresigned(t *testing.T) {
	rec := newRecorder(t, false)
	ctx, bucket := context.Background(), aws.String("bucket")
	presigner := s3.NewPresignClient(awsClient(rec))
	for _, key := range awkwardKeys {
		get, err := presigner.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key, ResponseContentType: aws.String("text/plain; a=b")})
		if err != nil {
			t.Fatal(err)
		}
		if got := rec.last(t, "get "+key, send(rec, http.MethodGet, get.URL, "", get.SignedHeader)); got.scheme != sigv4.QueryV4 {
			t.Errorf("get %q: scheme %v", key, got.scheme)
		}
		put, err := presigner.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, ACL: types.ObjectCannedACLPrivate})
		if err != nil {
			t.Fatal(err)
		}
		if got := rec.last(t, "put "+key, send(rec, http.MethodPut, put.URL, "hello", put.SignedHeader)); got.data != "hello" {
			t.Errorf("put %q: got %q", key, got.data)
		}
	}
}

func send(rec *recorder, method, url, data string, header http.Header) error {
	r, err := http.NewRequest(method, url, strings.NewReader(data))
	if err != nil {
		return err
	}
	for name, values := range header {
		if name != "Host" && name != "Content-Length" {
			r.Header[name] = values
		}
	}
	resp, err := rec.Client().Do(r)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func TestMinioSDK(t *testing.T) {
	data := strings.Repeat("0123456789", 20_000)
	ctx := context.Background()
	var modes []sigv4.Payload
	for _, tls := range []bool{false, true} {
		for _, trailing := range []bool{false, true} {
			rec := newRecorder(t, tls)
			client, err := minio.New(strings.TrimPrefix(strings.TrimPrefix(rec.URL, "http://"), "https://"), &minio.Options{
				Creds: miniocreds.NewStaticV4(accessKey, secretKey, ""), Secure: tls, Region: region,
				Transport: rec.Client().Transport, TrailingHeaders: trailing,
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range awkwardKeys {
				if strings.ContainsAny(key, "\x01") || key == "../.." {
					continue // the client refuses them
				}
				what := fmt.Sprintf("put %q, tls %v, trailers %v", key, tls, trailing)
				opts := minio.PutObjectOptions{UserMetadata: map[string]string{"A": "b"}}
				if trailing {
					opts.Checksum = minio.ChecksumCRC32C
				}
				_, err := client.PutObject(ctx, "bucket", key, bytes.NewReader([]byte(data)), int64(len(data)), opts)
				got := rec.last(t, what, err)
				if got.data != data {
					t.Errorf("%s: %d bytes came", what, len(got.data))
				}
				modes = append(modes, got.payload)
				_, err = client.StatObject(ctx, "bucket", key, minio.StatObjectOptions{})
				rec.last(t, "stat "+key, err)
			}
			url, err := client.PresignedGetObject(ctx, "bucket", "sp ace+plus", time.Hour, nil)
			if err != nil {
				t.Fatal(err)
			}
			rec.last(t, "presigned get", send(rec, http.MethodGet, url.String(), "", nil))
		}
	}
	for _, mode := range []sigv4.Payload{sigv4.PayloadUnsigned, sigv4.PayloadChunked, sigv4.PayloadChunkedTrailer, sigv4.PayloadUnsignedTrailer} {
		if !slices.Contains(modes, mode) {
			t.Errorf("no upload came in mode %d, only %v", mode, modes)
		}
	}
}

// What our own signer makes verifies after a real trip over HTTP.
func TestOurSignerOverHTTP(t *testing.T) {
	rec := newRecorder(t, false)
	data := strings.Repeat("0123456789", 20_000)
	s := sigv4.NewSigner(sigv4.Credentials{AccessKey: accessKey, SecretKey: secretKey, SessionToken: "token"}, region)
	newRequest := func(method string, body io.Reader) *http.Request {
		r, err := http.NewRequest(method, rec.URL+"/bucket/a%20b/%C3%A4+(1)?versionId=a%2Bb&acl", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Meta-A", " x   y ")
		return r
	}
	do := func(what string, r *http.Request) seen {
		resp, err := rec.Client().Do(r)
		if err == nil {
			err = resp.Body.Close()
		}
		return rec.last(t, what, err)
	}
	r := newRequest(http.MethodPut, strings.NewReader(data))
	s.Sign(r, time.Now(), sigv4.UnsignedPayload)
	if got := do("header", r); got.data != data {
		t.Errorf("header: %d bytes came", len(got.data))
	}
	r = newRequest(http.MethodGet, nil)
	s.Presign(r, time.Now(), time.Minute)
	if got := do("presigned", r); got.scheme != sigv4.QueryV4 {
		t.Errorf("presigned: %+v", got)
	}
	for _, st := range []sigv4.Stream{
		{Payload: sigv4.PayloadChunked}, {Payload: sigv4.PayloadChunkedTrailer, Checksum: checksum.CRC64NVME},
		{Payload: sigv4.PayloadUnsignedTrailer, Checksum: checksum.CRC32C, Chunk: 1 << 20},
	} {
		st.Body, st.Size = strings.NewReader(data), int64(len(data))
		r = newRequest(http.MethodPut, nil)
		if err := s.SignStream(r, time.Now(), st); err != nil {
			t.Fatal(err)
		}
		if got := do("stream", r); got.data != data || got.payload != st.Payload {
			t.Errorf("stream: %d bytes came in mode %d", len(got.data), got.payload)
		}
	}
}
