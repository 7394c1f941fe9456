package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// unsigned makes a request whose headers are signed and whose body is not.
func (s *server) unsigned(t *testing.T, method, target string, body io.Reader) *http.Request {
	req, err := http.NewRequest(method, s.endpoint()+target, body)
	if err != nil {
		t.Fatal(err)
	}
	const hash = "UNSIGNED-PAYLOAD"
	req.Header.Set("X-Amz-Content-Sha256", hash)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(context.Background(), aws.Credentials{AccessKeyID: s.access, SecretAccessKey: s.secret}, req, hash, "s3", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return req
}

// TestReloadDropsNothing sends SIGHUP again and again, with files that make sense and one that does not, while requests run over
// connections that are kept: none fails and none is dialled anew.
func TestReloadDropsNothing(t *testing.T) {
	const workers, reloads = 4, 12
	file := filepath.Join(t.TempDir(), "config.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"log_level": "info"}`)
	s := newServer(t, "--config", file)
	if _, err := s.sdk().CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String("reload")}); err != nil {
		t.Fatal(err)
	}
	var dialled, requests atomic.Int64
	stop := make(chan struct{})
	finished := make(chan error, 1)
	go func() {
		finished <- inParallel(workers, workers, func(i int) error {
			c := &http.Client{Transport: &http.Transport{}}
			defer c.CloseIdleConnections()
			for n := 0; ; n++ {
				select {
				case <-stop:
					return nil
				default:
				}
				req := s.unsigned(t, http.MethodPut, fmt.Sprintf("/reload/k%d", i), strings.NewReader(strings.Repeat("b", n%5000)))
				trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
					if !info.Reused {
						dialled.Add(1)
					}
				}}
				resp, err := c.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
				if err != nil {
					return err
				}
				_, _ = io.Copy(io.Discard, resp.Body) // for the connection to be kept
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					return fmt.Errorf("%s", resp.Status)
				}
				requests.Add(1)
			}
		})
	}()
	for i := range reloads {
		before := requests.Load()
		write([]string{`{"log_level": "debug"}`, `{"log_level": "info", "domains": ["s3.test"]}`, `{"nonsense": 1}`}[i%3])
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		eventually(t, patience, "requests to go on", func() error {
			if n := requests.Load() - before; n < 20 {
				return fmt.Errorf("%d requests", n)
			}
			return nil
		})
	}
	close(stop)
	if err := <-finished; err != nil {
		t.Error(err)
	}
	if n := dialled.Load(); n != workers {
		t.Errorf("%d connections for %d clients", n, workers)
	}
	if log := s.log.String(); !strings.Contains(log, "configuration reloaded") || !strings.Contains(log, "nonsense") {
		t.Errorf("the log tells neither of reloads nor of the file that makes no sense")
	}
	s.stop(t)
	s.fsck(t)
}

// TestTermDrains ends the server in the middle of an upload: the upload gets its answer, and no new connection is accepted.
func TestTermDrains(t *testing.T) {
	s := newServer(t)
	if _, err := s.sdk().CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String("drain")}); err != nil {
		t.Fatal(err)
	}
	data := body(6*mib, 3)
	r, w := io.Pipe()
	req := s.unsigned(t, http.MethodPut, "/drain/slow", r)
	req.ContentLength = int64(len(data))
	// The first byte is sent when the server asks for it, so what is written below has been taken by a request under way and not by
	// the backlog of a listener that is about to close.
	req.Header.Set("Expect", "100-continue")
	c := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: patience}}
	defer c.CloseIdleConnections()
	answered := make(chan error, 1)
	go func() {
		resp, err := c.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("%s", resp.Status)
			}
		}
		answered <- err
	}()
	if _, err := w.Write(data[:4*mib]); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the listener to close", func() error {
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(s.endpoint())
		if err == nil {
			resp.Body.Close()
			return fmt.Errorf("%s", resp.Status)
		}
		return nil
	})
	if !s.running() {
		t.Fatal("the server ended before the upload did")
	}
	if _, err := w.Write(data[4*mib:]); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if err := <-answered; err != nil {
		t.Errorf("the upload under way: %v", err)
	}
	<-s.exited
	if s.exitErr != nil {
		t.Errorf("exit: %v", s.exitErr)
	}
	s.start(t)
	o, err := s.sdk().GetObject(context.Background(), &s3.GetObjectInput{Bucket: aws.String("drain"), Key: aws.String("slow")})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	if got, err := io.ReadAll(o.Body); err != nil || !bytes.Equal(got, data) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
}
