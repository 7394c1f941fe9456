package gwtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awscreds "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/minio/minio-go/v7"
	miniocreds "github.com/minio/minio-go/v7/pkg/credentials"
)

// aws makes an SDK client with the defaults that the SDK has when it is configured from the environment.
func (e *env) aws() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(e.endpoint), Region: e.creds.Region, UsePathStyle: true,
		Credentials: awscreds.NewStaticCredentialsProvider(e.creds.AccessKey, e.creds.SecretKey, ""),
		HTTPClient:  e.http, RetryMaxAttempts: 1, RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
	})
}

// check ends the test if a step that must work did not.
func check[T any](e *env, what string) func(T, error) T {
	return func(v T, err error) T {
		e.T.Helper()
		if err != nil {
			e.Fatalf("%s: %v", what, err)
		}
		return v
	}
}

// hasCode checks the code of an SDK's error.
func hasCode(e *env, err error, code string) {
	e.T.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		e.Errorf("got %v, want %s", err, code)
	}
}

func testAWSSDK(e *env) {
	ctx, c := e.T.Context(), e.aws()
	bucket, key := aws.String(e.bucket), aws.String("dir/é key+%.txt")
	data := pattern(3 << 20)
	put := check[*s3.PutObjectOutput](e, "PutObject")(c.PutObject(ctx, &s3.PutObjectInput{
		Bucket: bucket, Key: key, Body: bytes.NewReader(data), ContentType: aws.String("a/b"), Metadata: map[string]string{"who": "me"},
	}))
	if aws.ToString(put.ChecksumCRC32) == "" {
		e.Error("the checksum the SDK sends on its own account is not answered")
	}
	got := check[*s3.GetObjectOutput](e, "GetObject")(c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key}))
	read := check[[]byte](e, "read")(io.ReadAll(got.Body))
	if !bytes.Equal(read, data) || got.Metadata["who"] != "me" || aws.ToString(got.ContentType) != "a/b" || aws.ToString(got.ETag) != aws.ToString(put.ETag) {
		e.Errorf("got %d bytes, %+v", len(read), got)
	}
	list := check[*s3.ListObjectsV2Output](e, "ListObjectsV2")(c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("dir/")}))
	if len(list.Contents) != 1 || aws.ToString(list.Contents[0].Key) != *key {
		e.Errorf("got %+v", list.Contents)
	}
	for name, algorithm := range map[string]types.ChecksumAlgorithm{
		"sha256": types.ChecksumAlgorithmSha256, "sha1": types.ChecksumAlgorithmSha1, "crc32c": types.ChecksumAlgorithmCrc32c, "crc64": types.ChecksumAlgorithmCrc64nvme,
	} {
		check[*s3.PutObjectOutput](e, name)(c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String(name), Body: bytes.NewReader(data[:1000]), ChecksumAlgorithm: algorithm}))
		got := check[*s3.GetObjectOutput](e, name)(c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String(name), ChecksumMode: types.ChecksumModeEnabled}))
		if b, err := io.ReadAll(got.Body); err != nil || !bytes.Equal(b, data[:1000]) { // the SDK verifies the checksum
			e.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("none")})
	hasCode(e, err, "NoSuchKey")
	_, err = c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("none")})
	hasCode(e, err, "NotFound")
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(nil), IfNoneMatch: aws.String("*")})
	hasCode(e, err, "PreconditionFailed")
	_, err = c.GetBucketMetadataConfiguration(ctx, &s3.GetBucketMetadataConfigurationInput{Bucket: bucket})
	hasCode(e, err, "NotImplemented")
	check[*s3.CopyObjectOutput](e, "CopyObject")(c.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: bucket, Key: aws.String("copy"), CopySource: aws.String(e.bucket + "/" + url.PathEscape(*key)),
	}))
	e.sub("multipart", func(e *env) { awsMultipart(e, ctx, c) })
	e.sub("presigned", func(e *env) {
		link := check[*v4.PresignedHTTPRequest](e, "presign")(s3.NewPresignClient(c).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key}, s3.WithPresignExpires(time.Minute)))
		res := check[*http.Response](e, "get")(e.http.Get(link.URL))
		b := check[[]byte](e, "read")(io.ReadAll(res.Body))
		if _ = res.Body.Close(); res.StatusCode != 200 || !bytes.Equal(b, data) {
			e.Errorf("%d, %d bytes", res.StatusCode, len(b))
		}
	})
	out := check[*s3.DeleteObjectsOutput](e, "DeleteObjects")(c.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: key}, {Key: aws.String("copy")}}},
	}))
	if len(out.Deleted) != 2 || len(out.Errors) != 0 {
		e.Errorf("got %+v", out)
	}
}

func awsMultipart(e *env, ctx context.Context, c *s3.Client) {
	bucket, key := aws.String(e.bucket), aws.String("parts")
	up := check[*s3.CreateMultipartUploadOutput](e, "create")(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: bucket, Key: key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	}))
	var done []types.CompletedPart
	data := pattern(minPart + 1000)
	for i, p := range [][]byte{data[:minPart], data[minPart:]} {
		n := aws.Int32(int32(i + 1))
		part := check[*s3.UploadPartOutput](e, "part")(c.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: bucket, Key: key, UploadId: up.UploadId, PartNumber: n, Body: bytes.NewReader(p), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		}))
		done = append(done, types.CompletedPart{PartNumber: n, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32})
	}
	check[*s3.CompleteMultipartUploadOutput](e, "complete")(c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: done},
	}))
	got := check[*s3.GetObjectOutput](e, "get")(c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key}))
	if b := check[[]byte](e, "read")(io.ReadAll(got.Body)); !bytes.Equal(b, data) {
		e.Errorf("got %d bytes, want %d", len(b), len(data))
	}
}

func testMinIOSDK(e *env) {
	at := check[*url.URL](e, "endpoint")(url.Parse(e.endpoint))
	ctx := e.T.Context()
	for _, v2 := range []bool{false, true} {
		creds := miniocreds.NewStaticV4(e.creds.AccessKey, e.creds.SecretKey, "")
		if v2 {
			creds = miniocreds.NewStaticV2(e.creds.AccessKey, e.creds.SecretKey, "")
		}
		c := check[*minio.Client](e, "client")(minio.New(at.Host, &minio.Options{
			Creds: creds, Secure: at.Scheme == "https", Region: e.creds.Region, BucketLookup: minio.BucketLookupPath, MaxRetries: 1,
		}))
		data := make([]byte, 2*minPart+5)
		_, _ = rand.Read(data) // documented never to fail
		check[minio.UploadInfo](e, "put")(c.PutObject(ctx, e.bucket, "small", bytes.NewReader(data[:1000]), 1000, minio.PutObjectOptions{UserMetadata: map[string]string{"A": "1"}}))
		check[minio.UploadInfo](e, "put in parts")(c.PutObject(ctx, e.bucket, "big", bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{PartSize: minPart}))
		check[minio.UploadInfo](e, "put a stream")(c.PutObject(ctx, e.bucket, "stream", bytes.NewReader(data), -1, minio.PutObjectOptions{PartSize: minPart}))
		for _, key := range []string{"big", "stream"} {
			o := check[*minio.Object](e, key)(c.GetObject(ctx, e.bucket, key, minio.GetObjectOptions{}))
			if b := check[[]byte](e, key)(io.ReadAll(o)); !bytes.Equal(b, data) {
				e.Errorf("%s: got %d bytes", key, len(b))
			}
			_ = o.Close() // only read from
		}
		info := check[minio.ObjectInfo](e, "stat")(c.StatObject(ctx, e.bucket, "small", minio.StatObjectOptions{}))
		if info.Size != 1000 || info.UserMetadata["A"] != "1" {
			e.Errorf("got %+v", info)
		}
		check[minio.UploadInfo](e, "compose")(c.ComposeObject(ctx, minio.CopyDestOptions{Bucket: e.bucket, Object: "composed"},
			minio.CopySrcOptions{Bucket: e.bucket, Object: "big"}, minio.CopySrcOptions{Bucket: e.bucket, Object: "small"}))
		if info := check[minio.ObjectInfo](e, "stat")(c.StatObject(ctx, e.bucket, "composed", minio.StatObjectOptions{})); info.Size != int64(len(data)+1000) {
			e.Errorf("composed: got %d bytes", info.Size)
		}
		found := 0
		gone := make(chan minio.ObjectInfo)
		go func() {
			defer close(gone)
			for o := range c.ListObjects(ctx, e.bucket, minio.ListObjectsOptions{Recursive: true}) {
				if o.Err != nil {
					e.Error(o.Err)
				}
				found++
				gone <- o
			}
		}()
		for failed := range c.RemoveObjects(ctx, e.bucket, gone, minio.RemoveObjectsOptions{}) {
			e.Errorf("remove: %+v", failed)
		}
		if left := e.list(""); found != 4 || len(left.Contents) != 0 {
			e.Errorf("found %d, left %+v", found, left.Contents)
		}
	}
}
