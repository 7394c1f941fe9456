package e2e

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/minio/minio-go/v7"
	miniocreds "github.com/minio/minio-go/v7/pkg/credentials"
)

func (s *server) sdk() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(s.endpoint()), Region: "us-east-1", UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(s.access, s.secret, ""),
	})
}

func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func body(n int, seed uint64) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(randomBytes(seed), b); err != nil {
		panic(err) // the reader is endless
	}
	return b
}

// TestAWSSDKChecksums sends each additional checksum as today's SDK does (in a trailer of a chunked body) and reads it back.
func TestAWSSDKChecksums(t *testing.T) {
	s := newServer(t)
	c, ctx := s.sdk(), context.Background()
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("sums")}); err != nil {
		t.Fatal(err)
	}
	for i, algorithm := range []types.ChecksumAlgorithm{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"} {
		key := aws.String(string(algorithm))
		data := body(200*kib+i, uint64(i))
		put, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("sums"), Key: key, Body: bytes.NewReader(data), ChecksumAlgorithm: algorithm})
		if err != nil {
			t.Fatalf("%s: put: %v", algorithm, err)
		}
		if want := fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum(data))); aws.ToString(put.ETag) != want {
			t.Errorf("%s: ETag: got %s, want %s", algorithm, aws.ToString(put.ETag), want)
		}
		got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("sums"), Key: key, ChecksumMode: types.ChecksumModeEnabled})
		if err != nil {
			t.Fatalf("%s: get: %v", algorithm, err)
		}
		read, err := io.ReadAll(got.Body) // the SDK verifies the checksum as it reads
		if err != nil || !bytes.Equal(read, data) {
			t.Errorf("%s: read %d bytes, error %v; want the %d bytes put", algorithm, len(read), err, len(data))
		}
		attr, err := c.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: aws.String("sums"), Key: key,
			ObjectAttributes: []types.ObjectAttributes{"ETag", "Checksum", "ObjectSize"}})
		if err != nil {
			t.Fatalf("%s: attributes: %v", algorithm, err)
		}
		if attr.Checksum == nil || aws.ToInt64(attr.ObjectSize) != int64(len(data)) {
			t.Errorf("%s: attributes: got %+v", algorithm, attr)
		}
	}
	_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("sums"), Key: aws.String("bad"), Body: strings.NewReader("x"),
		ChecksumSHA256: aws.String("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")})
	if got := errorCode(err); got != "BadDigest" {
		t.Errorf("wrong checksum: got %s, want BadDigest", got)
	}
	if _, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("sums"), Key: aws.String("bad")}); err == nil {
		t.Error("an object with a wrong checksum was stored")
	}
}

// TestConditionalWritesHoldUnderRaces lets many clients create the same keys with If-None-Match: * and replace one
// key with If-Match; exactly one of each race may win.
func TestConditionalWritesHoldUnderRaces(t *testing.T) {
	s := newServer(t)
	c, ctx := s.sdk(), context.Background()
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("race")}); err != nil {
		t.Fatal(err)
	}
	const writers, keys = 8, 20
	var created [keys]atomic.Int32
	var wg sync.WaitGroup
	for w := range writers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for k := range keys {
				_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("race"), Key: aws.String(fmt.Sprintf("dir/%d/key", k)),
					Body: strings.NewReader(fmt.Sprint(w)), IfNoneMatch: aws.String("*")})
				switch code := errorCode(err); {
				case err == nil:
					created[k].Add(1)
				case code != "PreconditionFailed" && code != "ConditionalRequestConflict":
					t.Errorf("key %d: got %s, want PreconditionFailed", k, code)
				}
			}
		}()
	}
	wg.Wait()
	for k := range created {
		if got := created[k].Load(); got != 1 {
			t.Errorf("key %d was created %d times, want once", k, got)
		}
	}

	key := aws.String("counter")
	put, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("race"), Key: key, Body: strings.NewReader("0")})
	if err != nil {
		t.Fatal(err)
	}
	var won atomic.Int32
	for w := range writers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("race"), Key: key,
				Body: strings.NewReader(fmt.Sprint("by ", w)), IfMatch: put.ETag})
			if err == nil {
				won.Add(1)
			}
		}()
	}
	wg.Wait()
	if got := won.Load(); got != 1 {
		t.Errorf("%d writers replaced the same version, want one", got)
	}
}

func TestMinIOClient(t *testing.T) {
	s := newServer(t)
	ctx := context.Background()
	c, err := minio.New(s.s3, &minio.Options{Creds: miniocreds.NewStaticV4(s.access, s.secret, ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MakeBucket(ctx, "minio", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	for i, key := range awkward {
		if key == ".." || key == "a/../b" {
			continue // the client refuses these
		}
		data := body(10*kib+i, uint64(i))
		if _, err := c.PutObject(ctx, "minio", key, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{}); err != nil {
			t.Errorf("put %q: %v", key, err)
			continue
		}
		o, err := c.GetObject(ctx, "minio", key, minio.GetObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(o)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("get %q: %d bytes, error %v; want %d bytes", key, len(got), err, len(data))
		}
	}
	large := body(40*mib+3, 77)
	// Unknown size: a streaming multipart upload.
	if _, err := c.PutObject(ctx, "minio", "stream", bytes.NewReader(large), -1, minio.PutObjectOptions{PartSize: 16 * mib}); err != nil {
		t.Fatal(err)
	}
	o, err := c.GetObject(ctx, "minio", "stream", minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(o); err != nil || !bytes.Equal(got, large) {
		t.Errorf("stream: %d bytes, error %v; want %d bytes", len(got), err, len(large))
	}
	var keys []string
	for item := range c.ListObjects(ctx, "minio", minio.ListObjectsOptions{Recursive: true}) {
		if item.Err != nil {
			t.Fatal(item.Err)
		}
		keys = append(keys, item.Key)
	}
	if got, want := len(keys), len(awkward)-2+1; got != want {
		t.Errorf("listing: got %d keys %q, want %d", got, keys, want)
	}
	if _, err := c.ComposeObject(ctx, minio.CopyDestOptions{Bucket: "minio", Object: "composed"},
		minio.CopySrcOptions{Bucket: "minio", Object: "stream"}, minio.CopySrcOptions{Bucket: "minio", Object: "stream"}); err != nil {
		t.Errorf("compose: %v", err)
	}
}

// TestVirtualHosted reaches a bucket by its host name.
func TestVirtualHosted(t *testing.T) {
	s := newServer(t, "--domain", "s3.example.test")
	c, ctx := s.sdk(), context.Background()
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("virtual")}); err != nil {
		t.Fatal(err)
	}
	hosted := s3.New(s3.Options{
		BaseEndpoint: aws.String("http://s3.example.test"), Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider(s.access, s.secret, ""),
		HTTPClient:  &http.Client{Transport: &http.Transport{Proxy: nil, DialContext: dialTo(s.s3)}},
	})
	if _, err := hosted.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("virtual"), Key: aws.String("a/b"), Body: strings.NewReader("v")}); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("virtual"), Key: aws.String("a/b")})
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(got.Body); err != nil || string(data) != "v" {
		t.Errorf("got %q, error %v", data, err)
	}
}
