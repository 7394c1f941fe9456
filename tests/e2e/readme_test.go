package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

var bannerLine = regexp.MustCompile(`(?m)^(aws|s3cmd): +(.+)$`)

// TestBannerLinesWork pastes the banner's lines into a shell.
func TestBannerLinesWork(t *testing.T) {
	s := newServer(t)
	if _, err := s.sdk().CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String("pasted")}); err != nil {
		t.Fatal(err)
	}
	lines := bannerLine.FindAllStringSubmatch(s.log.String(), -1)
	if len(lines) != 2 {
		t.Fatalf("the banner has %d lines to paste, want 2:\n%s", len(lines), s.log)
	}
	for _, line := range lines {
		if out := shell(t, line[2]); !strings.Contains(out, "pasted") {
			t.Errorf("%s: got %q, want the bucket", line[1], out)
		}
	}
}

// shell runs a line as somebody would who has no credentials of his own.
func shell(t *testing.T, line string) string {
	t.Helper()
	cmd := exec.Command("sh", "-ec", line)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LANG=C.UTF-8", "AWS_EC2_METADATA_DISABLED=true"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// TestReadmeWorks runs what the README tells a newcomer to run, only on a directory and ports of the test's own.
func TestReadmeWorks(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 2 {
		t.Fatalf("the README has %d blocks of commands", len(blocks))
	}
	commands := strings.Split(strings.TrimSpace(blocks[0][1]), "\n")
	start, _, _ := strings.Cut(commands[0], "#")
	test, _, _ := strings.Cut(commands[1], "#")
	shell(t, strings.Replace(test, "make", "make -n", 1)) // this test is what it runs

	s := &server{data: filepath.Join(t.TempDir(), "data"), s3: freeAddress(t), metrics: freeAddress(t)}
	cmd := exec.Command("sh", "-c", "exec "+strings.TrimSpace(start)+" --data "+s.data+" --s3-address "+s.s3+" --metrics-address "+s.metrics)
	cmd.Dir = filepath.Join("..", "..")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run has the server as a child
	var log logBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = cmd.Wait() // ended by the signal
		if t.Failed() {
			t.Logf("go run wrote:\n%s", &log)
		}
	})
	eventually(t, patience, "the server to be ready", func() error {
		resp, err := http.Get("http://" + s.metrics + "/readyz")
		if err == nil {
			resp.Body.Close()
		}
		return err
	})
	paste := strings.NewReplacer("./holdfast-data", s.data, "127.0.0.1:9000", s.s3).Replace(blocks[1][1])
	if out := shell(t, paste); !strings.Contains(out, "make_bucket: photos") || !strings.Contains(out, "upload:") {
		t.Errorf("got %q, want a bucket and an upload\n%s", out, &log)
	}
}
