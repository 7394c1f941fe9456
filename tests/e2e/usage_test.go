package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestUsage turns usage records on in a running server, uses a bucket, stops the server in the middle of a period, and collects what was counted
// with the administrator's tool.
func TestUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{}`)
	s := newServer(t, "--config", file)
	admin := newAdministrator(t, s)
	ctx, c := t.Context(), s.sdk()
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("used")}); err != nil {
		t.Fatal(err)
	}
	write(`{"usage_period_seconds": 3600}`)
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the configuration to be read", func() error {
		if !strings.Contains(s.log.String(), "configuration reloaded") {
			return errors.New("no word of it")
		}
		return nil
	})
	for range 3 {
		if _, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("used"), Key: aws.String("k"), Body: strings.NewReader("12345")}); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := admin.try("list-usage"); err != nil || out != "" {
		t.Errorf("while the period runs: got %q, %v", out, err)
	}
	s.stop(t)
	s.start(t)
	name := admin.run(`^(s3-usage-[0-9a-f]{16}-\S{24}-3600)\n$`, "list-usage")[0]
	doc := admin.run(`(?s)^(.*)$`, "get-usage", "-n", name)[0]
	var got struct {
		Items []struct {
			Key struct {
				Bucket string `json:"bucket"`
				User   string `json:"user_id"`
			} `json:"key"`
			Counters struct {
				Ops struct{ Put, Get, List, Other int } `json:"ops"`
			} `json:"counters"`
		} `json:"items"`
	}
	if err := json.Unmarshal([]byte(doc), &got); err != nil {
		t.Fatalf("%v: %s", err, doc)
	}
	puts := 0
	for _, i := range got.Items {
		if i.Key.Bucket == "used" && i.Key.User == "0000000000000001" {
			puts += i.Counters.Ops.Put
		}
	}
	if puts != 3 {
		t.Errorf("%d puts were counted, want 3: %s", puts, doc)
	}
	admin.run("Deleted usage object", "delete-usage", "-n", name)
	if out, err := admin.try("list-usage"); err != nil || out != "" {
		t.Errorf("after it was collected: got %q, %v", out, err)
	}
	s.kill(t)
	s.start(t)
	if out, err := admin.try("list-usage"); err != nil || out != "" {
		t.Errorf("after a crash: got %q, %v", out, err)
	}
	s.stop(t)
	s.fsck(t)
}
