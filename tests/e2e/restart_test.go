package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestRestartWithManyNames tells how long a store with 100,000 names takes to open again, after a clean end and after a kill.
func TestRestartWithManyNames(t *testing.T) {
	const names = 100_000
	s := newServer(t)
	if _, err := s.sdk().CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String("many")}); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	s.fill(t, "many", names)
	t.Logf("%d names made in %v", names, time.Since(begun))
	for _, end := range []struct {
		how string
		do  func(*testing.T)
	}{{"stop", s.stop}, {"kill", s.kill}} {
		end.do(t)
		begun := time.Now()
		s.start(t)
		t.Logf("ready %v after a %s", time.Since(begun), end.how)
	}
	pages := s3.NewListObjectsV2Paginator(s.sdk(), &s3.ListObjectsV2Input{Bucket: aws.String("many")})
	n := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Contents)
	}
	if n != names {
		t.Errorf("%d names are listed, want %d", n, names)
	}
}

// fill makes empty objects over many connections.
func (s *server) fill(t *testing.T, bucket string, names int) {
	t.Helper()
	const writers = 32
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: writers}}
	defer c.CloseIdleConnections()
	err := inParallel(writers, names, func(i int) error {
		resp, err := c.Do(s.unsigned(t, http.MethodPut, fmt.Sprintf("/%s/d%d/k%d", bucket, i%50, i), http.NoBody))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s", resp.Status)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
