package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestFullDisk fills a small filesystem: writes are refused as full while reads and deletes go on, nothing acknowledged is
// lost, and after deletes there is room again.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("mounting a small filesystem needs root")
	}
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=256m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(small, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s := newServerOn(t, small+"/data")
	c, ctx, bucket := s.sdk(), context.Background(), aws.String("kill")
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	put := func(i int) error {
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String(fmt.Sprint("k", i)), Body: bytes.NewReader(body(mib, uint64(i)))})
		return err
	}
	stored := 0
	for ; stored < 400; stored++ {
		if err := put(stored); err != nil {
			if code := errorCode(err); code != "InsufficientStorage" {
				t.Fatalf("put %d: got %s, want InsufficientStorage", stored, code)
			}
			break
		}
	}
	t.Logf("%d MiB went in", stored)
	if stored == 400 || stored < 50 {
		t.Fatalf("%d objects of 1 MiB went into 256 MiB", stored)
	}
	for i := range stored {
		if got, err := read(ctx, c, fmt.Sprint("k", i)); err != nil || !bytes.Equal(got, body(mib, uint64(i))) {
			t.Fatalf("k%d on the full disk: %d bytes, error %v", i, len(got), err)
		}
	}
	for i := range stored / 2 {
		if _, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String(fmt.Sprint("k", i))}); err != nil {
			t.Fatalf("delete on the full disk: %v", err)
		}
	}
	eventually(t, 5*time.Minute, "room for new objects after the deletes", func() error { return put(1000) })
	s.stop(t)
	s.fsck(t)
}
