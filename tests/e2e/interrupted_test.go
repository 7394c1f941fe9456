package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// patience bounds waiting for a client to get somewhere.
const patience = time.Minute

// begin starts a client program and returns how to kill it.
func (c *client) begin(name string, args ...string) (kill func()) {
	c.t.Helper()
	cmd := exec.Command(debian(c.t, name), args...)
	cmd.Dir, cmd.Env = c.dir, c.env()
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	return func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // killed, says the error
	}
}

// wantNothing checks that a bucket shows no key.
func (s *server) wantNothing(t *testing.T, bucket string) {
	t.Helper()
	if n := s.countKeys(t, bucket); n != 0 {
		t.Errorf("%d keys are visible in the middle of an upload", n)
	}
}

// awaitParts waits until an upload in the bucket has a part, and returns its key and id.
func (s *server) awaitParts(t *testing.T, bucket string) (key, id string) {
	t.Helper()
	ctx, c := context.Background(), s.sdk()
	eventually(t, patience, "an upload to have a part", func() error {
		ups, err := c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &bucket})
		if err != nil {
			return err
		}
		for _, up := range ups.Uploads {
			parts, err := c.ListParts(ctx, &s3.ListPartsInput{Bucket: &bucket, Key: up.Key, UploadId: up.UploadId})
			if err == nil && len(parts.Parts) > 0 {
				key, id = *up.Key, *up.UploadId
				return nil
			}
		}
		return fmt.Errorf("%d uploads", len(ups.Uploads))
	})
	return key, id
}

// TestS3cmdContinuesPut kills s3cmd in the middle of a multipart upload and lets it go on with the parts that are there.
func TestS3cmdContinuesPut(t *testing.T) {
	s := newServer(t)
	c := newClient(t, s)
	config := fmt.Sprintf("[default]\nhost_base = %[1]s\nhost_bucket = %[1]s\naccess_key = %s\nsecret_key = %s\nuse_https = False\n"+
		"multipart_chunk_size_mb = 5\n", s.s3, s.access, s.secret)
	if err := os.WriteFile(filepath.Join(c.dir, ".s3cfg"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	file := c.file("large", 33*mib+11, 1)
	c.run("s3cmd", "mb", "s3://cont")
	kill := c.begin("s3cmd", "--limit-rate=12m", "put", file, "s3://cont/large")
	key, id := s.awaitParts(t, "cont")
	kill()
	s.wantNothing(t, "cont")
	out := c.run("s3cmd", "--debug", "put", "--continue-put", file, "s3://cont/"+key)
	if !strings.Contains(out, id) {
		t.Errorf("s3cmd did not go on with upload %s", id)
	}
	c.run("s3cmd", "get", "s3://cont/large", "back")
	c.same(file, filepath.Join(c.dir, "back"))
	s.wantNoUploads(t, "cont")
	s.stop(t)
	s.fsck(t)
}

func (s *server) wantNoUploads(t *testing.T, bucket string) {
	t.Helper()
	ups, err := s.sdk().ListMultipartUploads(context.Background(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	if len(ups.Uploads) > 0 {
		t.Errorf("%d uploads are left", len(ups.Uploads))
	}
}

// TestRcloneAfterKill kills rclone in the middle of a multipart upload and copies again; what the first left can be cleaned up.
func TestRcloneAfterKill(t *testing.T) {
	s := newServer(t)
	c := newClient(t, s)
	config := fmt.Sprintf("[h]\ntype = s3\nprovider = Other\naccess_key_id = %s\nsecret_access_key = %s\nendpoint = %s\n"+
		"chunk_size = 5M\nupload_cutoff = 6M\nupload_concurrency = 2\n", s.access, s.secret, s.endpoint())
	path := filepath.Join(c.dir, "rclone.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c.file("tree/large", 30*mib+5, 2)
	c.run("rclone", "--config", path, "mkdir", "h:again")
	kill := c.begin("rclone", "--config", path, "--bwlimit", "12M", "copy", "tree", "h:again/t")
	s.awaitParts(t, "again")
	kill()
	s.wantNothing(t, "again")
	c.run("rclone", "--config", path, "copy", "tree", "h:again/t")
	c.run("rclone", "--config", path, "check", "--download", "tree", "h:again/t")
	c.run("rclone", "--config", path, "backend", "cleanup", "-o", "max-age=0s", "h:again")
	s.wantNoUploads(t, "again")
	s.stop(t)
	s.fsck(t)
}

// TestUploadGoesOnFromItsParts breaks a connection in the middle of a part, and a server in the middle of the upload, and completes
// the upload from what ListParts tells.
func TestUploadGoesOnFromItsParts(t *testing.T) {
	s := newServer(t)
	ctx, bucket, key := context.Background(), aws.String("parts"), aws.String("a/large")
	if _, err := s.sdk().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	up, err := s.sdk().CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	put := func(n int32, body io.ReadSeeker) error {
		_, err := s.sdk().UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: up.UploadId, PartNumber: &n, Body: body})
		return err
	}
	const parts = 5
	for _, n := range []int32{1, 3} {
		if err := put(n, bytes.NewReader(body(5*mib, uint64(n)))); err != nil {
			t.Fatal(err)
		}
	}
	whole := s.sign(t, badRequest{method: "PUT", target: "/parts/a/large?partNumber=2&uploadId=" + *up.UploadId, body: strings.Repeat("x", 5*mib)})
	cut(t, s.s3, whole, 3*mib)
	large := s.sign(t, badRequest{method: "PUT", target: "/parts/single", body: strings.Repeat("x", 40*mib)})
	cut(t, s.s3, large, 30*mib)
	s.wantNothing(t, "parts")
	s.kill(t)
	s.start(t)
	s.wantNothing(t, "parts")

	var done []types.CompletedPart
	have := map[int32]string{}
	listed, err := s.sdk().ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: key, UploadId: up.UploadId})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range listed.Parts {
		have[*p.PartNumber] = *p.ETag
	}
	if len(have) != 2 || have[1] == "" || have[3] == "" {
		t.Fatalf("parts after the kill: %v, want 1 and 3", have)
	}
	h := sha256.New()
	for n := int32(1); n <= parts; n++ {
		data := body(5*mib, uint64(n))
		h.Write(data)
		if have[n] == "" {
			if err := put(n, bytes.NewReader(data)); err != nil {
				t.Fatal(err)
			}
		}
	}
	listed, err = s.sdk().ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: key, UploadId: up.UploadId})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range listed.Parts {
		done = append(done, types.CompletedPart{PartNumber: p.PartNumber, ETag: p.ETag})
	}
	if _, err := s.sdk().CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: done}}); err != nil {
		t.Fatal(err)
	}
	if got := s.sum(t, "parts", "a/large"); !bytes.Equal(got, h.Sum(nil)) {
		t.Errorf("sha256 %x, want %x", got, h.Sum(nil))
	}
	s.stop(t)
	s.fsck(t)
}

// sum streams an object back and returns its SHA-256.
func (s *server) sum(t *testing.T, bucket, key string) []byte {
	t.Helper()
	o, err := s.sdk().GetObject(context.Background(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, o.Body); err != nil {
		t.Fatal(err)
	}
	return h.Sum(nil)
}
