package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestUsage uses a bucket, stops the server in the middle of a period, and collects what was counted with the administrator's tool.
func TestUsage(t *testing.T) {
	s := newServer(t, "--usage-period", "3600")
	admin := newAdministrator(t, s)
	ctx, c := t.Context(), s.sdk()
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("used")}); err != nil {
		t.Fatal(err)
	}
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
