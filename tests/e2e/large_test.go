package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// long says whether sizes are those of a release's test and not of every day's.
func long() bool { return os.Getenv("HOLDFAST_LONG") != "" }

// The promises about memory.
const (
	maxHeap    = 512 * mib
	maxIdleRSS = 100 * mib
)

// TestLargeMultipart uploads an object in parts that are made as they are sent, and streams it back: 5 GiB in the long run.
func TestLargeMultipart(t *testing.T) {
	const partSize = 16 * mib
	parts := 16
	if long() {
		parts = 5 << 30 / partSize
	}
	s := newServer(t)
	ctx, bucket, key := context.Background(), aws.String("large"), aws.String("one/object")
	c := s.sdk()
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	up, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	done := make([]types.CompletedPart, parts)
	err = inParallel(4, parts, func(i int) error {
		n := int32(i + 1)
		p, err := s.sdk().UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: up.UploadId, PartNumber: &n,
			Body: bytes.NewReader(body(partSize, uint64(n)))})
		if err == nil {
			done[i] = types.CompletedPart{PartNumber: &n, ETag: p.ETag}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: done}}); err != nil {
		t.Fatal(err)
	}
	want := sha256.New()
	for n := range parts {
		if _, err := io.CopyN(want, randomBytes(uint64(n+1)), partSize); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.sum(t, *bucket, *key); !bytes.Equal(got, want.Sum(nil)) {
		t.Errorf("sha256 %x, want %x", got, want.Sum(nil))
	}
	s.stop(t)
	s.fsck(t)
}

// inParallel runs f for 0 … n-1, some at a time, and returns the first error.
func inParallel(atOnce, n int, f func(int) error) error {
	errs := make(chan error, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := range next {
				errs <- f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestMemoryOfParallelUploads streams large bodies of unknown content in parallel and watches the server's heap meanwhile.
func TestMemoryOfParallelUploads(t *testing.T) {
	const uploads = 16
	size := int64(64 * mib)
	if long() {
		size = 1 << 30
	}
	s := newServer(t)
	if rss := s.metric(t, "process_resident_memory_bytes"); rss > maxIdleRSS {
		t.Errorf("an idle server takes %.0f MiB, want at most %d", rss/mib, maxIdleRSS/mib)
	} else {
		t.Logf("idle: RSS %.0f MiB", rss/mib)
	}
	if _, err := s.sdk().CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String("memory")}); err != nil {
		t.Fatal(err)
	}
	var peakHeap, peakRSS float64
	stop, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				peakHeap = max(peakHeap, s.metric(t, "go_memstats_heap_inuse_bytes"))
				peakRSS = max(peakRSS, s.metric(t, "process_resident_memory_bytes"))
			}
		}
	}()
	begun := time.Now()
	err := inParallel(uploads, uploads, func(i int) error { return s.stream(t, fmt.Sprintf("/memory/k%d", i), uint64(i), size) })
	close(stop)
	<-watched
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d uploads of %d MiB in %v: heap in use at most %.0f MiB, RSS %.0f MiB", uploads, size/mib, time.Since(begun), peakHeap/mib, peakRSS/mib)
	if peakHeap == 0 || peakHeap > maxHeap {
		t.Errorf("heap in use: %.0f MiB, want at most %d", peakHeap/mib, maxHeap/mib)
	}
	h := sha256.New()
	if _, err := io.CopyN(h, randomBytes(7), size); err != nil {
		t.Fatal(err)
	}
	if got := s.sum(t, "memory", "k7"); !bytes.Equal(got, h.Sum(nil)) {
		t.Errorf("sha256 %x, want %x", got, h.Sum(nil))
	}
	s.stop(t)
	s.fsck(t)
}

// stream puts seeded bytes with an unsigned payload, so that nobody holds them in memory here.
func (s *server) stream(t *testing.T, target string, seed uint64, size int64) error {
	req := s.unsigned(t, http.MethodPut, target, io.LimitReader(randomBytes(seed), size))
	req.ContentLength = size
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000)) // the status is told anyway
		return fmt.Errorf("%s: %s: %s", target, resp.Status, text)
	}
	return nil
}

// metric returns a sample without labels from the server's metrics.
func (s *server) metric(t *testing.T, name string) float64 {
	t.Helper()
	resp, err := http.Get("http://" + s.metrics + "/metrics")
	if err != nil {
		t.Error(err)
		return 0
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Error(err)
			}
			return v
		}
	}
	t.Errorf("no metric %s", name)
	return 0
}
