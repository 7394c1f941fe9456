package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// fsckReport is the last line of fsck --json.
type fsckReport struct {
	Complete bool  `json:"complete"`
	Versions int64 `json:"versions"`
	Objects  int64 `json:"objects"`
	Problems int64 `json:"problems"`
	Live     bool  `json:"live"`
	Books    bool  `json:"books"`
}

// fsckJSON runs the checker and returns its report; anything but a clean one fails the test.
func (s *server) fsckJSON(t *testing.T, args ...string) (r fsckReport) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"fsck", "--json", "--data", s.data}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	if err == nil {
		err = json.Unmarshal([]byte(lines[len(lines)-1]), &r)
	}
	if err != nil || len(lines) != 1 || !r.Complete || r.Problems != 0 {
		t.Fatalf("fsck %q: %v, wrote\n%s\n%s", args, err, stdout.String(), stderr.String())
	}
	return r
}

// TestFsckOfARunningServer checks a store again and again while clients write to it, kills the server in between, and
// checks it once more when it is stopped.
func TestFsckOfARunningServer(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if _, err := s.sdk().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("kill")}); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	l := &ledger{acked: map[string]state{}, maybe: map[string][]state{}}
	var wg sync.WaitGroup
	for w := range uint64(4) {
		wg.Add(1)
		go func(rng *rand.Rand) {
			defer wg.Done()
			c := s.sdk()
			for ctx.Err() == nil {
				change(ctx, c, l, fmt.Sprintf("w%d/d%d/k%d", w, rng.IntN(3), rng.IntN(8)), rng)
			}
		}(rand.New(rand.NewPCG(seed, w)))
	}
	var most int64
	for _, args := range [][]string{nil, {"--deep"}, {"--repair"}, {"--deep", "--repair"}, nil, nil} {
		if r := s.fsckJSON(t, args...); !r.Live || r.Books {
			t.Errorf("a server runs and the report says %+v", r)
		} else {
			most = max(most, r.Versions)
		}
	}
	s.kill(t) // its socket stays behind
	cancel()
	wg.Wait()
	if most == 0 {
		t.Error("no check saw a version: the load was none")
	}
	if r := s.fsckJSON(t, "--deep"); r.Live || !r.Books || r.Versions == 0 {
		t.Errorf("no server runs and the report says %+v", r)
	}
	s.start(t)
	l.verify(t, s)
	if r := s.fsckJSON(t); !r.Live {
		t.Errorf("a server runs again and the report says %+v", r)
	}
	s.stop(t)
	s.fsck(t)
}

// TestFsckIsStopped interrupts the checker and wants a report that says so, and an unharmed server.
func TestFsckIsStopped(t *testing.T) {
	s := newServer(t)
	ctx, c := context.Background(), s.sdk()
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("kill")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("kill"), Key: aws.String("k"),
		Body: bytes.NewReader(body(64*mib, 1))}); err != nil {
		t.Fatal(err)
	}
	// The server stands still, so the check does until it is stopped.
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "fsck", "--deep", "--data", s.data)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(stderr)
	if line, err := said.ReadString('\n'); err != nil || !strings.Contains(line, "a server runs on this store") {
		t.Errorf("the check began with %q, %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(said)
	if err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("a stopped check ended with %v", err)
	}
	if !strings.Contains(stdout.String(), "partial: ") || !strings.Contains(string(rest), "stopped; ") {
		t.Errorf("a stopped check wrote\n%s\n%s", stdout.String(), rest)
	}
	if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if r := s.fsckJSON(t, "--deep"); !r.Live || r.Objects == 0 {
		t.Errorf("report %+v", r)
	}
}

// TestFsckBadUsage wants one line that names what was wrong, and the exit status for it.
func TestFsckBadUsage(t *testing.T) {
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--nonsense"}, 2, "-nonsense"},
		{[]string{"too", "much"}, 2, `"too"`},
		{[]string{"--data", t.TempDir()}, 1, "holdfast fsck: --data "},
	} {
		out, err := exec.Command(binary, append([]string{"fsck"}, tc.args...)...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != tc.code || !strings.Contains(string(out), tc.want) {
			t.Errorf("fsck %q: %v, wrote %q; want status %d and %q", tc.args, err, out, tc.code, tc.want)
		}
	}
}
